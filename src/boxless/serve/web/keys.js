// Keys that work wherever they mean nothing else: to the next image and back, take one away, undo.

/** Listens for them. `images()` and `editor()` give those of the page, once they are there; `remove(image)` takes one away. */
export function keys(images, editor, remove) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || !images()?.current || event.target.closest("dialog, [role=listbox]")) return;
    const undoes = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (event.target.closest(undoes ? "[type=search]" : "input, select")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (undoes) editor().undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (step || (event.target.closest("#table") && ["ArrowUp", "ArrowDown"].includes(event.key))) {
      images().step(step ?? { ArrowUp: -1, ArrowDown: 1 }[event.key]);
      focusOn(event.target);
    } else if (event.key === "Delete" && event.target.closest("#tray, #table, body > :not(main)")) {
      remove(images().current);
      focusOn(event.target);
    } else if (event.key === "Escape" && (editor().selected || editor().adding)) editor().select(null);
    else return;
    event.preventDefault();
  });
}

/** Keeps the focus with the images where it was in their row or table. */
function focusOn(target) {
  const place = target.closest("#tray, #table");
  if (!place) return;
  (place.querySelector("[aria-current=true]") ?? current() ?? document.querySelector("#empty button")).focus();
}

/** The current image in the row. */
function current() {
  return document.querySelector("#tray [aria-current=true]");
}

const FOCUSABLE = "button, input, select, a[href], [tabindex='0']";

function canFocus(element) {
  return element.isConnected && !element.disabled && element.checkVisibility();
}

/** Calls `render`; if it hides, disables or removes what has the focus, what is next to it gets the focus. */
export function keepingFocus(render) {
  const had = document.activeElement;
  const places = [];
  for (let place = had?.parentElement; place && place !== document.documentElement; place = place.parentElement) places.push(place);
  render();
  const now = document.activeElement;
  if (!places.length || canFocus(had) || (now !== had && now !== document.body)) return;
  for (const place of places.filter((each) => each.isConnected)) {
    const near = [...place.querySelectorAll(FOCUSABLE)].filter(canFocus);
    const next = near.find((each) => had.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING) ?? near[0];
    if (next) return next.focus();
    if (place.id === "stage" && current()) return current().focus();
  }
}
