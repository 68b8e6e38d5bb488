// What was found, in words: the verdict, the classes, how closely to look.

import { become, make, percent } from "./elements.js";

/** Says what the shown classes are, or honestly that there is nothing. */
export function showVerdict(place, picture) {
  if (picture.state === "failed") {
    become(place, [make("p", { className: "sure", textContent: "Nothing can be said of this picture." })]);
    return;
  }
  if (!picture.found) {
    become(place, [make("p", { className: "sure", textContent: "Looking …" })]);
    return;
  }
  const parts = picture.predictions.map((prediction) => told(prediction, picture));
  const time = make("p", { className: "quiet took", textContent: took(picture.found.seconds) });
  become(place, [...parts, time]);
}

function told(prediction, picture) {
  const asked = picture.asked.has(prediction.class_index);
  const part = make("div", { className: "told" });
  if (prediction.detected) {
    part.append(make("p", { className: "name", textContent: prediction.label }));
    part.append(make("p", { className: "sure", textContent: `${percent(prediction.probability)} probable${places(prediction)}` }));
  } else if (asked) {
    part.append(make("p", { className: "name", textContent: prediction.label }));
    part.append(make("p", { className: "sure", textContent: `${percent(prediction.probability)} probable, not located.` }));
  } else {
    part.append(make("p", { className: "name", textContent: "No class detected" }));
    const likeliest = `Most probable: ${prediction.label}, ${percent(prediction.probability)}, not located.`;
    part.append(make("p", { className: "sure", textContent: likeliest }));
  }
  part.append(activation(prediction, picture.found.typical_activation));
  return part;
}

function places(prediction) {
  if (!prediction.boxes.length) return ", no box of its own";
  return prediction.boxes.length > 1 ? `, in ${prediction.boxes.length} places` : "";
}

function activation(prediction, typical) {
  const share = Math.min(1, Math.max(0, prediction.activation / typical));
  const bar = make("span");
  bar.style.width = `${share * 100}%`;
  const title = `The peak of the class's map, in logits; predictions that are right have about ${typical.toFixed(1)}`;
  return make(
    "div",
    { className: "activation", title },
    make("span", { textContent: "Activation" }),
    make("span", { textContent: `${prediction.activation.toFixed(1)}, typically ${typical.toFixed(1)}` }),
    make("span", { className: "track", "aria-hidden": "true" }, bar),
  );
}

function took(seconds) {
  return seconds >= 1 ? `Took ${seconds.toFixed(1)} s` : `Took ${Math.round(seconds * 1000)} ms`;
}

/** The classes of a picture as buttons. */
export function showClasses(list, picture, show) {
  const rows = (picture.found?.predictions ?? []).map((prediction) => {
    const bar = make("span");
    bar.style.width = `${prediction.probability * 100}%`;
    const button = make(
      "button",
      {
        type: "button",
        className: prediction.detected ? "" : "absent",
        "aria-pressed": picture.shown.includes(prediction.class_index),
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

/** The presets of a model as one choice. */
export function showPresets(place, model, preset, choose) {
  const choices = Object.keys(model.presets).map((name) =>
    make(
      "label",
      {},
      make("input", { type: "radio", name: "preset", value: name, checked: name === preset, onchange: () => choose(name) }),
      name,
    ),
  );
  place.replaceChildren(...choices);
}
