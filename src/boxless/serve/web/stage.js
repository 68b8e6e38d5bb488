// The picture with what was found drawn over it, or why there is none.

import { drawFinding } from "./drawing.js";
import { become, make, percent } from "./elements.js";

const [LEAST, MOST] = [1200, 1600]; // pixels of a drawing's longer side on the page

/** What one reads below a drawing. */
function caption(finding) {
  if (!finding.present) return [make("strong", { textContent: `No ${finding.label}` }), " that this model would call one"];
  const parts = [make("strong", { textContent: finding.label }), ` ${percent(finding.probability)}`];
  if (finding.boxes.length > 1) parts.push(`, ${finding.boxes.length} boxes`);
  return parts;
}

/** What a drawing shows, for those who do not see it. */
function described(name, finding) {
  if (!finding) return name;
  if (!finding.present) return `${name}: no ${finding.label}`;
  if (!finding.box) return `${name}: ${finding.label}, ${percent(finding.probability)}, without a box`;
  const [left, top, right, bottom] = finding.box.map(Math.round);
  return `${name}: ${finding.label}, ${percent(finding.probability)}, from left ${left}, top ${top} to right ${right}, bottom ${bottom}`;
}

let drawn = []; // what the drawing on the stage depends on

/**
 * Shows a picture on the stage.
 *
 * look: { heat, boxes }, see drawing.js. retry and remove are called from the message about a picture that failed.
 */
export function showStage(stage, picture, look, { retry, remove }) {
  const busy = picture.state === "waiting" || picture.state === "working";
  if (picture.state === "failed") {
    drawn = [];
    stage.setAttribute("aria-busy", false);
    become(stage, [failure(picture, retry, remove)]);
    return;
  }
  if (picture.drawable && !picture.image) return; // it is opened again: what is there stays for that moment
  const depends = [picture, picture.image, picture.found, busy, look.heat, look.boxes, ...picture.findings];
  if (depends.length === drawn.length && depends.every((each, i) => each === drawn[i])) return;
  drawn = depends;
  stage.setAttribute("aria-busy", busy);
  const findings = picture.findings.length ? picture.findings : [null];
  stage.replaceChildren(...findings.map((finding, rank) => figure(picture, finding, { ...look, rank }, findings.length > 1)));
  if (busy) stage.firstChild.append(make("div", { className: "busy" }));
}

function figure(picture, finding, look, captioned) {
  if (!picture.image) return make("figure", {}, make("p", { className: "message", textContent: "Opening the picture …" }));
  const longer = Math.max(picture.image.width, picture.image.height);
  const scale = Math.min(MOST / longer, Math.max(1, LEAST / longer));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(picture.image.width * scale)),
    height: Math.max(1, Math.round(picture.image.height * scale)),
    role: "img",
    "aria-label": described(picture.name, finding),
  });
  drawFinding(canvas, picture.image, picture.found, finding, look);
  const words = captioned && finding ? make("figcaption", {}, ...caption(finding)) : null;
  return make("figure", {}, canvas, words);
}

function failure(picture, retry, remove) {
  const { title, message, again } = picture.error;
  return make(
    "div",
    { className: "message", role: "alert" },
    make("h2", { textContent: title ?? "This picture could not be read" }),
    make("p", { textContent: message }),
    make(
      "div",
      { className: "actions" },
      again ? make("button", { className: "primary", textContent: "Try again", onclick: () => retry(picture) }) : null,
      make("button", { textContent: "Remove it", onclick: () => remove(picture) }),
    ),
  );
}

/** The pictures in a row, and a place to add more. */
export function showTray(tray, pictures, { select, choose }) {
  const tiles = pictures.list.map((picture) => {
    const mark = picture.url
      ? make("img", { src: picture.url, alt: "" })
      : make("span", { className: "mark", textContent: picture.state === "failed" ? "!" : "…" });
    const button = make(
      "button",
      {
        type: "button",
        className: picture.state,
        title: picture.name,
        "aria-label": picture.state === "failed" ? `${picture.name}, could not be read` : picture.name,
        "aria-current": picture === pictures.current,
        onclick: () => select(picture),
      },
      mark,
    );
    return make("li", {}, button);
  });
  const more = make(
    "button",
    { type: "button", "aria-label": "Add pictures", title: "Add pictures", onclick: choose },
    make("span", { className: "mark", textContent: "+" }),
  );
  become(tray, [...tiles, make("li", {}, more)]);
}
