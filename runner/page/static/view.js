// @ts-check
// A batch on screen: the list, the cursor, the search, and what comes in while somebody looks.

import { decoded, readAddress, writeAddress } from "./address.js";
import { Compare } from "./compare.js";
import { Cull, ONLY_LOOKS } from "./cull.js";
import { targetOf } from "./decisions.js";
import { byId, countOf, say } from "./dom.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { decisionInWords, inspect } from "./inspector.js";
import { imageOf, Items } from "./items.js";
import { listenToKeys, showHelp } from "./keys.js";
import { paced } from "./live.js";
import { Loupe, prefetch } from "./loupe.js";
import { apiPath, getJson, getTiles, NoSearch, Refused } from "./net.js";
import { Panel } from "./panels.js";
import { showPause } from "./pause.js";
import { showStatus } from "./status.js";
import { TileList } from "./tiles.js";

const FIRST = 300;
const LOOK_MS = 1000;
const SIZE = "nightsheet-size";
const [NARROWEST, WIDEST] = [110, 440];

export class View {
  /** @param {(error: unknown) => void} failed */
  constructor(failed) {
    this.failed = failed;
    this.place = readAddress();
    this.first = this.fetch(FIRST); // is on its way while all else is made
    this.first.catch(() => {}); // whoever waits for it is told
    /** The table's, when the list was read. */
    this.stamp = 0;
    this.items = new Items(this.place.batch, () => this.arrived());
    this.filters = new Filters(this.place.batch, (search) => this.find(search), (work) => void this.try(work));
    this.cull = new Cull(this);
    /** Lines to type, by their verbs. @type {Record<string, string>} */
    this.lines = {};
    this.loupe = new Loupe({ closed: () => this.closed(), step: (by) => this.grid.go(this.grid.at + by) });
    this.grid = new Grid(byId("grid"), {
      item: (job) => this.items.get(job),
      decision: (item, tile) => this.cull.of(item, tile),
      isMarked: (index) => this.cull.isMarked(index),
      wanted: (jobs) => this.try(() => this.items.want(jobs)),
      moved: () => this.moved(),
      opened: () => this.open(),
    });
    this.compare = new Compare(this);
    this.panels = new Panel(this.place.batch, {
      mayDecide: () => this.cull.mayDecide,
      find: (search) => this.find(search),
      failed: (error) => this.failed(error),
      noted: () => this.noted(),
      reworded: (key, number) => this.reworded(key, number),
      reword: (key, number) => this.try(() => this.reword(key, number)),
    });
    this.changed = paced(() => this.try(() => this.update()));
    this.controls();
    listenToKeys(this.actions());
  }

  /** Show the first tiles at once, then the state, the whole list and the values to filter by. */
  async start() {
    byId("name").textContent = this.place.batch;
    document.title = `${this.place.batch} · Nightsheet`;
    byId("work").hidden = false;
    this.grid.layOut();
    this.filters.set(this.place.search);
    /** @type {HTMLSelectElement} */ (byId("order")).value = this.place.order;
    const ask = (/** @type {TileList} */ list) => this.items.want(this.place.at ? [] : Array.from(list.jobs.subarray(0, this.grid.most())));
    await Promise.all([this.first.then(ask, () => {}), this.load(this.first)]); // details come while their cells are made
    void this.try(() => this.cull.resume());
    await this.items.want(this.grid.visible());
    await pictured();
    await this.status();
    if (this.grid.list.count === FIRST) await this.load();
    if (this.place.key) await this.openKey(this.place.key, this.place.number);
    if (this.place.panel) await this.openPanel(this.place.panel);
    if (this.place.tiles) await this.compare.open(this.place.tiles);
    await this.filters.load();
    if (document.activeElement === document.body) byId("grid").focus({ preventScroll: true }); // else somebody types already
  }

  /** @param {Promise<TileList>} [coming] if it was asked for already */
  async load(coming) {
    const [search, order] = [this.place.search, this.place.order];
    try {
      const list = await (coming ?? this.fetch());
      if (search !== this.place.search || order !== this.place.order) return; // somebody typed on
      this.filters.problem("");
      this.take(list);
    } catch (error) {
      if (!(error instanceof NoSearch)) throw error;
      this.filters.problem(error.message);
    }
  }

  /** @param {number} [limit] */
  async fetch(limit) {
    const query = { q: this.place.search, sort: this.place.order, limit: limit ? String(limit) : "" };
    const { data, count, stamp, rights } = await getTiles(apiPath(this.place.batch, "tiles", query));
    this.stamp = stamp;
    this.cull.mayDecide = rights === "decide";
    byId("rights").hidden = this.cull.mayDecide;
    return new TileList(data, count);
  }

  /** @param {TileList} list */
  take(list) {
    const [tile, job] = [this.place.at, this.grid.list.jobs[this.grid.at] ?? 0];
    byId("new").hidden = true;
    this.grid.show(list, tile ? list.find(tile, job) : 0);
    this.cull.overlay();
    byId("count").textContent = countOf(list.count, "tile");
    byId("nothing").hidden = list.count > 0;
    byId("nothing").textContent = this.place.search ? "Nothing is found. Esc takes the search away." : "This batch has no jobs.";
    this.inspect();
    this.cull.tally();
  }

  inspect() {
    const item = this.item();
    inspect(item, this.tile(), item && this.cull.of(item, this.tile()), this.cull);
  }

  /** After a decision: cells change, nothing moves. */
  redraw() {
    this.grid.draw();
    this.inspect();
    this.cull.tally();
    if (this.loupe.isOpen) this.drawLoupe();
  }

  /** The details of places in a list, those that have to be asked for as well. @param {number[]} places @returns {Promise<[number, any][]>} */
  async itemsAt(places, { jobs } = this.grid.list) {
    if (places.every((place) => this.items.get(jobs[place]))) return places.map((place) => [place, this.items.get(jobs[place])]);
    const found = await this.items.all(places.map((place) => jobs[place]));
    return places.flatMap((place) => (found.get(jobs[place]) ? [[place, found.get(jobs[place])]] : []));
  }

  /** A line to type about this batch. @param {string} verb @param {...string} words */
  line(verb, ...words) {
    const quoted = words.map((word) => (/^[\w:=.,@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`));
    return [this.lines[verb] ?? `nightsheet ${verb} ${this.place.batch}`, ...quoted].join(" ");
  }

  async status() {
    const status = await getJson(apiPath(this.place.batch, "status"));
    this.lines = status.lines;
    this.cull.tally(); // it has some of them
    showStatus(status, (search) => this.find(search));
    showPause(status, this.cull.mayDecide, (work) => this.try(work));
  }

  /** After a change: the state, what is on screen, and how many tiles are new. The list stands still. */
  async update() {
    const began = performance.now();
    await this.status();
    const read = await this.items.refresh([...this.grid.visible(), this.grid.list.jobs[this.grid.at]].filter(Boolean));
    const list = await this.fetch().catch((error) => {
      if (error instanceof NoSearch) return null; // half a search is being typed
      throw error;
    });
    if (!list) return;
    if (!this.grid.list.count && list.count) return this.take(list);
    this.cull.readBack(began, read);
    this.grid.list.learn(list);
    this.cull.overlay();
    this.redraw();
    const many = list.beyond(this.grid.list);
    byId("new").hidden = !many;
    byId("new").textContent = `${many.toLocaleString("en")} new: G`;
    await this.filters.refresh();
  }

  /** The list as the table has it now, what was decided here a moment ago included. */
  async takeNew() {
    await this.cull.decisions.flush();
    await this.load();
    say(countOf(this.grid.list.count, "tile"));
  }

  /** @param {string} search */
  find(search) {
    if (search === this.place.search) return;
    this.place = { ...this.place, search, at: 0, key: "" };
    this.grid.at = 0;
    writeAddress(this.place, true);
    this.filters.set(search);
    this.try(async () => {
      await this.load();
      await this.filters.refresh();
    });
  }

  item() {
    return this.items.get(this.grid.list.jobs[this.grid.at]);
  }

  tile() {
    return this.grid.list.tiles[this.grid.at] ?? 0;
  }

  moved() {
    this.place = { ...this.place, at: this.tile() };
    this.inspect();
    this.note(false);
    if (this.loupe.isOpen) this.open();
  }

  arrived() {
    this.grid.draw();
    this.inspect();
    if (!this.loupe.isOpen) return;
    this.drawLoupe();
    this.note(false);
  }

  open() {
    const was = this.loupe.isOpen;
    this.drawLoupe();
    this.note(!was);
    this.try(async () => {
      const { at, list } = this.grid;
      const near = [at + 1, at + 2, at - 1].filter((index) => index >= 0 && index < list.count);
      await this.items.want([at, ...near].map((index) => list.jobs[index]));
      await this.loupe.ready(); // the next ones are not to be in its way
      for (const index of near) prefetch(this.items.get(list.jobs[index]), list.tiles[index]);
    });
  }

  drawLoupe() {
    const place = `${(this.grid.at + 1).toLocaleString("en")} of ${this.grid.list.count.toLocaleString("en")}`;
    const item = this.item();
    this.loupe.show(item, this.tile(), place, item ? decisionInWords(this.cull.of(item, this.tile())) : "");
  }

  /** @param {string} key @param {number} number */
  async openKey(key, number) {
    if (await this.goTo(key, number)) this.open();
  }

  /** Put the cursor on a picture, if it is listed. @param {string} key @param {number} number */
  async goTo(key, number) {
    const item = await this.items.byKey(key);
    if (!item) return false;
    const image = item.images.find((/** @type {any} */ one) => one.number === number);
    const index = this.grid.list.find(image ? image.id : -item.id, item.id);
    if (index >= 0) this.grid.go(index);
    return index >= 0;
  }

  /** @param {string} panel with the picture that it is about, where it is about one */
  async openPanel(panel) {
    const [, key, number] = panel.split("/");
    if (key) await this.goTo(decoded(key), Number(number));
    await this.panels.open(panel);
  }

  /** The words of a picture that is to be made once more: of that under the cursor, if none is named. @param {string} [key] @param {number} [number] */
  async reword(key, number) {
    if (!this.cull.mayDecide) return this.cull.tell(ONLY_LOOKS);
    const here = key ? { key, number } : await this.target();
    if (!here) return;
    try {
      await this.openPanel(`reword/${encodeURIComponent(here.key)}/${here.number}`);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) throw error;
      this.cull.tell(error.message); // it is still to come
    }
  }

  /** What is under the cursor, also where its details have to come first. */
  async target() {
    const [found] = this.grid.list.count ? await this.itemsAt([this.grid.at]) : [];
    return found && targetOf(found[1], imageOf(found[1], this.tile()));
  }

  /** Other words are kept: then the picture is marked as well. @param {string} key @param {number} number */
  reworded(key, number) {
    const item = this.item();
    const here = item && targetOf(item, imageOf(item, this.tile()));
    if (here?.key === key && here.number === number) this.cull.here({ verdict: "reroll" }, "marked for a re-roll with these words", true);
  }

  closed() {
    this.note(false);
    this.settle();
  }

  /** A dialog gives the focus back to where it was; if that is not there any more, it is here. */
  settle() {
    const has = document.activeElement;
    if (has && has !== document.body && !has.closest("dialog:not([open])")) return;
    (this.loupe.isOpen ? this.loupe.stage : byId("grid")).focus({ preventScroll: true });
  }

  /** A panel was opened or closed. */
  noted() {
    if (this.place.panel === this.panels.name) return;
    this.place = { ...this.place, panel: this.panels.name };
    writeAddress(this.place, Boolean(this.panels.name));
    if (!this.panels.name) this.settle();
  }

  /** @param {boolean} isStep */
  note(isStep) {
    const item = this.loupe.isOpen ? this.item() : null;
    const image = item && imageOf(item, this.tile());
    this.place = { ...this.place, key: item ? item.key : "", number: image ? image.number : 0 };
    writeAddress(this.place, isStep);
  }

  /** Other pictures are side by side, or none any more. @param {string} tiles */
  compared(tiles) {
    const isStep = Boolean(tiles) && !this.place.tiles;
    this.place = { ...this.place, tiles };
    writeAddress(this.place, isStep);
  }

  /** The address was changed by "back" or "forward". */
  returned() {
    const place = readAddress();
    const isOther = place.search !== this.place.search || place.order !== this.place.order;
    if (place.batch !== this.place.batch) return location.reload();
    this.place = place;
    if (!place.key && this.loupe.isOpen) this.loupe.close();
    if (!place.panel && this.panels.name) this.panels.dialog.close();
    if (!place.tiles && this.compare.isOpen) this.compare.dialog.close();
    this.filters.set(place.search);
    this.try(async () => {
      if (isOther) await this.load();
      if (place.key) await this.openKey(place.key, place.number);
      if (place.panel) await this.openPanel(place.panel);
      if (place.tiles) await this.compare.open(place.tiles);
    });
  }

  controls() {
    const size = /** @type {HTMLInputElement} */ (byId("size"));
    size.value = localStorage.getItem(SIZE) ?? "200";
    this.grid.size = Number(size.value);
    size.addEventListener("input", () => this.resize(Number(size.value)));
    const order = /** @type {HTMLSelectElement} */ (byId("order"));
    order.addEventListener("change", () => {
      this.place = { ...this.place, order: order.value, at: 0 };
      writeAddress(this.place, true);
      this.try(() => this.load());
    });
    byId("new").addEventListener("click", () => this.try(() => this.takeNew()));
    byId("help-button").addEventListener("click", () => showHelp(this.actions()));
    byId("inspector-button").addEventListener("click", () => this.panel("inspector"));
    byId("filters-button").addEventListener("click", () => this.panel("filters"));
    byId("loupe-accept").addEventListener("click", () => this.cull.verdict("accepted"));
    byId("loupe-reject").addEventListener("click", () => this.cull.verdict("rejected"));
    byId("loupe-reroll").addEventListener("click", () => this.cull.verdict("reroll"));
    byId("loupe-star").addEventListener("click", () => this.starOn());
    addEventListener("popstate", () => this.returned());
  }

  /** @param {"inspector" | "filters"} name */
  panel(name) {
    const isShown = getComputedStyle(byId(name)).display !== "none";
    byId("work").dataset[name] = isShown ? "off" : "on";
    byId(`${name}-button`).setAttribute("aria-expanded", String(!isShown));
    this.grid.layOut();
  }

  /** @param {number} size */
  resize(size) {
    const fits = Math.max(NARROWEST, Math.min(WIDEST, size));
    localStorage.setItem(SIZE, String(fits));
    /** @type {HTMLInputElement} */ (byId("size")).value = String(fits);
    this.grid.resize(fits);
  }

  /** One star more than it has; after five, none. */
  starOn() {
    const item = this.item();
    if (item) this.cull.stars((this.cull.of(item, this.tile()).stars + 1) % 6);
  }

  /** @returns {Record<string, (key: string) => void>} */
  actions() {
    const { grid, loupe, cull } = this;
    const by = (/** @type {() => number} */ step) => (/** @type {string} */ key) => loupe.pans(key) || grid.go(grid.at + step());
    return {
      left: by(() => -1),
      right: by(() => 1),
      up: by(() => (loupe.isOpen ? -1 : -grid.columns)),
      down: by(() => (loupe.isOpen ? 1 : grid.columns)),
      first: () => grid.go(0),
      last: () => grid.go(grid.list.count - 1),
      pageUp: by(() => -grid.columns * grid.rowsOnScreen()),
      pageDown: by(() => grid.columns * grid.rowsOnScreen()),
      open: () => (loupe.isOpen ? loupe.close() : grid.list.count && this.open()),
      zoom: () => (loupe.isOpen ? loupe.zoom() : undefined),
      search: () => this.toSearch(),
      back: () => this.back(),
      take: () => this.try(() => this.takeNew()),
      doubts: () => this.try(() => this.panels.open("doubts")),
      failures: () => this.try(() => this.panels.open("failures")),
      account: () => this.try(() => this.panels.open("account")),
      rerolls: () => this.try(() => this.panels.open("rerolls")),
      larger: () => this.resize(grid.size + 40),
      smaller: () => this.resize(grid.size - 40),
      details: () => this.panel("inspector"),
      help: () => showHelp(this.actions()),
      compare: () => this.try(() => this.compare.open()),
      accept: () => cull.verdict("accepted"),
      reject: () => cull.verdict("rejected"),
      reroll: () => cull.verdict("reroll"),
      reword: () => this.try(() => this.reword()),
      undecide: () => cull.verdict(null),
      stars: (key) => cull.stars(Number(key)),
      noStars: () => cull.stars(0),
      undo: () => cull.undo(),
      redo: () => cull.redo(),
      nextUndecided: () => cull.undecided(1),
      previousUndecided: () => cull.undecided(-1),
      mark: () => cull.mark(),
      markLeft: () => cull.markTo(grid.at - 1),
      markRight: () => cull.markTo(grid.at + 1),
      markUp: () => cull.markTo(grid.at - (loupe.isOpen ? 1 : grid.columns)),
      markDown: () => cull.markTo(grid.at + (loupe.isOpen ? 1 : grid.columns)),
      markAll: () => cull.markAll(),
    };
  }

  toSearch() {
    if (this.loupe.isOpen) this.loupe.close();
    if (getComputedStyle(byId("filters")).display === "none") this.panel("filters");
    byId("search").focus();
  }

  back() {
    if (document.activeElement?.id === "note") byId("grid").focus();
    else if (this.loupe.isOpen) this.loupe.close();
    else if (this.cull.unmark()) byId("grid").focus();
    else if (document.activeElement === byId("search") && this.place.search) byId("grid").focus();
    else this.find("");
    if (document.activeElement === byId("search")) byId("grid").focus();
  }

  /** @param {() => Promise<unknown> | undefined | void} work */
  async try(work) {
    try {
      await work();
    } catch (error) {
      this.failed(error);
    }
  }
}

/** The pictures on screen are there, or it takes long: what else is asked for would be in their way. */
async function pictured() {
  const waiting = [...document.querySelectorAll(".cell img:not(.there)")].map((picture) => new Promise((done) => {
    picture.addEventListener("load", done);
    picture.addEventListener("error", done);
  }));
  await Promise.race([Promise.all(waiting), new Promise((done) => setTimeout(done, LOOK_MS))]);
}
