// @ts-check
// The list of tiles, as it came: columns of bytes. A tile is the id of its image, or minus that of its job.

export const STATES = ["queued", "submitting", "running", "fetching", "succeeded", "failed", "cancelled", "unconfirmed"];

/** A sign for each state: a colour alone is not seen by everybody. */
export const SIGNS = { queued: "◌", submitting: "↑", running: "◔", fetching: "↓", succeeded: "✓", failed: "✕", cancelled: "⊘", unconfirmed: "?" };

export class TileList {
  /** @param {ArrayBuffer} data @param {number} count */
  constructor(data = new ArrayBuffer(0), count = 0) {
    this.count = count;
    this.tiles = new Int32Array(data, 0, count);
    this.jobs = new Uint32Array(data, 4 * count, count);
    this.ratios = new Uint16Array(data, 8 * count, count);
    this.states = new Uint8Array(data, 10 * count, count);
  }

  /** @param {number} index */
  state(index) {
    return STATES[this.states[index] & 0x0f];
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
