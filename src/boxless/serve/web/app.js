// The page: who does what when something is dropped, clicked or typed.

import { openCamera } from "./camera.js";
import { Editor } from "./editor.js";
import { make, the } from "./elements.js";
import { open } from "./engine.js";
import { showClasses, showPresets, showVerdict } from "./panel.js";
import { Pictures } from "./pictures.js";
import { save } from "./save.js";
import { searchField } from "./search.js";
import { showStage, showTray } from "./stage.js";
import { showProgress, showTable } from "./table.js";
import { Zoom } from "./zoom.js";

let pictures = null; // until the page is ready
let editor = null;
let zoom = null;
let problem = ""; // why it never will be
const early = []; // files that came before
const look = { heat: 1, boxes: true };
let stood = null; // the image that the zoom belongs to

function render() {
  const picture = pictures.current;
  the("empty").hidden = Boolean(picture);
  the("work").hidden = !picture;
  if (!picture) return;
  if (picture !== stood) {
    stood = picture;
    editor.selected = null;
    zoom.fit();
  }
  redraw();
  showTray(the("tray"), pictures, { select: (each) => pictures.select(each), choose });
  showVerdict(the("verdict"), picture);
  showClasses(the("classes"), picture, (index) => pictures.show(index));
  the("legend").hidden = !picture.found?.predictions.some((prediction) => !prediction.detected);
  for (const id of ["controls", "class-choice", "preset-choice"]) the(id).hidden = picture.state === "failed";
  the("heat-control").hidden = picture.predictions.length > 0 && !picture.predictions.some((prediction) => prediction.class_map);
  showEditing(picture);
  const several = pictures.list.length > 1;
  the("table").hidden = the("doubt-control").hidden = !several;
  if (several) showTable(the("table").querySelector("tbody"), pictures, the("doubt").checked);
  const [bar, words, stop, goOn, clear] = ["bar", "progress", "stop", "go-on", "clear"].map(the);
  showProgress({ bar, words, stop, goOn, clear }, pictures);
  const any = pictures.list.some((each) => each.found);
  for (const button of document.querySelectorAll("[data-save]")) {
    button.disabled = button.dataset.save === "picture" ? !(picture.found && picture.drawable) : !any;
  }
}

/** What can be done to the boxes of an image now. */
function showEditing(picture) {
  const { selected, adding } = editor;
  the("editing").hidden = !picture.found || picture.state === "failed" || !look.boxes;
  the("box-add").setAttribute("aria-pressed", adding);
  the("box-remove").disabled = !selected;
  the("box-undo").disabled = !picture.annotations.canUndo;
  the("box-class-control").hidden = !selected;
  const hint = adding ? "Draw the box on the picture." : selected ? `${selected.label}: drag it or its corners.` : "Click a box to correct it.";
  if (the("box-hint").textContent !== hint) the("box-hint").textContent = hint;
}

function redraw() {
  const { several } = pictures;
  const handlers = { editor, several, retry: (failed) => pictures.retry(failed), remove: (failed) => pictures.remove(failed) };
  if (pictures.current) showStage(the("stage"), pictures.current, look, handlers);
  zoom.apply();
}

function showModel() {
  const { model, preset, engine } = pictures;
  showPresets(the("presets"), model, preset, (chosen) => pictures.lookWith(model, chosen));
  the("footer").replaceChildren(
    make("span", { textContent: `${model.name}: ${model.classes} classes` }),
    ...engine.links.map(([text, href]) => make("a", { href, textContent: text })),
  );
}

/** Looks with the model that is chosen, if it still is when its labels are there; stays with the present one if they fail. */
async function chooseModel() {
  const choice = the("model");
  const model = pictures.models.find(({ name }) => name === choice.value);
  let known;
  try {
    known = await pictures.engine.labels(model.name);
  } catch (error) {
    if (choice.value !== model.name) return;
    choice.value = pictures.model.name;
    return trouble(`${error.title}: ${error.message}`);
  }
  if (choice.value !== model.name || model === pictures.model) return;
  trouble("");
  pictures.labels = known;
  for (const picture of pictures.list) picture.shown = [];
  pictures.lookWith(model, pictures.preset in model.presets ? pictures.preset : model.defaults.preset);
  showModel();
}

function choose() {
  the("files").click();
}

/** Takes pictures to be looked at; those that come before the page is ready wait until it is. */
function added(files) {
  const images = [...files].filter((file) => file.type.startsWith("image/") || file.type === "");
  if (files.length && !images.length) trouble(`${files[0].name || "That"} is no picture (expected JPEG, PNG, WebP, …)`);
  else trouble("");
  if (pictures) return pictures.add(images);
  early.push(...images);
  the("early").textContent = early.length === 1 ? "The picture waits for the model" : `${early.length} pictures wait for the model`;
  the("early").hidden = !early.length || Boolean(problem);
}

/** What is dropped, without folders, which come as files that cannot be read. */
function dropped(items) {
  const files = [...items].filter((item) => item.kind === "file");
  const folder = (item) => item.webkitGetAsEntry()?.isDirectory;
  const found = files.find(folder)?.webkitGetAsEntry().name;
  added(files.filter((item) => !folder(item)).map((item) => item.getAsFile()));
  if (found) trouble(`${found} is a folder (expected pictures: drop those that are in it)`);
}

function trouble(text) {
  the("trouble").textContent = text || problem;
  the("trouble").hidden = !the("trouble").textContent;
}

/** Offers pictures, by their addresses, to those who have none at hand. */
function offer(addresses) {
  const tiles = addresses.map((address) => {
    const name = decodeURIComponent(address.split("/").pop());
    const take = async () => {
      const answer = await fetch(address).catch(() => null);
      if (!answer?.ok) return trouble(`${name} could not be loaded`);
      const picture = await answer.blob();
      added([new File([picture], name, { type: picture.type })]);
    };
    const small = make("img", { src: address, alt: name.replace(/\.[^.]*$/, "") });
    return make("li", {}, make("button", { type: "button", onclick: take }, small));
  });
  the("examples").querySelector("ul").replaceChildren(...tiles);
  the("examples").hidden = !tiles.length;
}

function listen() {
  for (const button of document.querySelectorAll("[data-do=choose]")) button.onclick = choose;
  for (const button of document.querySelectorAll("[data-do=camera]")) button.onclick = () => openCamera((file) => added([file]));
  for (const input of [the("files"), the("shot")]) {
    input.onchange = () => {
      added(input.files);
      input.value = "";
    };
  }
  for (const button of document.querySelectorAll("[data-save]")) {
    button.onclick = () => save(button.dataset.save, pictures, look);
  }
  the("heat").oninput = (event) => {
    look.heat = event.target.value / 100;
    redraw();
  };
  the("boxes").onchange = (event) => {
    look.boxes = event.target.checked;
    render();
  };
  the("compare").onchange = (event) => pictures.compare(event.target.checked);
  the("remove").onclick = () => pictures.remove(pictures.current);
  the("model").onchange = chooseModel;
  searchField(the("search"), the("matches"), () => pictures.labels, (index) => pictures.show(index));
  searchField(the("box-class"), the("box-classes"), () => pictures.labels, (index) => editor.relabel(pictures.labels[index]));
  the("box-add").onclick = () => editor.add(!editor.adding);
  the("box-remove").onclick = () => editor.remove();
  the("box-undo").onclick = () => editor.undo();
  the("stop").onclick = () => pictures.stop();
  the("go-on").onclick = () => pictures.goOn();
  the("clear").onclick = () => pictures.clear();
  the("doubt").onchange = render;
  zoom = new Zoom(the("stage"), (scale) => (the("zoom-out").disabled = the("zoom-fit").disabled = scale === 1));
  the("zoom-in").onclick = () => zoom.by(1.5);
  the("zoom-out").onclick = () => zoom.by(1 / 1.5);
  the("zoom-fit").onclick = () => zoom.fit();
  the("zoom-whole").onclick = () => zoom.whole(pictures.current.found?.width ?? 0);
  document.addEventListener("keydown", pressed);

  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) added(event.clipboardData.files);
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
    dropped(event.dataTransfer.items);
  });
}

/** Keys that work wherever they mean nothing else: to the next image and back, take one away, undo. */
function pressed(event) {
  if (!pictures?.current || event.target.closest("input, select, dialog, [role=listbox]")) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if ((event.ctrlKey || event.metaKey) && event.key === "z") editor.undo();
  else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (step) {
    pictures.step(step);
    focusOn(event.target);
  } else if (event.key === "Delete" && event.target.closest("#tray, #table, body > :not(main)")) {
    pictures.remove(pictures.current);
    focusOn(event.target);
  } else if (event.key === "Escape" && (editor.selected || editor.adding)) editor.select(null);
  else return;
  event.preventDefault();
}

/** Keeps the focus with the images where it was in their row or table. */
function focusOn(target) {
  const place = target.closest("#tray, #table");
  (place?.querySelector("[aria-current=true]") ?? place ?? document.body).focus();
}

async function start() {
  let engine;
  let known;
  try {
    engine = await open((text) => {
      the("privacy").textContent = text;
    });
    known = await engine.labels(engine.models[0].name);
  } catch (error) {
    problem = `${error.title ?? "The page cannot start"}: ${error.message}`;
    the("early").hidden = true;
    return trouble("");
  }
  pictures = new Pictures(engine);
  pictures.labels = known;
  editor = new Editor(pictures);
  pictures.addEventListener("change", render);
  the("privacy").textContent = engine.privacy;
  offer(engine.examples);
  the("model").replaceChildren(...engine.models.map(({ name }) => make("option", { value: name, textContent: name })));
  the("model-choice").hidden = engine.models.length < 2;
  showModel();
  the("early").hidden = true;
  pictures.add(early);
  document.body.dataset.ready = "true";
}

listen(); // before the model is there: a browser opens what is dropped on a page that does not listen
start();
