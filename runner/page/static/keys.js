// @ts-check
// Keys: by the character that they make, off in fields and with Alt or Meta, and all of them can be switched off.

import { byId, button, element } from "./dom.js";

const OFF = "nightsheet-keys-off";

/** What a key does: its action, its characters, its name in the help; 1 where that is the only button for it: a phone has no keys, and letters may be switched off. @type {[string, string[], string, 1?][]} */
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
  ["zoom", ["z"], "its own pixels; then H J K L move in it", 1],
  ["compare", ["c"], "compare", 1],
  ["accept", ["p", "a"], "accept, next"],
  ["reject", ["x"], "reject, next"],
  ["reroll", ["r"], "re-roll, next"],
  ["reword", ["e"], "re-roll with other words", 1],
  ["undecide", ["u"], "undecided", 1],
  ["stars", ["1", "2", "3", "4", "5"], "stars"],
  ["noStars", ["0"], "no stars"],
  ["undo", ["Ctrl+z"], "take back", 1],
  ["redo", ["Ctrl+Shift+z", "Ctrl+y"], "do again", 1],
  ["nextUndecided", ["n"], "next undecided", 1],
  ["previousUndecided", ["Shift+n"], "previous undecided", 1],
  ["mark", ["s"], "mark", 1],
  ["markLeft", ["Shift+ArrowLeft"], "mark on"],
  ["markRight", ["Shift+ArrowRight"], "mark on"],
  ["markUp", ["Shift+ArrowUp"], "mark on"],
  ["markDown", ["Shift+ArrowDown"], "mark on"],
  ["markAll", ["Ctrl+a"], "mark all that is listed", 1],
  ["search", ["/"], "search", 1],
  ["back", ["Escape"], "back; take the search away"],
  ["take", ["g"], "take in what is new", 1],
  ["doubts", ["d"], "unconfirmed", 1],
  ["failures", ["f"], "failed", 1],
  ["account", ["m"], "money", 1],
  ["rerolls", ["w"], "re-rolls, their price and their sheet", 1],
  ["larger", ["+", "="], "larger", 1],
  ["smaller", ["-"], "smaller", 1],
  ["details", ["i"], "details", 1],
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

/** The keys, and each that does something as a button. @param {Record<string, (key: string) => void>} actions by the names above */
export function showHelp(actions) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const done = (/** @type {string} */ name) => {
    dialog.close();
    actions[name]("");
  };
  const rows = KEYS.map(([name, keys, what, isButton]) => element("div", {},
    element("dt", {}, ...keys.map((key) => element("kbd", {}, shown(key)))),
    element("dd", {}, isButton ? button(what, () => done(name)) : what)));
  const box = /** @type {HTMLInputElement} */ (byId("letters"));
  box.checked = !localStorage.getItem(OFF);
  box.onchange = () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes"));
  byId("keys").replaceChildren(...rows);
  dialog.showModal();
}
