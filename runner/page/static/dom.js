// @ts-check
// Elements out of texts. Texts are foreign (prompts, file names, an API's messages), so they are only ever text.

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string | null)} children
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button. @param {string} text @param {() => void} act @param {Record<string, string>} [attributes] */
export function button(text, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A line to type, with a button that copies it. @param {string} line */
export function command(line) {
  return element("span", { class: "command" }, element("code", {}, line), copying(line, "Copy"));
}

/** A button that copies a text. @param {string} text @param {string} name */
export function copying(text, name) {
  const copy = button(name, async () => {
    const done = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Select it");
    copy.textContent = done;
    say(done);
  });
  return copy;
}

/** Parts that are written anew while somebody may be in them: the focus stays at its place among them. @param {HTMLElement} box @param {...Node} parts */
export function redrawn(box, ...parts) {
  const places = () => /** @type {HTMLElement[]} */ ([...box.querySelectorAll("button, a, input, select, textarea")]);
  const place = document.activeElement ? places().indexOf(/** @type {HTMLElement} */ (document.activeElement)) : -1;
  box.replaceChildren(...parts);
  if (place >= 0) places()[Math.min(place, places().length - 1)]?.focus({ preventScroll: true });
}

/** Say it to whoever cannot see it: in the dialog that is open, for what is behind one is silent. @param {string} text */
export function say(text) {
  const open = [...document.querySelectorAll("dialog[open] > .spoken")].pop();
  (open ?? byId("spoken")).textContent = text;
}

/** @param {number | null} usd */
export const money = (usd) => (usd === null ? "not known" : `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 6 })}`);

/** @param {number} many @param {string} thing */
export const countOf = (many, thing) => `${many.toLocaleString("en")} ${thing}${many === 1 ? "" : "s"}`;
