// The token of a service that wants one: kept until the window closes, asked for where it is missing or wrong.

import { make } from "./elements.js";

const KEY = "boxless-token";
let known = null; // where the browser forbids to keep it
let asking = null; // the answer that is waited for, however many requests need it

/** The token, or null. */
export function token() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return known;
  }
}

function keep(text) {
  known = text;
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // then the next page asks again
  }
}

/** The value of the Authorization header: in UTF-8, a letter a byte, since headers take no others. */
export function bearer(text) {
  return `Bearer ${String.fromCharCode(...new TextEncoder().encode(text))}`;
}

/** Asks for a token; `refused` is the one that was wrong, or null. Resolves to whether one was given. */
export function askForToken(refused) {
  if (token() !== refused) return Promise.resolve(true); // another request has asked meanwhile
  asking ??= ask(refused).finally(() => (asking = null));
  return asking;
}

function ask(refused) {
  const field = make("input", { type: "password", autocomplete: "current-password", required: true, id: "token-text" });
  const wrong = make("p", { className: "problem", role: "alert", textContent: "The service does not know this token. Has it changed?" });
  const form = make(
    "form",
    { method: "dialog", id: "token-form" },
    make("h2", { id: "token-title", textContent: "This service asks for a token" }),
    make("p", { className: "quiet", textContent: "Whoever started it has set one (BOXLESS_TOKEN)." }),
    refused === null ? null : wrong,
    make("label", {}, "Token ", field),
    make("div", { className: "actions" }, make("button", { className: "primary", textContent: "Continue", value: "given" })),
  );
  const dialog = make("dialog", { id: "token", "aria-labelledby": "token-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      const given = dialog.returnValue === "given";
      if (given) keep(field.value.trim());
      dialog.remove();
      resolve(given);
    };
  });
}
