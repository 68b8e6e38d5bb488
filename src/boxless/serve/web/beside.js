// What can stand beside the present result: a second class, another preset, another model.

import { make } from "./elements.js";

/** Offers it in a select element; `failed(error)` is called where a model's labels cannot be had. */
export function offerBeside(select, images, failed) {
  const { model, preset, models, beside, several, engine } = images;
  const presets = Object.keys(model.presets).filter((each) => each !== preset).map((each) => [`preset ${each}`, model, each]);
  const others = models.filter((each) => each !== model).map((each) => [each.name, each, preset in each.presets ? preset : each.defaults.preset]);
  const ways = [...presets, ...others];
  const choices = [["nothing", "none"], ["a second class", "class"], ...ways.map(([text], i) => [text, String(i)])];
  select.replaceChildren(...choices.map(([textContent, value]) => make("option", { textContent, value })));
  const chosen = ways.findIndex(([, other, its]) => beside?.model === other && beside.preset === its);
  select.value = several ? "class" : chosen < 0 ? "none" : String(chosen);
  select.onchange = async () => {
    const way = ways[select.value];
    if (!way) return images.compare(select.value === "class");
    const [, other, its] = way;
    try {
      images.compare(false, { model: other, preset: its, labels: await engine.labels(other.name) });
    } catch (error) {
      select.value = "none";
      failed(error);
    }
  };
}
