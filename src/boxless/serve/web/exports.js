// What is shown, in the formats that other programs read.
//
// shown: [{ name, found, predictions, boxes, annotations }] of each image: the predictions and boxes that are shown.

/** As `boxless locate --json` prints it: one object an image. Corrected boxes have no score, and say so. */
export function asJson(shown) {
  const objects = shown.map(({ name, found, predictions, boxes, annotations }) => {
    const present = predictions.map(({ class_map: _, ...prediction }) =>
      annotations.has(prediction.label) ? corrected(prediction, boxes) : prediction,
    );
    const more = [...new Set(boxes.map(({ label }) => label))].filter((label) => !present.some((each) => each.label === label));
    const added = more.map((label) =>
      corrected({ label, class_index: null, probability: null, activation: null, detected: true }, boxes),
    );
    const { width, height, model, preset } = found;
    return { image: name, width, height, model, preset, predictions: [...present, ...added] };
  });
  return JSON.stringify(objects.length === 1 ? objects[0] : objects, null, 1) + "\n";
}

function corrected(prediction, boxes) {
  const own = boxes.filter(({ label }) => label === prediction.label).map(({ box, score, corrected }) => ({ box, score, corrected }));
  return { ...prediction, box: own[0]?.box ?? null, boxes: own, corrected: true };
}

/** A COCO document; its categories are the classes that are there, under the model's numbers. */
export function asCoco(shown, labels) {
  const numbers = numbered(shown, labels);
  const categories = new Map();
  const annotations = [];
  const images = shown.map(({ name, found, predictions, boxes }, i) => {
    for (const { label } of [...predictions, ...boxes]) categories.set(label, { id: numbers.get(label), name: label });
    for (const { label, box: [x0, y0, x1, y1], score, corrected } of boxes) {
      const [width, height] = [x1 - x0, y1 - y0].map(rounded);
      const known = score === null ? {} : { score };
      annotations.push({
        id: annotations.length + 1, image_id: i + 1, category_id: numbers.get(label),
        bbox: [x0, y0, width, height], area: rounded(width * height), iscrowd: 0, ...known, ...(corrected ? { corrected } : {}),
      }); // prettier-ignore
    }
    return { id: i + 1, file_name: name, width: found.width, height: found.height };
  });
  const sorted = [...categories.values()].sort((one, other) => one.id - other.id);
  return JSON.stringify({ images, annotations, categories: sorted }, null, 1) + "\n";
}

/** A table with a row for each box. */
export function asCsv(shown) {
  const rows = shown.flatMap(({ name, boxes }) =>
    boxes.map(({ label, box, score, corrected }) => [name, label, ...box, score ?? "", corrected].map(quoted).join(",")),
  );
  return ["image,label,x0,y0,x1,y1,score,corrected", ...rows].join("\n") + "\n";
}

/** The files of a YOLO data set, as [name, text or File]: images, labels of the same names, and data.yaml. */
export function asYolo(shown, labels) {
  const numbers = numbered(shown, labels);
  const taken = new Set();
  const files = shown.flatMap(({ name, file, found, boxes }) => {
    const lines = boxes.map(({ label, box: [x0, y0, x1, y1] }) => {
      const shares = [(x0 + x1) / 2 / found.width, (y0 + y1) / 2 / found.height, (x1 - x0) / found.width, (y1 - y0) / found.height];
      return `${numbers.get(label)} ${shares.map((share) => share.toFixed(6)).join(" ")}\n`;
    });
    const base = apart(flat(stem(name)), taken); // labels are found by what precedes the suffix
    return [[`images/${base}${name.slice(stem(name).length)}`, file], [`labels/${base}.txt`, lines.join("")]]; // prettier-ignore
  });
  const names = [...numbers].map(([label, number]) => `  ${number}: ${JSON.stringify(label)}\n`);
  // Without `path` Ultralytics starts from the file's own folder, with "." from the working directory or its own data sets.
  return [...files, ["data.yaml", `train: images\nval: images\nnames:\n${names.join("")}`]];
}

/** The files of a Pascal VOC data set, as [name, text or File]; VOC counts whole pixels from 1, the last one included. */
export function asVoc(shown) {
  const taken = new Set();
  const names = [];
  const files = shown.flatMap(({ name, file, found, boxes }) => {
    const base = apart(flat(stem(name)), taken);
    const image = `${base}${name.slice(stem(name).length)}`;
    names.push(base);
    const objects = boxes.map(({ label, box: [x0, y0, x1, y1] }) => {
      const [left, top, right, bottom] = [x0, y0, x1, y1].map(Math.round);
      const edges = [["xmin", left + 1], ["ymin", top + 1], ["xmax", Math.max(right, left + 1)], ["ymax", Math.max(bottom, top + 1)]].map(([edge, at]) => `<${edge}>${at}</${edge}>`); // prettier-ignore
      return ` <object>\n  <name>${escaped(label)}</name>\n  <pose>Unspecified</pose>\n  <truncated>0</truncated>\n  <difficult>0</difficult>\n  <bndbox>${edges.join("")}</bndbox>\n </object>\n`;
    });
    const size = ` <size><width>${found.width}</width><height>${found.height}</height><depth>3</depth></size>\n`;
    const text = `<annotation>\n <folder>JPEGImages</folder>\n <filename>${escaped(image)}</filename>\n${size}${objects.join("")}</annotation>\n`;
    return [[`JPEGImages/${image}`, file], [`Annotations/${base}.xml`, text]]; // prettier-ignore
  });
  return [...files, ["ImageSets/Main/default.txt", names.map((name) => `${name}\n`).join("")]];
}

/** The numbers of classes by label: the model's, then those that a correction brought along from another model. */
function numbered(shown, labels) {
  const numbers = new Map();
  labels.forEach((label, i) => numbers.set(label, i));
  let next = labels.length;
  for (const { boxes } of shown) for (const { label } of boxes) if (!numbers.has(label)) numbers.set(label, next++);
  return numbers;
}

/** The labels of a model's classes, with the class's number where two have the same: a name in a file means one class. */
export function distinct(labels) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return labels.map((label, i) => (counts.get(label) > 1 ? `${label} ${i}` : label));
}

/** A file's name without what follows the last dot. */
export function stem(name) {
  return name.replace(/\.[^./]+$/, "") || name;
}

/** A name in one piece, where a data set has all images in one folder. */
export function flat(name) {
  return name.replaceAll("/", "__");
}

function rounded(number) {
  return Math.round(number * 100) / 100;
}

function quoted(value) {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function escaped(text) {
  return text.replace(/[&<>]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[letter]);
}

/** A name that is not taken yet, in whatever case, and is from now on: a number is put to it where it has to be. */
export function apart(name, taken) {
  const base = stem(name);
  let free = name;
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${base}-${i}${name.slice(base.length)}`;
  taken.add(free.toLowerCase());
  return free;
}
