// @ts-check
// Two to four pictures side by side: they are zoomed and moved together, and one of them wins.

import { button, byId, element, say } from "./dom.js";
import { ONLY_LOOKS } from "./cull.js";
import { imageOf } from "./items.js";
import { apiPath, getJson, imagePath, thumbPath } from "./net.js";

const MOST = 4;
const LARGEST = 8;
const STEP = 1.25;

/** A place in the list; -1 for a picture of another batch. @import { Shown as One } from "./cull.js" */

export class Compare {
  /** @param {any} view whose list, marks and verdicts these are */
  constructor(view) {
    this.view = view;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("compare"));
    /** @type {One[]} */
    this.shown = [];
    this.zoom = 1;
    /** How far the pictures are moved, as shares of a frame. */
    this.by = { x: 0, y: 0 };
    this.dialog.addEventListener("close", () => {
      byId("compare-frames").replaceChildren();
      view.compared("");
      view.settle();
    });
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    byId("compare-frames").addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    this.dragged(byId("compare-frames"));
  }

  /** Open it over the marked tiles, else over a re-roll and its original, the pictures of the job under the cursor, it and its re-rolls, or it and the next. @param {string} [tiles] those of an address */
  async open(tiles = "") {
    const chosen = await this.chosen(tiles.split(",").map(Number).filter(Boolean));
    if (chosen.length < 2) return this.view.cull.tell("There is nothing to compare it with: mark two to four with S.");
    this.shown = chosen;
    [this.zoom, this.by] = [1, { x: 0, y: 0 }];
    this.draw();
    if (!this.isOpen) this.dialog.showModal();
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** @param {number[]} tiles @returns {Promise<One[]>} */
  async chosen(tiles) {
    const { cull, grid } = this.view;
    const named = tiles.map((tile) => grid.list.find(tile, 0)).filter((index) => index >= 0);
    if (named.length) grid.go(named[0]);
    if (named.length > 1) return this.ones(named.slice(0, MOST));
    const marked = cull.marks.size ? cull.chosen() : [];
    const found = await this.ones(marked.slice(0, MOST));
    if (found.length > 1) return found;
    const here = await this.ones([grid.at]);
    const family = await this.family(here);
    if (here.length && here[0].item.columns.reroll_of && family.length) return [...here, ...family];
    const own = [];
    for (let index = 0; index < grid.list.count; index++) if (grid.list.jobs[index] === grid.list.jobs[grid.at]) own.push(index);
    const pictures = await this.ones(own.slice(0, MOST));
    if (pictures.length > 1) return pictures;
    if (here.length && family.length) return [...here, ...family];
    return here.length ? [...here, ...(await this.beyond(grid.at, 1, []))] : [];
  }

  /** The original of a re-roll, or the re-rolls of an original, in whatever batches: of each the picture of that number, else its first. @param {One[]} here @returns {Promise<One[]>} */
  async family([one]) {
    if (!one) return [];
    const began = performance.now();
    const found = await getJson(apiPath(this.view.place.batch, "family", { key: one.item.key }));
    const number = imageOf(one.item, one.tile).number;
    const pictures = found.flatMap((/** @type {any} */ { batch, item }) => {
      const here = item.images.filter((/** @type {any} */ image) => image.file === "here");
      const image = here.find((/** @type {any} */ other) => other.number === number) ?? here[0];
      if (batch !== this.view.place.batch) this.view.cull.book(batch).readBack(began);
      return image ? [{ index: -1, item, tile: image.id, batch }] : [];
    });
    return pictures.slice(-(MOST - 1));
  }

  /** Those of these places that have a picture. @param {number[]} places @returns {Promise<One[]>} */
  async ones(places) {
    const { count, tiles } = this.view.grid.list;
    const found = await this.view.itemsAt(places.filter((place) => place < count)); // an empty list has a cursor all the same
    return found.map((/** @type {[number, any]} */ [index, item]) => ({ index, item, tile: tiles[index] })).filter((/** @type {One} */ { item, tile }) => imageOf(item, tile)?.file === "here");
  }

  /** The next picture of the list in a direction that is not among those that are taken. @param {number} from @param {number} step @param {number[]} taken @returns {Promise<One[]>} */
  async beyond(from, step, taken) {
    const { count } = this.view.grid.list;
    for (let index = from + step; index >= 0 && index < count; index += step) {
      if (taken.includes(index)) continue;
      const found = await this.ones([index]);
      if (found.length) return found;
    }
    return [];
  }

  draw() {
    byId("compare-frames").replaceChildren(...this.shown.map((one, place) => this.frame(one, place)));
    byId("compare-frames").focus();
    this.view.compared(this.shown.filter(({ batch }) => !batch).map(({ tile }) => tile).join());
    this.place();
  }

  /** @param {One} one @param {number} place */
  frame({ item, tile, batch }, place) {
    const image = imageOf(item, tile);
    const picture = /** @type {HTMLImageElement} */ (element("img", { alt: item.prompt, draggable: "false" }));
    picture.src = thumbPath(image, 1600);
    picture.dataset.whole = imagePath(image);
    const which = item.images.length > 1 ? ` ${image.number}/${item.images.length}` : "";
    const decided = this.view.cull.of(item, tile, batch).verdict ?? "";
    const name = `${item.key}${which}${batch ? ` in ${batch}` : ""}`;
    return element("figure", {},
      element("div", { class: "frame" }, picture),
      element("figcaption", {},
        element("span", { class: "key" }, `${name}${decided ? ` · ${decided}` : ""}`),
        button(`${place + 1}: this one`, () => this.wins(place), { "aria-label": `${place + 1}: ${name} is the best` })));
  }

  /** Zoom and place are those of all. Own pixels are fetched once somebody looks closer. */
  place() {
    for (const picture of byId("compare-frames").querySelectorAll("img")) {
      picture.style.transform = `translate(${this.by.x * 100}%, ${this.by.y * 100}%) scale(${this.zoom})`;
      if (this.zoom > 2 && picture.dataset.whole && !picture.src.endsWith(picture.dataset.whole)) picture.src = picture.dataset.whole;
    }
  }

  /** @param {number} times */
  closer(times) {
    this.zoom = Math.max(1, Math.min(LARGEST, this.zoom * times));
    this.move(0, 0);
  }

  /** Never so far that nothing is seen. @param {number} x @param {number} y */
  move(x, y) {
    const most = (this.zoom - 1) / 2;
    const within = (/** @type {number} */ value) => Math.max(-most, Math.min(most, value));
    this.by = { x: within(this.by.x + x), y: within(this.by.y + y) };
    this.place();
  }

  /** The winner is accepted, the others are rejected, each in its own batch. @param {number} place */
  async wins(place) {
    const winner = this.shown[place];
    if (!winner) return;
    const { cull } = this.view;
    cull.inTurn(async () => {
      if (!cull.mayDecide) return this.told(ONLY_LOOKS);
      cull.keep(this.shown, this.shown.map((one) => ({ verdict: one === winner ? "accepted" : "rejected" })));
      this.draw();
      this.told(`${winner.item.key} accepted, ${this.shown.length - 1} rejected. Ctrl+Z takes it back.`);
    });
  }

  /** Say it where it is seen and heard: what is behind the dialog is neither. @param {string} text */
  told(text) {
    this.view.cull.tell(text);
    byId("compare-told").textContent = text;
  }

  /** @param {"undo" | "redo"} what */
  back(what) {
    this.view.cull.inTurn(async () => {
      this.view.cull[what]();
      byId("compare-told").textContent = byId("told").textContent;
    });
  }

  /** Another picture at the right. @param {number} step */
  async change(step) {
    const last = this.shown[this.shown.length - 1];
    if (last.batch) return; // it stands in no list
    const [other] = await this.beyond(last.index, step, this.shown.map(({ index }) => index));
    if (!other) return;
    this.shown = [...this.shown.slice(0, -1), other];
    this.draw();
    say(other.item.key);
  }

  /** Its own keys: no other is heard while it is open, but Esc, which a dialog hears by itself. @param {KeyboardEvent} event */
  pressed(event) {
    if (event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      const what = /^z$/i.test(event.key) ? (event.shiftKey ? "redo" : "undo") : event.key === "y" ? "redo" : null;
      if (!what) return;
      event.preventDefault();
      return this.back(what);
    }
    event.stopPropagation();
    const keys = /** @type {Record<string, () => unknown>} */ ({
      ArrowRight: () => this.change(1),
      ArrowLeft: () => this.change(-1),
      "+": () => this.closer(STEP),
      "=": () => this.closer(STEP),
      "-": () => this.closer(1 / STEP),
      c: () => this.dialog.close(),
      h: () => this.move(0.1, 0),
      l: () => this.move(-0.1, 0),
      k: () => this.move(0, 0.1),
      j: () => this.move(0, -0.1),
    });
    const act = keys[event.key] ?? (/^[1-4]$/.test(event.key) ? () => void this.wins(Number(event.key) - 1) : null);
    if (!act) return;
    event.preventDefault();
    this.view.try(act);
  }

  /** @param {WheelEvent} event */
  wheeled(event) {
    event.preventDefault();
    this.closer(event.deltaY < 0 ? STEP : 1 / STEP);
  }

  /** @param {HTMLElement} box */
  dragged(box) {
    /** @type {{x: number, y: number} | null} */
    let from = null;
    box.addEventListener("pointerdown", (event) => {
      if (!(/** @type {Element} */ (event.target).closest(".frame"))) return;
      from = { x: event.clientX, y: event.clientY };
      box.setPointerCapture(event.pointerId);
    });
    box.addEventListener("pointermove", (event) => {
      const frame = box.querySelector(".frame");
      if (!from || !frame) return;
      this.move((event.clientX - from.x) / frame.clientWidth, (event.clientY - from.y) / frame.clientHeight);
      from = { x: event.clientX, y: event.clientY };
    });
    box.addEventListener("pointerup", () => (from = null));
    box.addEventListener("pointercancel", () => (from = null));
  }
}
