// What was found, in words: the verdict, the classes, the presets.

import { become, make, percent, perhaps, SURE } from "./elements.js";

/** Says what the shown classes are, or honestly that there is nothing. */
export function showVerdict(place, image) {
  if (image.state === "failed") {
    become(place, [make("p", { className: "sure", textContent: "No result for this image." })]);
    return;
  }
  if (!image.found) {
    become(place, [make("p", { className: "sure", textContent: image.state === "stopped" ? "Stopped." : "Working …" })]);
    return;
  }
  const parts = image.predictions.map((prediction) => described(prediction, image));
  const time = make("p", { className: "quiet took", textContent: took(image.found.seconds) });
  become(place, [...parts, time]);
}

function described(prediction, image) {
  const asked = image.asked.has(prediction.class_index);
  const sure = prediction.probability >= SURE;
  const part = make("div", { className: sure && prediction.detected ? "said" : "said weak" });
  const say = (name, rest) => part.append(make("p", { className: "name", textContent: name }), make("p", { className: "sure", textContent: rest }));
  if (prediction.detected) {
    say(perhaps(prediction), `${percent(prediction.probability)} probable${places(prediction, image)}`);
  } else if (asked) say(prediction.label, `${percent(prediction.probability)} probable, not located`);
  else say("No class detected", `Most probable: ${prediction.label}, ${percent(prediction.probability)}, not located`);
  part.append(activation(prediction, image.found.typical_activation));
  return part;
}

function places(prediction, image) {
  const boxes = image.annotations.of(prediction.label, prediction);
  const corrected = image.annotations.has(prediction.label) ? ", corrected by you" : "";
  const taken = !corrected && image.found.predictions.some((other) => other.probability > prediction.probability && other.boxes.length);
  if (!boxes.length) return `, no box${taken ? ": a more probable class has the place" : corrected}`;
  return `${boxes.length > 1 ? `, ${boxes.length} boxes` : ""}${corrected}`;
}

/** How strong the activation is beside that of right predictions, in words and as a bar. */
function activation(prediction, typical) {
  const share = Math.min(1, Math.max(0, prediction.activation / typical));
  const bar = make("span");
  bar.style.width = `${share * 100}%`;
  const words = share >= 0.85 ? "as strong as usual" : share >= 0.5 ? "weaker than usual" : share > 0 ? "much weaker than usual" : "none";
  const title = `Peak of the class map: ${prediction.activation.toFixed(1)} logits. Right predictions have about ${typical.toFixed(1)}.`;
  return make(
    "div",
    { className: "activation", title },
    make("span", { textContent: "Activation" }),
    make("span", { textContent: words }),
    make("span", { className: "track", "aria-hidden": "true" }, bar),
  );
}

function took(seconds) {
  return seconds >= 1 ? `Took ${seconds.toFixed(1)} s` : `Took ${Math.round(seconds * 1000)} ms`;
}

/** The classes of an image as buttons. */
export function showClasses(list, image, show) {
  const rows = (image.found?.predictions ?? []).map((prediction) => {
    const bar = make("span");
    bar.style.width = `${prediction.probability * 100}%`;
    const button = make(
      "button",
      {
        type: "button",
        className: prediction.detected ? "" : "absent",
        "aria-pressed": image.shown.includes(prediction.class_index),
        onclick: () => show(prediction.class_index),
      },
      make("span", { className: "name", textContent: prediction.label }),
      make("span", { className: "percent", textContent: percent(prediction.probability) }),
      prediction.detected ? null : make("span", { className: "hidden", textContent: "not located" }),
      make("span", { className: "track", "aria-hidden": "true" }, bar),
    );
    return make("li", {}, button);
  });
  become(list, rows);
}

const PRESETS = {
  fast: "One pass over the image: the quickest, with coarser boxes.",
  balanced: "Two passes at different scales: closer boxes, at a few times the work.",
  best: "Passes up to the largest scale: the closest boxes, and the slowest.",
};

/** The presets of a model as one choice, the chosen one in a sentence. */
export function showPresets(place, words, model, preset, choose) {
  const choices = Object.keys(model.presets).map((name) =>
    make(
      "label",
      {},
      make("input", { type: "radio", name: "preset", value: name, checked: name === preset, onchange: () => choose(name) }),
      name,
    ),
  );
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...choices);
  if (focused) place.querySelector(":checked").focus();
  const { scales } = model.presets[preset];
  words.textContent = `${PRESETS[preset] ?? ""} Input side${scales.length > 1 ? "s" : ""}: ${scales.join(", ")} pixels.`.trim();
}
