// @ts-check
// Deciding by keys: a verdict and the next one, stars, marks, undo. The list never moves; a verdict changes a cell.

import { byId, command, countOf, element, redrawn, say } from "./dom.js";
import { Decisions, isLater, nameOf, shelvesOf, targetOf } from "./decisions.js";
import { imageOf } from "./items.js";
import { getJson } from "./net.js";
import { VERDICTS } from "./tiles.js";

/** @import { Decision } from "./decisions.js" */
/** What was said at once, to take back at once. Batch and place of each are empty for a picture of this batch, and for one of another. @typedef {{places: string[], batches: string[], targets: any[], before: any[], after: any[]}} Entry */
/** A picture of another batch has one. @typedef {{index: number, item: any, tile: number, batch?: string}} Shown */
/** @import { TileList } from "./tiles.js" */
/** @import { View } from "./view.js" */

const MOST_UNDONE = 500;
const MOST_MARKED = 5000;
export const ONLY_LOOKS = "This page may only look: it was opened with --look.";
/** @type {Record<string, string>} */
const FLAGS = { accepted: "--accept", rejected: "--reject", reroll: "--reroll" };
const DONE = { accepted: "accepted", rejected: "rejected", reroll: "marked for a re-roll" };

/** What is said, as options of `nightsheet decide` about all that a search finds. @param {Partial<Decision>} said */
function asFlags(said) {
  if (said.stars !== undefined) return ["--stars", `all=${said.stars}`];
  return [said.verdict ? FLAGS[said.verdict] : "--clear", "all"];
}

export class Cull {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    /** Whether this page may decide; a page that may only look says so. */
    this.mayDecide = false;
    /** Marked tiles: JOB/TILE. @type {Set<string>} */
    this.marks = new Set();
    /** @type {Entry[]} */
    this.undone = [];
    /** @type {Entry[]} */
    this.done = [];
    /** Which tile something was said of, and where it was in the list, by picture. @type {Map<string, {place: string, index: number}>} */
    this.places = new Map();
    /** One key after the other, also where details have to come first. @type {Promise<unknown>} */
    this.turn = Promise.resolve();
    /** How many keys wait for details. */
    this.coming = 0;
    /** What is not saved yet, and why, by batch. @type {Map<string, {many: number, why: string}>} */
    this.waiting = new Map();
    /** Those of each batch that something was said of here. @type {Map<string, Decisions>} */
    this.books = new Map();
    this.decisions = this.book(view.place.batch);
    addEventListener("beforeunload", (event) => this.coming && event.preventDefault());
    addEventListener("pagehide", () => this.books.forEach((book) => book.gathered.length && book.close()));
  }

  /** What is said of a batch's pictures. A verdict beside a picture of another batch goes into that one's. @param {string} [batch] @returns {Decisions} */
  book(batch = this.view.place.batch) {
    const there = this.books.get(batch);
    if (there) return there;
    const made = new Decisions(batch, {
      answered: (answer) => this.answered(answer),
      unsaved: (many, why) => this.unsaved(batch, many, why),
      failed: (error) => this.view.failed(error),
    });
    this.books.set(batch, made);
    return made;
  }

  /** Send what this browser has kept: also what was said of pictures of other batches that are here. */
  async resume() {
    this.decisions.resume();
    const others = shelvesOf().filter((batch) => batch !== this.decisions.batch);
    if (!others.length) return;
    const there = new Set((await getJson("/api/batches")).map((/** @type {any} */ one) => one.batch));
    for (const batch of others) if (there.has(batch)) this.book(batch).resume();
  }

  /** @param {any} item @param {number} tile @param {string} [batch] @returns {Decision} */
  of(item, tile, batch) {
    return this.book(batch).of(item, imageOf(item, tile));
  }

  /** @param {number} index */
  place(index) {
    const { jobs, tiles } = this.view.grid.list;
    return `${jobs[index]}/${tiles[index]}`;
  }

  /** @param {number} index */
  isMarked(index) {
    return this.marks.has(this.place(index));
  }

  /** The places in the list of what a key is about: the marked, else the one under the cursor. */
  chosen() {
    const { list, at } = this.view.grid;
    if (!this.marks.size) return list.count ? [at] : [];
    const chosen = [];
    for (let index = 0; index < list.count; index++) if (this.isMarked(index)) chosen.push(index);
    return chosen;
  }

  /** A verdict, and the next one. @param {"accepted" | "rejected" | "reroll" | null} verdict */
  verdict(verdict) {
    this.decide(this.chosen(), { verdict }, verdict ? DONE[verdict] : "undecided", Boolean(verdict) && !this.marks.size);
  }

  /** @param {number} stars */
  stars(stars) {
    this.decide(this.chosen(), { stars }, stars ? countOf(stars, "star") : "no stars");
  }

  /** About the one under the cursor, whatever is marked. @param {Partial<Decision>} said @param {string} words @param {boolean} [goesOn] */
  here(said, words, goesOn) {
    this.decide([this.view.grid.at], said, words, goesOn);
  }

  /** Say it of what is in these places now; the cursor does not wait for details that have to come first. @param {number[]} chosen @param {Partial<Decision>} said @param {string} words @param {boolean} [goesOn] */
  decide(chosen, said, words, goesOn) {
    const { list } = this.view.grid;
    this.inTurn(() => this.say(list, chosen, said, words));
    if (goesOn && this.mayDecide) this.step();
  }

  /** One key after the other. @param {() => any} work */
  inTurn(work) {
    this.coming++;
    this.turn = this.turn.then(() => this.view.try(work)).catch(reportError).finally(() => this.coming--);
  }

  step() {
    const { grid, items } = this.view;
    if (grid.at + 1 < grid.list.count) grid.go(grid.at + 1);
    const ahead = grid.list.jobs.subarray(grid.at, grid.at + 3 * grid.most());
    if (ahead.subarray(0, grid.most()).some((job) => items.lacks(job))) this.view.try(() => items.want([...ahead]));
  }

  /** @param {TileList} list @param {number[]} chosen places in it @param {Partial<Decision>} said @param {string} words */
  async say(list, chosen, said, words) {
    if (!this.mayDecide) return this.tell(ONLY_LOOKS);
    if (chosen.length > MOST_MARKED) {
      return this.tell(`More than ${MOST_MARKED.toLocaleString("en")} are marked. A search and this do as many as you like:`, this.view.line("decide", "--search", this.view.place.search || "", ...asFlags(said)));
    }
    const found = (await this.details(chosen, list)).map(([index, item]) => ({ index, item, tile: list.tiles[index] }));
    const entry = this.keep(found, found.map(() => said));
    if (entry) this.tell(`${this.named(entry)} ${words}.${chosen.length > 1 ? " Ctrl+Z takes it back." : ""}`);
    if (found.length < chosen.length) this.refused(chosen.length - found.length);
  }

  /** Whatever keeps details away, what was said waits for them. @param {number[]} chosen @param {TileList} list @returns {Promise<[number, any][]>} */
  async details(chosen, list) {
    try {
      return await this.view.itemsAt(chosen, list);
    } catch (error) {
      if (!isLater(error)) throw error;
    }
    this.unsaved("", this.coming, "trying again");
    await new Promise((done) => setTimeout(done, 1000));
    this.unsaved("", 0, "");
    return this.details(chosen, list);
  }

  /** Say it of these pictures, in whatever batches they are: one key takes all of it back. @param {Shown[]} ones @param {Partial<Decision>[]} said of each */
  keep(ones, said) {
    if (!ones.length) return null;
    /** @type {Entry} */
    const entry = { places: [], batches: [], targets: [], before: [], after: said };
    ones.forEach(({ item, tile, batch }, number) => {
      const was = this.of(item, tile, batch);
      entry.places.push(batch ? "" : `${item.id}/${tile}`);
      entry.batches.push(batch ?? "");
      entry.targets.push(targetOf(item, imageOf(item, tile)));
      entry.before.push(Object.fromEntries(Object.keys(said[number]).map((name) => [name, was[/** @type {keyof Decision} */ (name)]])));
    });
    this.done.push(entry);
    if (this.done.length > MOST_UNDONE) this.done.shift();
    this.undone = [];
    this.apply(entry, entry.after);
    return entry;
  }

  /** @param {Entry} entry */
  named(entry) {
    if (entry.places.length > 1) return countOf(entry.places.length, "picture");
    const { key, number } = entry.targets[0];
    const name = number ? `${key}:${number}` : key;
    return entry.batches[0] ? `${name} in ${entry.batches[0]}` : name;
  }

  /** @param {Entry} entry @param {any[]} said */
  apply(entry, said) {
    for (const batch of new Set(entry.batches)) {
      const its = (/** @type {unknown} */ _, /** @type {number} */ number) => entry.batches[number] === batch;
      this.book(batch || undefined).say(entry.targets.filter(its), said.filter(its));
    }
    entry.places.forEach((place, number) => place && this.places.set(nameOf(entry.targets[number]), { place, index: this.find(place) }));
    this.overlay();
    this.view.redraw();
  }

  /** The list says what was said here, whenever it was read. */
  overlay() {
    const { list } = this.view.grid;
    for (const [name, { place, index }] of this.places) {
      const said = this.decisions.over(name);
      const found = index < list.count && this.place(index) === place ? index : this.find(place);
      if (!said) this.places.delete(name);
      else if (found >= 0) list.decide(found, said);
    }
  }

  /** @param {string} place */
  find(place) {
    const [job, tile] = place.split("/").map(Number);
    return this.view.grid.list.find(tile, job);
  }

  undo() {
    this.inTurn(() => this.back(this.done, this.undone, "before", "taken back"));
  }

  redo() {
    this.inTurn(() => this.back(this.undone, this.done, "after", "done again"));
  }

  /** @param {Entry[]} from @param {Entry[]} to @param {"before" | "after"} side @param {string} words */
  back(from, to, side, words) {
    const entry = from.pop();
    if (!entry) return this.tell(`Nothing can be ${words}.`);
    to.push(entry);
    this.apply(entry, entry[side]);
    this.show(entry);
    this.tell(`${this.named(entry)}: ${words}.`);
  }

  /** Look where something was taken back. What is compared stays in view. @param {Entry} entry */
  show(entry) {
    if (this.view.compare.isOpen) return this.view.compare.draw();
    const place = entry.places.find(Boolean);
    const index = place ? this.find(place) : -1;
    if (index >= 0) this.view.grid.go(index);
  }

  /** @param {1 | -1} by */
  undecided(by) {
    const { list, at } = this.view.grid;
    for (let step = 1; step <= list.count; step++) {
      const index = (at + by * step + list.count * 2) % list.count;
      if (!list.verdict(index)) return this.view.grid.go(index);
    }
    this.tell("All are decided.");
  }

  mark() {
    const { at, list } = this.view.grid;
    if (!list.count) return;
    const place = this.place(at);
    if (!this.marks.delete(place)) this.marks.add(place);
    this.marked();
  }

  /** Mark from the cursor to where it goes. @param {number} to */
  markTo(to) {
    const { grid } = this.view;
    const last = Math.max(0, Math.min(to, grid.list.count - 1));
    const [from, until] = [Math.min(grid.at, last), Math.max(grid.at, last)];
    for (let index = from; index <= until && index < grid.list.count; index++) this.marks.add(this.place(index));
    grid.go(last);
    this.marked();
  }

  markAll() {
    const { list } = this.view.grid;
    for (let index = 0; index < list.count; index++) this.marks.add(this.place(index));
    this.marked();
  }

  /** Whether there were any marks to take away. */
  unmark() {
    if (!this.marks.size) return false;
    this.marks.clear();
    this.marked();
    return true;
  }

  marked() {
    this.tell(this.marks.size ? `${this.marks.size.toLocaleString("en")} marked. Esc takes the marks away.` : "No marks.");
    this.view.redraw();
  }

  /** The table has it: the details here say so as well. @param {any} answer */
  answered(answer) {
    if (answer.refused.length) this.refused(answer.refused.length);
    this.view.redraw();
  }

  /** @param {number} many */
  refused(many) {
    this.tell(`${countOf(many, "decision")} not taken: another picture has come, or the row is gone. Look again.`);
    this.view.changed();
  }

  /** The table has been read: details that were not, and are older than what is decided, come again. @param {number} at @param {number[]} read */
  readBack(at, read) {
    for (const name of this.decisions.readBack(at)) {
      const job = parseInt(this.places.get(name)?.place ?? "", 10);
      if (!read.includes(job)) this.view.items.kept.delete(job);
    }
  }

  /** @param {string} batch @param {number} many @param {string} why */
  unsaved(batch, many, why) {
    if (many) this.waiting.set(batch, { many, why });
    else this.waiting.delete(batch);
    const all = [...this.waiting.values()];
    const sum = all.reduce((so, one) => so + one.many, 0);
    byId("unsaved").hidden = !sum;
    byId("unsaved").textContent = sum ? `⚠ ${countOf(sum, "decision")} not saved: ${all[0].why}` : "";
  }

  /** Say it, to see and to hear. @param {string} text @param {string} [line] */
  tell(text, line = "") {
    byId("told").replaceChildren(text, ...(line ? [" ", command(line)] : []));
    say(text);
  }

  /** What comes when all is decided. @param {number[]} many of each verdict */
  next([, accepted, , rerolls]) {
    if (this.view.place.search) return [element("span", {}, "all of these are decided")];
    const only = accepted ? ["--only", "accepted"] : [];
    return [
      element("span", {}, "All decided. Next:"),
      ...(rerolls ? [command(this.view.line("reroll"))] : []),
      ...(accepted ? [command(this.view.line("gallery", "--output", "gallery", ...only))] : []),
      command(this.view.line("export", "--format", "imagefolder", "--output", "chosen", ...only)),
    ];
  }

  /** How far it is. */
  tally() {
    const many = this.view.grid.list.tally();
    const told = VERDICTS.map(({ name, sign }, index) => element("span", { title: name }, `${sign} ${many[index + 1].toLocaleString("en")}`));
    redrawn(byId("tally"), ...told, ...(many[0] ? [element("span", {}, `${many[0].toLocaleString("en")} undecided`)] : this.next(many)));
    byId("loupe-verdicts").hidden = !this.mayDecide;
    byId("tally").hidden = !this.mayDecide || !this.view.grid.list.count;
  }
}
