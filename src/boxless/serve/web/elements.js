// Making elements in a line each.

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

/** The element of an id. */
export function the(id) {
  return document.getElementById(id);
}

/** 0.8329 as people read it: 83 %; never 0 or 100 where it is not. */
export function percent(share) {
  if (share > 0.995 && share < 1) return "> 99 %";
  if (share < 0.005) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}
