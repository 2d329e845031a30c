// @ts-check
// All that is known of the job under the cursor, word for word.

import { byId, button, command, copying, element, money, redrawn } from "./dom.js";
import { imageOf } from "./items.js";
import { imagePath } from "./net.js";
import { changedWords } from "./reword.js";
import { SIGNS, VERDICTS } from "./tiles.js";

/** @import { Cull } from "./cull.js" */

/**
 * @param {any} item
 * @param {number} tile
 * @param {any} decision
 * @param {Cull} cull
 */
export function inspect(item, tile, decision, cull) {
  const box = byId("inspector");
  const about = item ? `${item.id}/${tile}` : "";
  if (about === box.dataset.about && document.activeElement?.id === "note") return; // somebody writes
  const draw = about === box.dataset.about ? redrawn : (/** @type {HTMLElement} */ there, /** @type {Node[]} */ ...parts) => there.replaceChildren(...parts);
  box.dataset.about = about;
  if (!item) {
    box.replaceChildren();
    return;
  }
  const image = imageOf(item, tile);
  const which = image && item.images.length > 1 ? `, picture ${image.number} of ${item.images.length}` : "";
  draw(box,
    element("h2", {}, item.key + which),
    ...(item.error ? [element("p", { class: "error" }, `${item.error.kind}: ${item.error.message}`)] : []),
    ...item.warnings.map((/** @type {string} */ warning) => element("p", { class: "warning" }, `⚠ ${warning}`)),
    element("p", { class: "prompt" }, item.prompt),
    copying(item.prompt, "Copy the prompt"),
    ...decided(decision, cull),
    ...otherWords(item, image),
    ...(item.command ? [element("p", {}, "You may type: ", command(item.command))] : []),
    list(facts(item, image)),
    ...(image ? [links(image)] : []),
    ...group("Inputs", item.inputs),
    ...group("Your columns", item.columns),
  );
}

/** What it is to be made once more with. @param {any} item @param {any} image */
function otherWords(item, image) {
  const words = item.words[image ? image.number : 0];
  return words ? [element("h3", {}, "With other words"), changedWords(item.prompt, words.prompt)] : [];
}

/** What was decided about it, and buttons to do so. @param {any} decision @param {Cull} cull */
function decided(decision, cull) {
  const older = decision.older ? [element("p", { class: "warning" }, "⚠ Decided about an older picture. This one is undecided.")] : [];
  if (!cull.mayDecide) return [...older, element("p", { class: "decided" }, decisionInWords(decision))];
  const verdicts = VERDICTS.map(({ name, sign }) => button(`${sign} ${name}`, () => cull.here({ verdict: decision.verdict === name ? null : name }, decision.verdict === name ? "undecided" : name), { "aria-pressed": String(decision.verdict === name) }));
  const stars = [1, 2, 3, 4, 5].map((many) => button(many <= decision.stars ? "★" : "☆", () => cull.here({ stars: many === decision.stars ? 0 : many }, many === decision.stars ? "no stars" : `${many} stars`), { "aria-label": `${many} stars`, "aria-pressed": String(many === decision.stars) }));
  const note = /** @type {HTMLTextAreaElement} */ (element("textarea", { id: "note", rows: "2", maxlength: "2000", "aria-label": "Note", placeholder: "Note" }));
  note.value = decision.note;
  note.addEventListener("change", () => note.value !== decision.note && cull.here({ note: note.value }, "noted"));
  return [...older, element("div", { class: "decide", role: "group", "aria-label": "Decide" }, ...verdicts), element("div", { class: "decide", role: "group", "aria-label": "Stars" }, ...stars), note];
}

/** @param {any} decision */
export function decisionInWords(decision) {
  const sign = VERDICTS.find(({ name }) => name === decision.verdict);
  return [sign ? `${sign.sign} ${sign.name}` : "", "★".repeat(decision.stars), decision.note, decision.older ? "decided about an older picture" : ""].filter(Boolean).join(" ");
}

/** @param {any} item @param {any} image @returns {[string, string][]} */
function facts(item, image) {
  const cost = item.cost_usd === null && item.estimate_usd !== null ? `${money(item.estimate_usd)} estimated` : money(item.cost_usd);
  /** @type {[string, string | null][]} */
  const all = [
    ["State", `${SIGNS[/** @type {keyof typeof SIGNS} */ (item.state)]} ${item.state}`],
    ["Row", String(item.row)],
    ["Model", item.model],
    ["Cost", item.attempts ? cost : null],
    ["Size", image ? `${image.width}×${image.height}, ${(image.bytes / 1e6).toFixed(1)} MB` : null],
    ["File", image ? image.path : null],
    ["Code", item.error?.code ?? null],
    ["Request", item.request_id],
    ["Submits", item.attempts > 1 ? String(item.attempts) : null],
    ["Result of", item.same_as],
    ["Paid for in", item.held],
    ["Sent", item.submitted_at && new Date(item.submitted_at).toLocaleString()],
    ["Ended", item.finished_at && new Date(item.finished_at).toLocaleString()],
  ];
  return /** @type {[string, string][]} */ (all.filter(([, value]) => value));
}

/** @param {any} image */
function links(image) {
  const name = image.path.split("/").pop();
  if (image.file !== "here") return element("p", { class: "warning" }, "⚠ The file is not there as it was recorded.");
  return element("p", { class: "links" },
    element("a", { href: imagePath(image), target: "_blank", rel: "noopener" }, "Open the picture"),
    element("a", { href: imagePath(image), download: name }, "Download"));
}

/** @param {string} title @param {Record<string, unknown>} values */
function group(title, values) {
  const rows = Object.entries(values).filter(([, value]) => value !== "");
  if (!rows.length) return [];
  const texts = rows.map(([name, value]) => /** @type {[string, string]} */ ([name, typeof value === "string" ? value : JSON.stringify(value)]));
  return [element("h3", {}, title), list(texts)];
}

/** @param {[string, string][]} rows */
function list(rows) {
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
