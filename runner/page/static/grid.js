// @ts-check
// The grid: as many cells as fit on a screen, over a list of any length. All cells have one size, so that where
// one lies is arithmetic. The list stands still under the cursor; who owns it replaces it.

import { fillCell, newCell } from "./cell.js";
import { element } from "./dom.js";
import { TileList } from "./tiles.js";

const GAP = 8;
const FOOT = 24;
const SPARE_ROWS = 2;
const AT_REST_MS = 150;

export class Grid {
  /**
   * @param {HTMLElement} box
   * @param {{item: (job: number) => any, decision: (item: any, tile: number) => any, isMarked: (index: number) => boolean, wanted: (jobs: number[]) => void, moved: (index: number) => void, opened: (index: number) => void}} owner
   */
  constructor(box, owner) {
    this.box = box;
    this.owner = owner;
    this.list = new TileList();
    this.at = 0;
    this.size = 200;
    this.columns = 1;
    this.width = this.height = 0;
    /** @type {Map<number, HTMLElement>} */
    this.cells = new Map();
    this.room = element("div", { class: "room", role: "presentation" });
    box.append(this.room);
    this.resting = 0;
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("click", (event) => this.clicked(/** @type {Element} */ (event.target), false));
    box.addEventListener("dblclick", (event) => this.clicked(/** @type {Element} */ (event.target), true));
    new ResizeObserver(() => this.layOut()).observe(box);
  }

  /** @param {TileList} list @param {number} at */
  show(list, at) {
    const above = this.list.count ? this.top(this.at) - this.box.scrollTop : NaN;
    this.list = list;
    this.at = Math.max(0, Math.min(at, list.count - 1));
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
    this.layOut();
    if (Number.isNaN(above)) this.reveal();
    else this.box.scrollTop = this.top(this.at) - above; // where the eye is, whatever has come before it
    this.draw();
  }

  /** Where the row of a tile begins. @param {number} index */
  top(index) {
    return Math.floor(index / this.columns) * (this.height + GAP);
  }

  /** @param {number} size */
  resize(size) {
    this.size = size;
    this.layOut();
    this.reveal();
  }

  layOut() {
    const width = this.box.clientWidth;
    this.columns = width < 500 ? 3 : Math.max(1, Math.floor((width - GAP) / (this.size + GAP)));
    this.width = (width - GAP * (this.columns + 1)) / this.columns;
    this.height = this.width + FOOT;
    this.room.style.height = `${Math.ceil(this.list.count / this.columns) * (this.height + GAP) + GAP}px`;
    for (const [index, cell] of this.cells) this.place(cell, index);
    this.draw();
  }

  /** @param {HTMLElement} cell @param {number} index */
  place(cell, index) {
    const [row, column] = [Math.floor(index / this.columns), index % this.columns];
    cell.style.transform = `translate(${GAP + column * (this.width + GAP)}px, ${GAP + row * (this.height + GAP)}px)`;
    cell.style.width = `${this.width}px`;
    cell.style.height = `${this.height}px`;
  }

  /** The first index on screen and the one after the last, with some rows to spare. */
  range() {
    const step = this.height + GAP;
    const first = Math.max(0, Math.floor(this.box.scrollTop / step) - SPARE_ROWS);
    const last = Math.ceil((this.box.scrollTop + this.box.clientHeight) / step) + SPARE_ROWS;
    return [first * this.columns, Math.min(this.list.count, last * this.columns)];
  }

  draw() {
    const [first, last] = this.range();
    for (const [index, cell] of this.cells) {
      if (index >= first && index < last) continue;
      cell.remove();
      this.cells.delete(index);
    }
    for (let index = first; index < last; index++) {
      let cell = this.cells.get(index);
      if (!cell) {
        cell = newCell(index);
        this.place(cell, index);
        this.cells.set(index, cell);
        this.room.append(cell);
      }
      const [item, tile] = [this.owner.item(this.list.jobs[index]), this.list.tiles[index]];
      fillCell(cell, item, tile, this.list.state(index), item && this.owner.decision(item, tile), this.owner.isMarked(index));
      cell.setAttribute("aria-selected", String(index === this.at));
      cell.setAttribute("aria-setsize", String(this.list.count));
      cell.setAttribute("aria-posinset", String(index + 1));
    }
    const here = this.cells.has(this.at) ? `tile-${this.at}` : "";
    if (here) this.box.setAttribute("aria-activedescendant", here);
    else this.box.removeAttribute("aria-activedescendant");
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), AT_REST_MS);
  }

  /** At rest the cells' order is that of the list, for who reads them one after the other. */
  rest() {
    const [first, last] = this.range();
    const order = [...this.cells.keys()].sort((one, other) => one - other);
    const nodes = order.map((index) => /** @type {HTMLElement} */ (this.cells.get(index)));
    if (nodes.some((node, place) => this.room.children[place] !== node)) this.room.append(...nodes);
    this.owner.wanted(Array.from(this.list.jobs.subarray(first, last)));
  }

  /** The jobs on screen. */
  visible() {
    const [first, last] = this.range();
    return Array.from(this.list.jobs.subarray(first, last));
  }

  /** @param {number} index */
  go(index) {
    if (!this.list.count) return;
    this.at = Math.max(0, Math.min(index, this.list.count - 1));
    this.reveal();
    this.draw();
    this.owner.moved(this.at);
  }

  reveal() {
    const top = this.top(this.at);
    const bottom = top + this.height + 2 * GAP;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
  }

  /** More than a window of this size shows. */
  most() {
    return this.columns * (Math.ceil(this.box.clientHeight / (this.height + GAP)) + 2 * SPARE_ROWS);
  }

  rowsOnScreen() {
    return Math.max(1, Math.floor(this.box.clientHeight / (this.height + GAP)));
  }

  /** @param {Element} target @param {boolean} twice */
  clicked(target, twice) {
    const cell = target.closest(".cell");
    if (!cell) return;
    const index = Number(cell.id.slice("tile-".length));
    this.go(index);
    if (twice || matchMedia("(max-width: 700px)").matches) this.owner.opened(index); // a phone has no second click
  }
}
