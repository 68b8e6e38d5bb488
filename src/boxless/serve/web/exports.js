// What was found, in the formats that other programs read.
//
// shown: [{ name, found, predictions }], the predictions of each picture that are shown.

/** As `boxless locate --json` prints it: one object a picture. */
export function asJson(shown) {
  const told = shown.map(({ name, found, predictions }) => ({
    image: name,
    width: found.width,
    height: found.height,
    model: found.model,
    preset: found.preset,
    predictions: predictions.map(({ class_map: _, ...prediction }) => prediction),
  }));
  return JSON.stringify(told.length === 1 ? told[0] : told, null, 1) + "\n";
}

/** Files for YOLO, as [name, text]: one a picture, the classes numbered as in the model, and their names. */
export function asYolo(shown, labels) {
  const taken = new Set();
  const files = shown.map(({ name, found, predictions }) => {
    const lines = predictions.flatMap((prediction) =>
      prediction.boxes.map(({ box: [x0, y0, x1, y1] }) => {
        const shares = [(x0 + x1) / 2 / found.width, (y0 + y1) / 2 / found.height, (x1 - x0) / found.width, (y1 - y0) / found.height];
        return `${prediction.class_index} ${shares.map((share) => share.toFixed(6)).join(" ")}\n`;
      }),
    );
    return [apart(`labels/${stem(name)}.txt`, taken), lines.join("")];
  });
  return [...files, ["classes.txt", labels.join("\n") + "\n"]];
}

/** A COCO document; its categories are the classes that are there, under the model's numbers. */
export function asCoco(shown) {
  const categories = new Map();
  const annotations = [];
  const images = shown.map(({ name, found, predictions }, i) => {
    for (const prediction of predictions) {
      categories.set(prediction.class_index, { id: prediction.class_index, name: prediction.label });
      for (const { box: [x0, y0, x1, y1], score } of prediction.boxes) {
        const [width, height] = [x1 - x0, y1 - y0].map(rounded);
        annotations.push({
          id: annotations.length + 1, image_id: i + 1, category_id: prediction.class_index,
          bbox: [x0, y0, width, height], area: rounded(width * height), iscrowd: 0, score,
        }); // prettier-ignore
      }
    }
    return { id: i + 1, file_name: name, width: found.width, height: found.height };
  });
  const sorted = [...categories.values()].sort((one, other) => one.id - other.id);
  return JSON.stringify({ images, annotations, categories: sorted }, null, 1) + "\n";
}

/** A file's name without what follows the last dot. */
export function stem(name) {
  return name.replace(/\.[^.]+$/, "") || name;
}

function rounded(number) {
  return Math.round(number * 100) / 100;
}

/** A name that is not taken yet, in whatever case, and is from now on: a number is put to it where it has to be. */
export function apart(name, taken) {
  const base = stem(name);
  let free = name;
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${base}-${i}${name.slice(base.length)}`;
  taken.add(free.toLowerCase());
  return free;
}
