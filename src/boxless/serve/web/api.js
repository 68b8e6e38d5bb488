// The OpenAPI document, for people.

import { make, the } from "./elements.js";
import { ask } from "./engine.js";

/** A table of names, their types, and what they are. */
function table(rows) {
  const cells = (row) => row.map((text, i) => make("td", {}, i ? text : make("code", { textContent: text })));
  return make("div", { className: "scrolls", tabIndex: 0, role: "region", "aria-label": "Options" },
    make("table", {}, make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))))); // prettier-ignore
}

/** Text in which what stands between backticks is code. */
function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? make("code", { textContent: part }) : part));
}

function kind(schema) {
  const range = schema.minimum !== undefined ? `, ${schema.minimum} to ${schema.maximum}` : "";
  const start = schema.default !== undefined ? `, ${schema.default} where it is left out` : "";
  return `${schema.type}${range}${start}`;
}

function route(method, path, { summary, description, parameters = [], requestBody, responses }) {
  const bodies = Object.keys(requestBody?.content ?? {});
  const answers = Object.keys(responses?.[200]?.content ?? {});
  const options = parameters.filter((each) => each.in === "query");
  return make(
    "section",
    { className: "route" },
    make("h2", {}, make("span", { className: "method", textContent: method.toUpperCase() }), " ", make("code", { textContent: path })),
    make("p", { textContent: summary }),
    description ? make("p", { className: "quiet" }, ...prose(description)) : null,
    options.length ? table(options.map((each) => [each.name, kind(each.schema), each.description])) : null,
    bodies.length ? make("p", { className: "quiet", textContent: `Takes ${bodies.join(", ")}` }) : null,
    answers.length ? make("p", { className: "quiet", textContent: `Gives ${answers.join(", ")}` }) : null,
  );
}

the("example").textContent = `curl -F image=@cat.jpg ${location.origin}/v1/locate
curl -F image=@cat.jpg -H 'Accept: image/jpeg' ${location.origin}/v1/locate -o found.jpg`;

try {
  const { paths } = await (await ask("openapi.json")).json();
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => route(method, path, told)),
  );
  the("routes").replaceChildren(...routes);
} catch (error) {
  the("routes").replaceChildren(make("p", { className: "notice", textContent: `${error.title}: ${error.message}` }));
}
