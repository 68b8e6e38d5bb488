// A field to search for any class: what fits is listed while one types. After the combobox pattern of the ARIA guide.

import { make } from "./elements.js";

const MOST = 8;

/** The classes that fit a text, as [index, label]: with it as a word, beginning with it, with words that do, then the rest. */
export function matching(labels, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const rank = (label) => {
    const words = label.split(/[\s-]+/);
    if (label === wanted) return 0;
    if (words.includes(wanted)) return 1;
    if (label.startsWith(wanted)) return 2;
    return words.some((word) => word.startsWith(wanted)) ? 3 : 4;
  };
  return labels
    .map((label, index) => [index, label])
    .filter(([, label]) => label.toLowerCase().includes(wanted))
    .sort((one, other) => rank(one[1].toLowerCase()) - rank(other[1].toLowerCase()) || one[0] - other[0])
    .slice(0, MOST);
}

/** Makes a field and its list work. `labels()` gives the model's classes; `choose(index)` is called with one of them. */
export function searchField(input, list, labels, choose) {
  let found = [];
  let active = -1;

  function render() {
    const rows = found.map(([, label], i) =>
      make("li", {
        role: "option",
        id: `${list.id}-${i}`,
        textContent: label,
        "aria-selected": i === active,
        onpointerdown: (event) => {
          event.preventDefault();
          take(i);
        },
      }),
    );
    const none = make("li", { className: "none", role: "option", "aria-disabled": "true", textContent: "No class of that name" });
    list.replaceChildren(...(rows.length ? rows : [none]));
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", !list.hidden);
    if (!list.hidden) list.scrollIntoView({ block: "nearest" });
    if (active >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${active}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(i) {
    const [index] = found[i];
    close();
    choose(index);
  }

  function close() {
    input.value = "";
    found = [];
    active = -1;
    render();
  }

  input.addEventListener("input", () => {
    found = matching(labels(), input.value);
    active = found.length ? 0 : -1;
    render();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      active = (active + step + found.length) % found.length;
      render();
    } else if (event.key === "Enter" && active >= 0) take(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
}
