// @ts-check
// Other words for one picture that is made once more: before and after, with the price. They are kept for the
// sheet of re-rolls; to run that sheet is a line to type.

import { button, countOf, element, money } from "./dom.js";

export const MOST_VARIANTS = 8;
const MOST_COMPARED = 400_000;

/** @typedef {{prompt?: string, seed?: string, variants?: number, cells?: Record<string, string>}} Words */

/**
 * @param {any} told
 * @param {{keep: (words: Words) => void, forget: () => void, mayDecide: boolean}} owner
 */
export function rewordForm(told, owner) {
  const typed = told.typed ?? { prompt: told.prompt, seed: "new", variants: 1, cells: {} };
  const prompt = /** @type {HTMLTextAreaElement} */ (element("textarea", { id: "reword-prompt", rows: "5", "aria-label": "Prompt" }));
  prompt.value = typed.prompt;
  const difference = element("div", { id: "reword-difference" });
  const price = element("p", { id: "reword-price" });
  const variants = /** @type {HTMLInputElement} */ (element("input", { type: "number", min: "1", max: `${MOST_VARIANTS}`, value: `${typed.variants}` }));
  const seed = seedField(told, typed.seed);
  /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
  const cells = new Map(told.cells.map((/** @type {any} */ one) => [one.column, cellField(one, typed.cells[one.column] ?? one.value)]));
  const tell = () => {
    difference.replaceChildren(changedWords(told.prompt, prompt.value));
    price.textContent = priceOf(told, Number(variants.value) || 1, Number(cells.get("count")?.value));
  };
  for (const field of [prompt, variants, ...cells.values()]) field.addEventListener("input", tell);
  tell();
  const keep = () => owner.keep({ prompt: prompt.value, seed: seed.value(), variants: Number(variants.value), cells: Object.fromEntries([...cells].map(([name, field]) => [name, field.value])) });
  const form = element("form", { "aria-label": "Other words" },
    prompt,
    difference,
    element("div", { class: "row" }, ...seed.fields, element("label", {}, "Rows ", variants)),
    ...(cells.size ? [element("details", {}, element("summary", {}, "Other inputs"), element("div", { class: "cells" }, ...[...cells].map(([name, field]) => element("label", {}, `${name} `, field))))] : []),
    price,
    owner.mayDecide ? element("p", { class: "row" }, element("button", {}, "Keep these words"), told.typed ? button("The same words again", owner.forget) : null) : null);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) keep();
  });
  return [element("p", {}, `${told.number ? `${told.key}:${told.number}` : told.key}: kept for the next sheet of re-rolls. Nothing is sent or paid here.`), form];
}

/** @param {any} told @param {string} typed */
function seedField(told, typed) {
  if (!told.has_seed) return { value: () => "new", fields: [element("span", {}, "This model has no seed: the same words once more make another picture.")] };
  const isNumber = !["new", "same"].includes(typed);
  const kind = /** @type {HTMLSelectElement} */ (element("select", {}, element("option", { value: "new" }, "a new one"), element("option", { value: "same" }, `the same${told.seed ? `, ${told.seed}` : ""}`), element("option", { value: "number" }, "this one:")));
  kind.value = isNumber ? "number" : typed;
  const number = /** @type {HTMLInputElement} */ (element("input", { inputmode: "numeric", autocomplete: "off", "aria-label": "Seed, as a number" }));
  number.value = isNumber ? typed : "";
  const show = () => (number.hidden = kind.value !== "number");
  kind.addEventListener("change", show);
  show();
  return { value: () => (kind.value === "number" ? number.value.trim() : kind.value), fields: [element("label", {}, "Seed ", kind), number] };
}

/** @param {any} cell @param {string} value */
function cellField(cell, value) {
  if (!cell.choices.length) {
    const field = /** @type {HTMLInputElement} */ (element("input", { autocomplete: "off" }));
    field.value = value;
    return field;
  }
  const choices = [...new Set([...(cell.value ? [] : [""]), cell.value, ...cell.choices])].filter((one) => one || !cell.value);
  const field = /** @type {HTMLSelectElement} */ (element("select", {}, ...choices.map((one) => element("option", { value: one }, one || "as the model has it"))));
  field.value = value;
  return field;
}

/** A row costs what one picture does, at least; what its pictures do, at most. @param {any} told @param {number} variants @param {number} count */
function priceOf(told, variants, count) {
  const images = (count || told.images) * variants;
  const rows = `${countOf(variants, "job")}, at most ${countOf(images, "picture")}`;
  if (told.low_usd === null) return `${rows}, at a price that is not known.`;
  const low = (told.low_usd / told.variants) * variants;
  const high = (told.low_usd / told.variants) * images;
  return `${rows}, for ${low === high ? money(low) : `${money(low)} to ${money(high)}`}.`;
}

/** A text, with what was taken out of it and put into it. @param {string} before @param {string} after */
export function changedWords(before, after) {
  return element("p", { class: "words" }, ...differences(words(before), words(after)).map(({ kind, text }) => (kind ? element(kind, {}, text) : text)));
}

/** @param {string} text */
const words = (text) => text.match(/\s+|\S+/g) ?? [];

/** @param {string[]} before @param {string[]} after @returns {{kind: "" | "ins" | "del", text: string}[]} */
function differences(before, after) {
  let [first, behind] = [0, 0];
  while (first < before.length && before[first] === after[first]) first++;
  const most = Math.min(before.length, after.length) - first;
  while (behind < most && before[before.length - 1 - behind] === after[after.length - 1 - behind]) behind++;
  const [out, into] = [before.slice(first, before.length - behind), after.slice(first, after.length - behind)];
  /** @type {{kind: "" | "ins" | "del", text: string}[]} */
  const middle = out.length * into.length > MOST_COMPARED ? [{ kind: "del", text: out.join("") }, { kind: "ins", text: into.join("") }] : common(out, into);
  return joined([{ kind: "", text: before.slice(0, first).join("") }, ...middle, { kind: "", text: before.slice(before.length - behind).join("") }]);
}

/** The longest that both have in common stays. @param {string[]} out @param {string[]} into @returns {{kind: "" | "ins" | "del", text: string}[]} */
function common(out, into) {
  const width = into.length + 1;
  const longest = new Uint32Array((out.length + 1) * width);
  for (let i = out.length - 1; i >= 0; i--) {
    for (let j = into.length - 1; j >= 0; j--) {
      longest[i * width + j] = out[i] === into[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  /** @type {{kind: "" | "ins" | "del", text: string}[]} */
  const found = [];
  let [i, j] = [0, 0];
  while (i < out.length || j < into.length) {
    if (i < out.length && j < into.length && out[i] === into[j]) {
      found.push({ kind: "", text: out[i++] });
      j++;
    } else if (j >= into.length || (i < out.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) found.push({ kind: "del", text: out[i++] });
    else found.push({ kind: "ins", text: into[j++] });
  }
  return found;
}

/** Neighbours of one kind as one. @param {{kind: "" | "ins" | "del", text: string}[]} parts */
function joined(parts) {
  /** @type {typeof parts} */
  const all = [];
  for (const part of parts) {
    const last = all[all.length - 1];
    if (last && last.kind === part.kind) last.text += part.text;
    else if (part.text) all.push({ ...part });
  }
  return all;
}
