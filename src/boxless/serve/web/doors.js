// What comes in by dropping and pasting: images are taken, and everything else gets a sentence.

const VIDEO = /\.(mp4|webm|mov|m4v|ogv)$/i;
const SUFFIXES = /\.(jpe?g|png|webp|gif|bmp|avif|tiff?|jp2|ppm|pgm|ico|hei[cf])$/i;
const KINDS = [
  [/\.pdf$/i, "is a PDF: export its pages as PNG or JPEG, and add those"],
  [/\.(zip|tar|gz|tgz|7z|rar)$/i, "is an archive: unpack it, and drop its images or its folder"],
  [/\.(avi|mkv|wmv)$/i, "is a clip that browsers do not play (expected MP4 or WebM)"],
  [/\.onnx$/i, "is a model: start the page with it, boxless serve --model FILE"],
];

const paths = new WeakMap(); // of files from folders

/** Gives a file a name with its folders, "cats/1.jpg"; returns the file. */
export function placed(file, path) {
  paths.set(file, path);
  return file;
}

/** A file's name, with its folders where it came with them. */
export function pathOf(file) {
  return paths.get(file) ?? file.name;
}

/** What a file is taken as: "image", "clip", or a sentence that says why it is left out. */
function doorOf({ name, type }) {
  if (VIDEO.test(name) || (type.startsWith("video/") && !KINDS.some(([pattern]) => pattern.test(name)))) return "clip";
  const known = KINDS.find(([pattern]) => pattern.test(name));
  if (known) return `${name} ${known[1]}`;
  if (type.startsWith("image/") || type === "") return "image";
  return `${name || "That"} is not an image (expected JPEG, PNG, WebP, …)`;
}

/** Sorts files: { images, clips, refused: sentences }. Hidden files, which folders have many of, are left out silently. */
export function sorted(files) {
  const found = { images: [], clips: [], refused: [] };
  for (const file of files) {
    if (file.name.startsWith(".") || file.name === "Thumbs.db") continue;
    const door = doorOf(file);
    if (door === "image") found.images.push(file);
    else if (door === "clip") found.clips.push(file);
    else found.refused.push(door);
  }
  return found;
}

/** A few sentences in one text: the first, and how many more there are. */
export function inShort(sentences) {
  if (sentences.length < 3) return sentences.join(". ");
  return `${sentences[0]}. ${sentences.length - 1} more files were left out`;
}

/** The files of a folder and its sub-folders, by name. */
async function filesIn(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    entries.push(...some);
  }
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const files = [];
  for (const each of entries) {
    if (each.isDirectory) files.push(...(await filesIn(each)));
    else files.push(placed(await new Promise((resolve, reject) => each.file(resolve, reject)), each.fullPath.slice(1)));
  }
  return files;
}

/** Whether a file in a folder is an image: by its type, or by its suffix where the browser does not know the type. */
function isImage(file) {
  return doorOf(file) === "image" && (file.type !== "" || SUFFIXES.test(file.name));
}

/**
 * What was dropped or pasted: { files, refused: sentences }. In a folder, files that are no images are left out without
 * a word, unless there is nothing else.
 */
export async function received(transfer) {
  const items = [...transfer.items]; // which are gone after the first wait
  const entries = items.filter(({ kind }) => kind === "file").map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
  const texts = items.filter(({ kind }) => kind === "string").map(({ type }) => type);
  if (!entries.length && texts.length) return { files: [], refused: [refusedText(texts)] };
  const found = { files: [], refused: [] };
  for (const [entry, file] of entries) {
    if (!entry?.isDirectory) {
      if (file) found.files.push(file);
      continue;
    }
    try {
      const inside = (await filesIn(entry)).filter(isImage);
      if (!inside.length) found.refused.push(`${entry.name} is a folder without images (expected JPEG, PNG, WebP, …)`);
      found.files.push(...inside);
    } catch (error) {
      found.refused.push(`The folder ${entry.name} could not be read (${error.message})`);
    }
  }
  return found;
}

function refusedText(types) {
  if (types.includes("text/uri-list")) return "That is an address, and the page opens none: save the image, and drop its file";
  return "That is text (expected images: drop files, or paste an image)";
}
