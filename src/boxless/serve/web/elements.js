// Making elements in a line each, and the words that several of them have.

/** An element with properties, attributes (where a name has a dash, or is role) and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Gives an element other children, in place where they are alike: what is focused, pressed or read aloud stays the element
 * that it is, and a live region tells only what is new.
 */
export function become(place, children) {
  const [olds, news] = [[...place.childNodes], [...children]];
  news.forEach((child, i) => {
    const old = olds[i];
    if (!old) place.append(child);
    else if (old.nodeName !== child.nodeName) old.replaceWith(child);
    else if (old instanceof Text) {
      if (old.data !== child.data) old.data = child.data;
    } else {
      for (const { name } of [...old.attributes]) if (!child.hasAttribute(name)) old.removeAttribute(name);
      for (const { name, value } of child.attributes) {
        if (old.getAttribute(name) === value) continue;
        if (name === "style") old.style.cssText = value; // as an attribute the content security policy forbids it
        else old.setAttribute(name, value);
      }
      old.onclick = child.onclick;
      become(old, child.childNodes);
    }
  });
  for (const old of olds.slice(news.length)) old.remove();
}

/** The element of an id. */
export function the(id) {
  return document.getElementById(id);
}

export const SURE = 0.5; // a less probable class is said with a perhaps

/** The name of a class, with a perhaps where it is not probable. */
export function perhaps({ label, probability }) {
  return probability < SURE ? `Perhaps ${label}` : label;
}

/** 0.8329 as people read it: 83 %; never 0 or 100 where it is not. */
export function percent(share) {
  if (share > 0.995 && share < 1) return "> 99 %";
  if (share < 0.005) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}
