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
  const parts = picture.findings.map((finding) => told(finding, picture));
  const time = make("p", { className: "quiet took", textContent: took(picture.found.seconds) });
  become(place, [...parts, time]);
}

function told(finding, picture) {
  const asked = picture.asked.has(finding.class_index);
  const part = make("div", { className: "told" });
  if (finding.present) {
    part.append(make("p", { className: "name", textContent: finding.label }));
    part.append(make("p", { className: "sure", textContent: `${percent(finding.probability)} probable${places(finding)}` }));
  } else if (asked) {
    part.append(make("p", { className: "name", textContent: `No ${finding.label} here` }));
    part.append(make("p", { className: "sure", textContent: `${percent(finding.probability)} probable: too little to say where.` }));
  } else {
    part.append(make("p", { className: "name", textContent: "Nothing here" }));
    const likeliest = `that this model is sure of. Likeliest: ${finding.label}, ${percent(finding.probability)}.`;
    part.append(make("p", { className: "sure", textContent: likeliest }));
  }
  part.append(evidence(finding, picture.found.typical_evidence));
  return part;
}

function places(finding) {
  if (!finding.boxes.length) return ", no place";
  return finding.boxes.length > 1 ? `, in ${finding.boxes.length} places` : "";
}

function evidence(finding, typical) {
  const share = Math.min(1, Math.max(0, finding.evidence / typical));
  const bar = make("span");
  bar.style.width = `${share * 100}%`;
  const title = `The peak of the class's map, in logits; findings that are right have about ${typical.toFixed(1)}`;
  return make(
    "div",
    { className: "evidence", title },
    make("span", { textContent: "Evidence" }),
    make("span", { textContent: `${finding.evidence.toFixed(1)}, typically ${typical.toFixed(1)}` }),
    make("span", { className: "track", "aria-hidden": "true" }, bar),
  );
}

function took(seconds) {
  return seconds >= 1 ? `Took ${seconds.toFixed(1)} s` : `Took ${Math.round(seconds * 1000)} ms`;
}

/** The classes of a picture as buttons. */
export function showClasses(list, picture, show) {
  const rows = (picture.found?.findings ?? []).map((finding) => {
    const bar = make("span");
    bar.style.width = `${finding.probability * 100}%`;
    const button = make(
      "button",
      {
        type: "button",
        className: finding.present ? "" : "absent",
        "aria-pressed": picture.shown.includes(finding.class_index),
        onclick: () => show(finding.class_index),
      },
      make("span", { className: "name", textContent: finding.label }),
      make("span", { className: "percent", textContent: percent(finding.probability) }),
      finding.present ? null : make("span", { className: "hidden", textContent: "not here" }),
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
