// All images in a table: what was found in each, at a glance; sorted as added, or by doubt.

import { become, make, percent } from "./elements.js";

/** How doubtful an image's result is: failed ones first, then by falling probability of the best class. */
function certainty(picture) {
  if (picture.state === "failed") return -1;
  return picture.predictions[0]?.probability ?? 2;
}

function row(picture, pictures) {
  const best = picture.predictions[0];
  const size = picture.found ? `${picture.found.width} × ${picture.found.height}` : "";
  const corrected = picture.annotations.corrected;
  const state = { waiting: "waits", working: "working …", failed: "could not be read", stopped: "stopped" }[picture.state];
  const name = make("button", {
    type: "button",
    textContent: picture.name,
    "aria-current": picture === pictures.current,
    "data-name": picture.name,
    onclick: () => pictures.select(picture),
  });
  const cells = [
    make("td", { className: "name" }, name),
    make("td", { textContent: size }),
    make("td", { textContent: state ?? best?.label ?? "", className: best && !best.detected ? "absent" : "" }),
    make("td", { textContent: best && !state ? percent(best.probability) : "" }),
    make("td", { textContent: picture.found ? `${picture.boxes.length}${corrected ? " ✓" : ""}` : "" }),
    make("td", { textContent: picture.found ? `${picture.found.seconds.toFixed(2)} s` : "" }),
  ];
  return make("tr", { className: picture.state }, ...cells);
}

/** Fills the table's body; `byDoubt` puts the doubtful first. */
export function showTable(body, pictures, byDoubt) {
  const list = byDoubt ? [...pictures.list].sort((one, other) => certainty(one) - certainty(other)) : pictures.list;
  become(body, list.map((picture) => row(picture, pictures))); // prettier-ignore
}

/** Says how far it is, and which of the buttons beside that make sense. */
export function showProgress({ bar, words, stop, goOn, clear }, pictures) {
  const { done, all, seconds } = pictures.progress;
  const [failed, stopped] = ["failed", "stopped"].map((state) => pictures.list.filter((picture) => picture.state === state).length);
  const busy = done < all;
  bar.hidden = !busy;
  [bar.max, bar.value] = [Math.max(1, all), done];
  const rest = seconds >= 2 ? `, about ${duration(seconds)} left` : "";
  const bad = [failed ? `${failed} failed` : "", stopped ? `${stopped} stopped` : ""].filter(Boolean).join(", ");
  const text = busy ? `${done} of ${all}${rest}` : `${all} ${all === 1 ? "image" : "images"}${bad ? `, ${bad}` : ""}`;
  if (words.textContent !== text) words.textContent = text;
  stop.hidden = !busy;
  goOn.hidden = busy || !pictures.list.some((picture) => picture.state === "stopped" || picture.error?.again);
  goOn.textContent = stopped ? "Go on" : "Try failed ones again";
  clear.hidden = all < 2;
}

function duration(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
