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
  ["zoom", ["z"], "its own pixels"],
  ["search", ["/"], "search"],
  ["back", ["Escape"], "back; take the search away"],
  ["take", ["g"], "take in what is new"],
  ["unconfirmed", ["d"], "unconfirmed"],
  ["failed", ["f"], "failed"],
  ["larger", ["+", "="], "larger"],
  ["smaller", ["-"], "smaller"],
  ["details", ["i"], "details"],
  ["help", ["?"], "keys"],
];

const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };

/** @param {Record<string, () => void>} actions by the names above */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.metaKey || event.ctrlKey || event.isComposing) return;
    const inField = target.matches("input[type=search], select, textarea, input[type=range]");
    if (inField && event.key !== "Escape") return;
    if (byId("help").hasAttribute("open")) return;
    if ((event.key === " " || event.key === "Enter") && target.matches("button, a, summary, input")) return;
    const letter = event.key.length === 1 && event.key !== " ";
    if (letter && localStorage.getItem(OFF)) return;
    const found = KEYS.find(([, keys]) => keys.includes(letter ? event.key.toLowerCase() : event.key));
    const act = found && actions[found[0]];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

export function showHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const rows = KEYS.map(([, keys, what]) => element("div", {}, element("dt", {}, ...keys.map((key) => element("kbd", {}, NAMES[/** @type {keyof typeof NAMES} */ (key)] ?? key))), element("dd", {}, what)));
  const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox" }));
  box.checked = !localStorage.getItem(OFF);
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
  dialog.replaceChildren(
    element("h2", {}, "Keys"),
    element("dl", { class: "keys" }, ...rows),
    element("p", {}, element("label", {}, box, " Letters are keys")),
    element("p", {}, "This page looks, and changes nothing. It never pays: what costs money is a line to type."),
    button("Close", () => dialog.close()),
  );
  dialog.showModal();
}
