// The page: what is shown, and who does what when something is clicked.

import { offerBeside } from "./beside.js";
import { openCamera } from "./camera.js";
import { frames } from "./clips.js";
import { inShort, placed, received, sorted } from "./doors.js";
import { Editor } from "./editor.js";
import { make, the } from "./elements.js";
import { open } from "./engine.js";
import { Gallery } from "./gallery.js";
import { keepingFocus, keys } from "./keys.js";
import { showClasses, showPresets, showVerdict } from "./panel.js";
import { PageImages } from "./page_images.js";
import { save } from "./save.js";
import { searchField } from "./search.js";
import { showShots } from "./shots.js";
import { showStage } from "./stage.js";
import { remember, remembered, Store } from "./store.js";
import { Strip } from "./strip.js";
import { showProgress, Table } from "./table.js";
import { Zoom } from "./zoom.js";

let images = null; // until the page is ready
let editor = null;
let zoom = null;
let strip = null;
let table = null;
let store = null;
let gallery = null; // where the service shows a folder
let atFolder = false;
let problem = ""; // what stays wrong
const early = []; // files that came before
const look = { heat: 1, boxes: true };
let stood = null; // the image that the zoom belongs to
let cutting = new AbortController(); // of clips

function render() {
  keepingFocus(show);
}

function show() {
  const image = images.current;
  const inFolder = Boolean(gallery) && (atFolder || !image);
  the("folder").hidden = !inFolder;
  the("to-folder").hidden = !gallery;
  the("from-folder").hidden = !image;
  the("empty").hidden = Boolean(image) || inFolder;
  the("work").hidden = !image || inFolder;
  if (!image || inFolder) return;
  if (image !== stood) {
    stood = image;
    editor.selected = null;
    zoom.fit();
  }
  redraw();
  strip.show(images);
  showVerdict(the("verdict"), image);
  showClasses(the("classes"), image, showClass);
  the("legend").hidden = !image.found?.predictions.some((prediction) => !prediction.detected);
  for (const id of ["controls", "class-choice", "preset-choice"]) the(id).hidden = image.state === "failed";
  the("heat-control").hidden = image.predictions.length > 0 && !image.predictions.some((prediction) => prediction.class_map);
  showEditing(image);
  const several = images.list.length > 1;
  the("work").classList.toggle("several", several);
  for (const id of ["table", "order-control", "everywhere-control", "clear"]) the(id).hidden = !several;
  if (several) table.show(images);
  the("shots").hidden = !showShots(the("shots").querySelector("tbody"), images, (each) => images.select(each));
  const [bar, words, stop, goOn] = ["bar", "progress", "stop", "go-on"].map(the);
  showProgress({ bar, words, stop, goOn }, images);
  const any = images.list.some((each) => each.found);
  the("corrected-control").hidden = !images.list.some((each) => each.annotations.corrected);
  for (const button of document.querySelectorAll("[data-save]")) {
    button.disabled = button.dataset.save === "image" ? !(image.found && image.drawable) : !any;
  }
}

/** What can be done to the boxes of an image now. */
function showEditing(image) {
  const { selected, adding } = editor;
  the("editing").hidden = !image.found || image.state === "failed" || !look.boxes;
  the("box-add").setAttribute("aria-pressed", adding);
  the("box-remove").disabled = !selected;
  the("box-undo").disabled = !image.annotations.canUndo;
  the("box-class-control").hidden = !selected;
  the("box-keys").hidden = !selected;
  const hint = adding ? "Draw the box on the image." : selected ? `${selected.label}: drag it or its corners.` : image.boxes.length ? "Select a box to correct it." : "No box here; add one if something is missing.";
  if (the("box-hint").textContent !== hint) the("box-hint").textContent = hint;
}

/** Shows a class of the image, or of all where that is wanted. */
function showClass(index) {
  trouble("");
  images.show(index, images.list.length > 1 && the("everywhere").checked);
}

function redraw() {
  const handlers = { editor, retry: (failed) => images.retry(failed), remove };
  if (images.current) showStage(the("stage"), images, look, handlers);
  zoom.apply();
}

function showModel() {
  const { model, preset, engine } = images;
  showPresets(the("presets"), the("preset-words"), model, preset, (chosen) => useWay(model, chosen));
  the("model").value = model.name;
  the("footer").replaceChildren(
    make("span", { textContent: `${model.name}: ${model.classes} classes` }),
    ...engine.links.map(([text, href]) => make("a", { href, textContent: text })),
  );
  offerBeside(the("compare"), images, failed);
}

function useWay(model, preset) {
  trouble("");
  if (images.beside?.model === model && images.beside.preset === preset) images.compare(false);
  images.useWay(model, preset);
  showModel();
  remember({ model: model.name, preset });
}

/** Goes over to the model that is chosen, if it still is when its labels are there; stays with the present one if they fail. */
async function chooseModel() {
  const choice = the("model");
  const model = images.models.find(({ name }) => name === choice.value);
  let known;
  try {
    known = await images.engine.labels(model.name);
  } catch (error) {
    if (choice.value !== model.name) return;
    choice.value = images.model.name;
    return failed(error);
  }
  if (choice.value !== model.name || model === images.model) return;
  images.labels = known;
  if (images.beside) images.compare(false);
  useWay(model, images.preset in model.presets ? images.preset : model.defaults.preset);
}

function choose() {
  the("files").click();
}

/** Takes files; those that come before the page is ready wait until it is. `refused` are sentences about others. */
function added(files, refused = []) {
  const { images: stills, clips, refused: more } = sorted(files);
  trouble(inShort([...refused, ...more]));
  if (images) {
    if (files.length) atFolder = false;
    images.add(stills);
    return clips.forEach(cut);
  }
  early.push(...stills, ...clips);
  the("early").textContent = early.length === 1 ? "The image waits for the model" : `${early.length} images wait for the model`;
  the("early").hidden = !early.length || Boolean(problem);
}

/** Takes no more frames of the clips that are being cut. */
function stopCutting() {
  cutting.abort();
  cutting = new AbortController();
}

/** Whether images may be removed: asks, where corrections would be lost. */
function mayRemove(some) {
  const corrected = some.filter(({ annotations }) => annotations.corrected).length;
  if (!corrected) return true;
  const what = some.length === 1 ? "this image" : some.length === corrected ? `${corrected} images` : `all images, ${corrected} of them`;
  return confirm(`Remove ${what} with corrected boxes?`);
}

function remove(image) {
  if (mayRemove([image])) images.remove(image);
}

/** Adds the frames of a clip. */
async function cut(clip) {
  try {
    await frames(clip, (file, at) => images.add([file], at), cutting.signal);
  } catch (error) {
    trouble(`${clip.name} could not be played in this browser: ${error.message}`);
  }
}

/** Opens an image of the folder on the service's machine, once. */
function openOfFolder(file, name) {
  const known = images.list.find((image) => image.name === name && image.file.size === file.size);
  if (!known) return added([placed(file, name)]);
  atFolder = false;
  images.select(known);
}

async function transferred(transfer) {
  const { files, refused } = await received(transfer);
  added(files, refused);
}

function failed(error) {
  trouble(`${error.title ?? "That failed"}: ${error.message}`);
}

function trouble(text) {
  the("trouble").textContent = text || problem;
  the("trouble").hidden = !the("trouble").textContent;
}

/** Offers images, by their addresses, to those who have none at hand. */
function offer(addresses) {
  const tiles = addresses.map((address) => {
    const name = decodeURIComponent(address.split("/").pop());
    const take = async () => {
      const answer = await fetch(address).catch(() => null);
      if (!answer?.ok) return trouble(`${name} could not be loaded`);
      const image = await answer.blob();
      added([new File([image], name, { type: image.type })]);
    };
    const small = make("img", { src: address, alt: name.replace(/\.[^.]*$/, "") });
    return make("li", {}, make("button", { type: "button", onclick: take }, small));
  });
  the("examples").querySelector("ul").replaceChildren(...tiles);
  the("examples").hidden = !tiles.length;
}

function listen() {
  for (const button of document.querySelectorAll("[data-do=choose]")) button.onclick = choose;
  for (const button of document.querySelectorAll("[data-do=camera]")) button.onclick = () => openCamera((file) => added([file]), images);
  for (const input of [the("files"), the("shot")]) {
    input.onchange = () => {
      added(input.files);
      input.value = "";
    };
  }
  for (const button of document.querySelectorAll("[data-save]")) {
    button.onclick = () => save(button.dataset.save, images, look, !the("corrected-control").hidden && the("corrected").checked);
  }
  the("heat").oninput = (event) => {
    look.heat = event.target.value / 100;
    redraw();
  };
  the("boxes").onchange = (event) => {
    look.boxes = event.target.checked;
    render();
  };
  the("remove").onclick = () => remove(images.current);
  the("model").onchange = chooseModel;
  searchField(the("search"), the("matches"), () => images.labels, showClass);
  searchField(the("box-class"), the("box-classes"), () => images.labels, (index) => editor.relabel(images.labels[index]));
  the("box-add").onclick = ({ detail }) => (detail ? editor.add(!editor.adding) : editor.addInMiddle()); // 0: by the keyboard
  the("box-remove").onclick = () => editor.remove();
  the("box-undo").onclick = () => editor.undo();
  the("stop").onclick = () => {
    stopCutting();
    images.stop();
  };
  the("go-on").onclick = () => images.goOn();
  the("clear").onclick = () => {
    if (!mayRemove(images.list)) return;
    stopCutting();
    images.clear();
  };
  the("order").onchange = (event) => {
    images.order = event.target.value;
    the("table").scrollTop = the("tray-scroller").scrollLeft = 0; // what comes first is what one wants to see
    render();
  };
  the("to-folder").onclick = () => {
    atFolder = true;
    render();
    gallery.comeBack();
  };
  the("from-folder").onclick = () => {
    atFolder = false;
    render();
  };
  the("fullscreen").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : the("work").requestFullscreen());
  the("fullscreen").hidden = !document.fullscreenEnabled;
  document.addEventListener("fullscreenchange", () => {
    the("fullscreen").setAttribute("aria-pressed", Boolean(document.fullscreenElement));
    zoom.fit();
  });
  zoom = new Zoom(the("stage"), (scale) =>
    keepingFocus(() => {
      the("zoom-out").disabled = scale <= 1;
      the("zoom-fit").disabled = scale === 1;
    }),
  );
  the("zoom-in").onclick = () => zoom.by(1.5);
  the("zoom-out").onclick = () => zoom.by(1 / 1.5);
  the("zoom-fit").onclick = () => zoom.fit();
  the("zoom-whole").onclick = () => {
    const size = images.current.found ?? images.current.size;
    if (size) zoom.whole(size);
  };
  keys(() => images, () => editor, remove);

  document.addEventListener("paste", (event) => {
    if (!event.target.closest("input, textarea")) transferred(event.clipboardData);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    transferred(event.dataTransfer);
  });
}

/** The model and preset that were chosen when the page was closed, where they are still there. */
function lastWay(models) {
  const { model: name, preset } = remembered();
  const model = models.find((each) => each.name === name);
  return model && preset in model.presets ? { model, preset } : {};
}

async function start() {
  let engine;
  let way;
  let known;
  try {
    engine = await open((text) => {
      the("privacy").textContent = text;
    });
    way = lastWay(engine.models);
    known = await engine.labels((way.model ?? engine.models[0]).name);
  } catch (error) {
    problem = `${error.title ?? "The page cannot start"}: ${error.message}`;
    the("early").hidden = true;
    return trouble("");
  }
  store = new Store(({ message }) => {
    problem = `This browser keeps nothing, so a reload loses the images and corrections (${message})`;
    trouble("");
  });
  images = Object.assign(new PageImages(engine), way, { labels: known });
  editor = new Editor(images);
  const select = (image) => images.select(image);
  strip = new Strip(the("tray-scroller"), the("tray"), select);
  table = new Table(the("table"), select);
  const kept = await store.restore(engine.models);
  store.knows(kept);
  images.addEventListener("change", () => {
    render();
    store.changed(() => images.list);
  });
  images.addEventListener("trouble", ({ error }) => {
    offerBeside(the("compare"), images, failed);
    failed(error);
  });
  addEventListener("pagehide", () => store.flush(images.list));
  the("privacy").textContent = engine.privacy;
  offer(engine.examples);
  the("model").replaceChildren(...engine.models.map(({ name }) => make("option", { value: name, textContent: name })));
  the("model-choice").hidden = engine.models.length < 2;
  showModel();
  the("early").hidden = true;
  if (engine.folder) {
    gallery = new Gallery(engine, { open: openOfFolder, failed });
    atFolder = true;
    render();
    await gallery.refresh();
  }
  images.put(kept);
  added(early);
  document.body.dataset.ready = "true";
}

the("unstarted").remove();
listen(); // before the model is there: a browser opens what is dropped on a page that does not listen
start();
