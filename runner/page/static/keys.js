// @ts-check
// Keys: by the character that they make, off in fields and with Alt or Meta, and all of them can be switched off.

import { byId, button, element } from "./dom.js";

const OFF = "nightsheet-keys-off";

/** What a key does: its names in the help, its characters, whether it is a single letter. @type {[string, string[], string][]} */
export const KEYS = [
  ["left", ["ArrowLeft", "h"], "move"],
  ["right", ["ArrowRight", "l"], "move"],
  ["up", ["ArrowUp", "k"], "move"],
  ["down", ["ArrowDown", "j"], "move"],
  ["first", ["Home"], "first"],
  ["last", ["End"], "last"],
  ["pageUp", ["PageUp"], "a screen up"],
  ["pageDown", ["PageDown"], "a screen down"],
  ["open", [" ", "Enter"], "one picture, and back"],
  ["zoom", ["z"], "its own pixels; then H J K L move in it"],
  ["compare", ["c"], "compare"],
  ["accept", ["p", "a"], "accept, next"],
  ["reject", ["x"], "reject, next"],
  ["reroll", ["r"], "re-roll, next"],
  ["reword", ["e"], "re-roll with other words"],
  ["undecide", ["u"], "undecided"],
  ["stars", ["1", "2", "3", "4", "5"], "stars"],
  ["noStars", ["0"], "no stars"],
  ["undo", ["Ctrl+z"], "take back"],
  ["redo", ["Ctrl+Shift+z", "Ctrl+y"], "do again"],
  ["nextUndecided", ["n"], "next undecided"],
  ["previousUndecided", ["Shift+n"], "previous undecided"],
  ["mark", ["s"], "mark"],
  ["markLeft", ["Shift+ArrowLeft"], "mark on"],
  ["markRight", ["Shift+ArrowRight"], "mark on"],
  ["markUp", ["Shift+ArrowUp"], "mark on"],
  ["markDown", ["Shift+ArrowDown"], "mark on"],
  ["markAll", ["Ctrl+a"], "mark all that is listed"],
  ["search", ["/"], "search"],
  ["back", ["Escape"], "back; take the search away"],
  ["take", ["g"], "take in what is new"],
  ["doubts", ["d"], "unconfirmed"],
  ["failures", ["f"], "failed"],
  ["account", ["m"], "money"],
  ["rerolls", ["w"], "re-rolls, their price and their sheet"],
  ["larger", ["+", "="], "larger"],
  ["smaller", ["-"], "smaller"],
  ["details", ["i"], "details"],
  ["help", ["?"], "keys"],
];

const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };

/** A key as the table above has it. Shift counts with letters and arrows; what else needs it says so by itself. @param {KeyboardEvent} event */
function pressed(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (/^[a-z]$/.test(key) || key.startsWith("Arrow"));
  return `${event.ctrlKey ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/** @param {Record<string, (key: string) => void>} actions by the names above; each is told its key */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.metaKey || event.isComposing) return;
    const inField = target.matches("input[type=search], select, textarea, input[type=range]");
    if (inField && event.key !== "Escape") return;
    if (document.querySelector("dialog[open]:not(#loupe)")) return; // it has its own
    if ((event.key === " " || event.key === "Enter") && target.matches("button, a, summary, input")) return;
    const letter = event.key.length === 1 && event.key !== " ";
    if (letter && !event.ctrlKey && localStorage.getItem(OFF)) return;
    const found = KEYS.find(([, keys]) => keys.includes(pressed(event)));
    const act = found && actions[found[0]];
    if (!act) return;
    event.preventDefault();
    act(event.key);
  });
}

/** @param {string} key */
function shown(key) {
  const parts = key === "+" ? [key] : key.split("+");
  return parts.map((part) => NAMES[/** @type {keyof typeof NAMES} */ (part)] ?? (part.length === 1 ? part.toUpperCase() : part)).join("+");
}

/** What has no button of its own elsewhere: a phone has no keys, and letters may be switched off. */
const BUTTONS = new Set(["zoom", "compare", "reword", "undecide", "undo", "redo", "nextUndecided", "previousUndecided", "mark", "markAll", "search", "take", "doubts", "failures", "account", "rerolls", "larger", "smaller", "details"]);

/** The keys, and each that does something as a button. @param {Record<string, (key: string) => void>} actions by the names above */
export function showHelp(actions) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const done = (/** @type {string} */ name) => {
    dialog.close();
    actions[name]("");
  };
  const rows = KEYS.map(([name, keys, what]) => element("div", {},
    element("dt", {}, ...keys.map((key) => element("kbd", {}, shown(key)))),
    element("dd", {}, BUTTONS.has(name) ? button(what, () => done(name)) : what)));
  const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox" }));
  box.checked = !localStorage.getItem(OFF);
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
  dialog.replaceChildren(
    element("h2", {}, "Keys"),
    element("dl", { class: "keys" }, ...rows),
    element("p", {}, element("label", {}, box, " Letters are keys")),
    element("p", {}, "Verdicts, stars and marks are about the marked ones, where there are any. The list stands still under the cursor: G takes in what has changed. This page never pays: what costs money is a line to type."),
    button("Close", () => dialog.close()),
  );
  dialog.showModal();
}
