// @ts-check
// The gallery: the page's grid over the images of data.js, one of them alone, and a sheet of them to print.

import { printSheet } from "./contact.js";
import { byId, countOf } from "./dom.js";
import { Grid } from "./grid.js";
import { found, gallery, imageOf, itemOf } from "./items.js";
import { thumbPath } from "./net.js";
import { TileList } from "./tiles.js";

const TYPING_MS = 150;
const SUCCEEDED = 4;

/** Nothing is decided in a gallery, and nothing marked. */
const UNDECIDED = { verdict: null, stars: 0, note: "", older: false };

const dialog = /** @type {HTMLDialogElement} */ (byId("loupe"));
const grid = new Grid(byId("grid"), {
  item: itemOf,
  decision: () => UNDECIDED,
  isMarked: () => false,
  wanted: () => {}, // all of it is here
  moved: () => dialog.open && show(),
  opened: () => open(),
});
const search = /** @type {HTMLInputElement} */ (byId("search"));
const size = /** @type {HTMLInputElement} */ (byId("size"));
let typing = 0;

/** @param {string} words */
function list(words) {
  const tiles = found(words);
  const made = new TileList(new ArrayBuffer(12 * tiles.length), tiles.length);
  tiles.forEach(({ tile, job, ratio }, index) => {
    made.tiles[index] = tile;
    made.jobs[index] = job;
    made.ratios[index] = ratio;
    made.states[index] = SUCCEEDED;
  });
  grid.show(made, 0);
  byId("count").textContent = countOf(made.count, "picture");
  byId("nothing").hidden = made.count > 0;
}

function open() {
  if (!grid.list.count) return;
  if (!dialog.open) dialog.showModal();
  show();
}

function show() {
  const item = itemOf(grid.list.jobs[grid.at]);
  const image = imageOf(item, grid.list.tiles[grid.at]);
  const picture = document.createElement("img");
  picture.alt = item.prompt || item.key;
  picture.src = thumbPath(image, 1600);
  byId("stage").replaceChildren(picture);
  byId("caption-text").textContent = [item.key + image.words, `${image.width}×${image.height}`, `${grid.at + 1} of ${grid.list.count}`, item.prompt].filter(Boolean).join(" · ");
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.altKey || event.metaKey || event.ctrlKey || target.matches("input") || (target.matches("button") && event.key.length === 1)) return;
  const act = keys[event.key];
  if (!act || (target.matches("button") && event.key === "Enter")) return;
  event.preventDefault();
  act();
}

/** @type {Record<string, () => void>} */
const keys = {
  ArrowLeft: () => grid.go(grid.at - 1),
  ArrowRight: () => grid.go(grid.at + 1),
  ArrowUp: () => grid.go(grid.at - (dialog.open ? 1 : grid.columns)),
  ArrowDown: () => grid.go(grid.at + (dialog.open ? 1 : grid.columns)),
  PageUp: () => grid.go(grid.at - grid.columns * grid.rowsOnScreen()),
  PageDown: () => grid.go(grid.at + grid.columns * grid.rowsOnScreen()),
  Home: () => grid.go(0),
  End: () => grid.go(grid.list.count - 1),
  " ": () => (dialog.open ? dialog.close() : open()),
  Enter: () => (dialog.open ? dialog.close() : open()),
  "/": () => search.focus(),
};

search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => list(search.value), TYPING_MS);
});
size.addEventListener("input", () => grid.resize(Number(size.value)));
byId("print").addEventListener("click", () => printSheet(grid.list));
byId("previous").addEventListener("click", () => grid.go(grid.at - 1));
byId("following").addEventListener("click", () => grid.go(grid.at + 1));
byId("close-loupe").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => byId("grid").focus({ preventScroll: true }));
document.addEventListener("keydown", pressed);
byId("name").textContent = gallery.title;
byId("work").hidden = false;
list("");
byId("grid").focus({ preventScroll: true });
