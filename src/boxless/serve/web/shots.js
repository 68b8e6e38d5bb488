// The shots of clips: from where to where each goes, and what is most often in it.

import { become, make } from "./elements.js";

/** 75.2 as people read it: 1:15.2. */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

/** What is detected in most of some images, and in how many; null where nothing is. */
function mostFrequent(images) {
  const counts = new Map();
  for (const { found } of images) {
    const best = found?.predictions[0];
    if (best?.detected) counts.set(best.label, (counts.get(best.label) ?? 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1])[0] ?? null;
}

function row(shot, select) {
  const [first, last] = [shot[0].frame, shot.at(-1).frame];
  const most = mostFrequent(shot);
  const time = `${clock(first.seconds)} to ${clock(last.seconds)}`;
  const name = make("button", { type: "button", textContent: time, onclick: () => select(shot[0]) });
  const what = most ? `${most[0]} (${most[1]} of ${shot.length} frames)` : `no class detected (${shot.length} frames)`;
  return make("tr", {}, make("td", {}, name), make("td", { textContent: first.clip }), make("td", { textContent: what }));
}

/** Fills the table of shots; says whether there are any. */
export function showShots(body, images, select) {
  const shots = new Map();
  for (const image of images.list) {
    if (!image.frame) continue;
    const key = JSON.stringify([image.frame.clip, image.frame.shot]);
    shots.set(key, [...(shots.get(key) ?? []), image]);
  }
  become(body, [...shots.values()].map((shot) => row(shot, select))); // prettier-ignore
  return shots.size > 0;
}
