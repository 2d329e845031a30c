// @ts-check
// The list of tiles, as it came: columns of bytes. A tile is the id of its image, or minus that of its job.

export const STATES = ["queued", "submitting", "running", "fetching", "succeeded", "failed", "cancelled", "unconfirmed"];

/** A sign for each state: a colour alone is not seen by everybody. */
export const SIGNS = { queued: "◌", submitting: "↑", running: "◔", fetching: "↓", succeeded: "✓", failed: "✕", cancelled: "⊘", unconfirmed: "?" };

/** @import { Decision } from "./decisions.js" */

/** Verdicts by their numbers, from 1. */
export const VERDICTS = [
  { name: "accepted", sign: "✓" },
  { name: "rejected", sign: "✕" },
  { name: "reroll", sign: "↻" },
];

export class TileList {
  /** @param {ArrayBuffer} data @param {number} count */
  constructor(data = new ArrayBuffer(0), count = 0) {
    this.count = count;
    this.tiles = new Int32Array(data, 0, count);
    this.jobs = new Uint32Array(data, 4 * count, count);
    this.ratios = new Uint16Array(data, 8 * count, count);
    this.states = new Uint8Array(data, 10 * count, count);
    this.decisions = new Uint8Array(data, 11 * count, count);
  }

  /** @param {number} index */
  state(index) {
    return STATES[this.states[index] & 0x0f];
  }

  /** The number of a verdict, 0 for none. @param {number} index */
  verdict(index) {
    return this.decisions[index] & 3;
  }

  /** What was said of a tile here. @param {number} index @param {Partial<Decision>} said */
  decide(index, said) {
    let byte = this.decisions[index] & ~4;
    if (said.verdict !== undefined) byte = (byte & ~3) | (VERDICTS.findIndex(({ name }) => name === said.verdict) + 1);
    if (said.stars !== undefined) byte = (byte & 0x0f) | (said.stars << 4);
    if (said.note !== undefined) byte = (byte & ~8) | (said.note ? 8 : 0);
    this.decisions[index] = byte;
  }

  /** How many have no verdict, and how many each. */
  tally() {
    const many = [0, 0, 0, 0];
    for (const byte of this.decisions) many[byte & 3]++;
    return many;
  }

  /** Take over what another list knows by now of these tiles; none of them moves. @param {TileList} other */
  learn(other) {
    const places = new Map();
    for (let index = 0; index < other.count; index++) places.set(other.tiles[index] * 0x100000000 + other.jobs[index], index);
    for (let index = 0; index < this.count; index++) {
      const place = places.get(this.tiles[index] * 0x100000000 + this.jobs[index]);
      if (place !== undefined) this.decisions[index] = other.decisions[place];
    }
  }

  /** Where a tile is; else where its job is, which may have got an image meanwhile. @param {number} tile @param {number} job */
  find(tile, job) {
    const index = this.tiles.indexOf(tile);
    return index >= 0 && (!job || this.jobs[index] === job) ? index : job ? this.jobs.indexOf(job) : -1;
  }

  /** How many tiles it has that another list lacks. @param {TileList} other */
  beyond(other) {
    const known = new Set(other.tiles);
    return this.tiles.reduce((many, tile) => many + (known.has(tile) ? 0 : 1), 0);
  }
}
