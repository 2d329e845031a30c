// @ts-check
// What a tile shows: its image, or where its job stands.

import { element, money } from "./dom.js";
import { imageOf } from "./items.js";
import { thumbPath } from "./net.js";
import { SIGNS, VERDICTS } from "./tiles.js";

/** What a file's state is called. @type {Record<string, string>} */
const FILES = {
  gone: "The file is gone.",
  changed: "The file was changed.",
  elsewhere: "The file is not below the output folder.",
};

/** @param {number} index */
export function newCell(index) {
  return element("div", { class: "cell", role: "option", id: `tile-${index}` });
}

/**
 * @param {HTMLElement} cell
 * @param {any} item undefined while its details are on their way
 * @param {number} tile
 * @param {string} state as the list has it
 * @param {any} decision
 * @param {boolean} marked
 */
export function fillCell(cell, item, tile, state, decision, marked) {
  const said = item ? spoken(decision, marked) : "";
  const shown = item ? `${item.state} ${said} ${item.images.map((/** @type {any} */ one) => `${one.id} ${one.file}`)} ${item.error?.message} ${item.warnings.length}` : state;
  if (cell.dataset.shown === shown) return;
  cell.dataset.shown = shown;
  cell.dataset.state = item?.state ?? state;
  if (!item) {
    cell.setAttribute("aria-label", state);
    cell.replaceChildren(element("div", { class: "picture waiting" }));
    return;
  }
  const image = imageOf(item, tile);
  cell.dataset.verdict = decision.verdict ?? "";
  cell.setAttribute("aria-checked", String(marked));
  if (image) cell.setAttribute("aria-label", label(item, image, said));
  else cell.removeAttribute("aria-label"); // its own words are its name
  const same = image && cell.dataset.image === `${image.id} ${image.file}` ? cell.querySelector(".picture") : null;
  cell.dataset.image = image ? `${image.id} ${image.file}` : "";
  cell.replaceChildren(same ?? (image ? picture(item, image) : card(item)), foot(item, image, decision, marked));
}

/** What was decided, in words. @param {any} decision @param {boolean} marked */
function spoken(decision, marked) {
  const stars = decision.stars ? `${decision.stars} ${decision.stars === 1 ? "star" : "stars"}` : "";
  const older = decision.older ? "decided about an older picture" : "";
  return [marked ? "marked" : "", decision.verdict ?? "", stars, decision.note ? "with a note" : "", older].filter(Boolean).join(", ");
}

/** The same in signs: no colour alone says anything. @param {any} decision @param {boolean} marked */
function signs(decision, marked) {
  const sign = VERDICTS.find(({ name }) => name === decision.verdict)?.sign ?? "";
  return [marked ? "▣" : "", sign, decision.stars ? `★${decision.stars}` : "", decision.note ? "✎" : "", decision.older ? "older" : ""].filter(Boolean).join(" ");
}

/** Begins with what is seen of it. @param {any} item @param {any} image @param {string} said */
function label(item, image, said) {
  const warned = item.warnings.length ? ", with a warning" : "";
  return `${[item.key, ...marks(item, image)].join(" ")}, ${item.state}${said ? `, ${said}` : ""}${warned}: ${item.prompt}`;
}

/** Whether it has a warning, where its job stands if that is not its end, and which of several it is. @param {any} item @param {any} image */
function marks(item, image) {
  const sign = image && item.state !== "succeeded" ? SIGNS[/** @type {keyof typeof SIGNS} */ (item.state)] : "";
  const which = image && item.images.length > 1 ? `${image.number}/${item.images.length}` : "";
  return [item.warnings.length ? "⚠" : "", sign, which].filter(Boolean);
}

/** @param {any} item @param {any} image */
function picture(item, image) {
  if (image.file !== "here") return element("div", { class: "picture lost" }, element("p", {}, "⚠ " + FILES[image.file]));
  const shown = /** @type {HTMLImageElement} */ (element("img", { alt: "", decoding: "async", draggable: "false" }));
  shown.addEventListener("error", () => again(shown));
  shown.addEventListener("load", () => shown.classList.add("there"));
  shown.src = thumbPath(image, 384);
  return element("div", { class: "picture" }, shown);
}

/** The server gives up what was scrolled past: asked again once, and then it cannot be made. @param {HTMLImageElement} shown */
function again(shown) {
  if (shown.dataset.tried) {
    shown.parentElement?.classList.add("lost");
    shown.replaceWith(element("p", {}, "⚠ No thumbnail can be made of it."));
    return;
  }
  shown.dataset.tried = "yes";
  setTimeout(() => {
    if (shown.isConnected) shown.src = `${shown.src}&again`;
  }, 500);
}

/** @param {any} item */
function card(item) {
  const sign = SIGNS[/** @type {keyof typeof SIGNS} */ (item.state)];
  const risk = item.state === "unconfirmed" ? element("p", { class: "risk" }, `${money(item.estimate_usd)} at risk`) : null;
  const held = item.held === null ? null : element("p", {}, `Held: paid for in ${item.held}`);
  return element("div", { class: "picture card" },
    element("p", { class: "state" }, element("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${item.state}`),
    risk,
    held,
    item.error ? element("p", { class: "reason" }, `${item.error.kind}: ${item.error.message}`) : element("p", { class: "prompt" }, item.prompt));
}

/** @param {any} item @param {any} image @param {any} decision @param {boolean} marked */
function foot(item, image, decision, marked) {
  return element("div", { class: "foot", "aria-hidden": String(Boolean(image)) },
    element("span", { class: "verdict", title: spoken(decision, marked) }, signs(decision, marked)),
    element("span", { class: "key" }, item.key),
    element("span", { class: "marks" }, marks(item, image).join(" ")));
}
