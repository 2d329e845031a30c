// @ts-check
// Details of jobs: asked for what is on screen, all that is missing at once, and kept for a while.

import { apiPath, getJson } from "./net.js";

const MOST_KEPT = 3000;
const MOST_ASKED = 150;

export class Items {
  /** @param {string} batch @param {() => void} arrived */
  constructor(batch, arrived) {
    this.batch = batch;
    this.arrived = arrived;
    /** @type {Map<number, any>} */
    this.kept = new Map();
    /** Those that are on their way. @type {Map<number, Promise<any>>} */
    this.asked = new Map();
  }

  /** @param {number} job */
  get(job) {
    return this.kept.get(job);
  }

  /** Whether details are neither here nor on their way. @param {number} job */
  lacks(job) {
    return !this.kept.has(job) && !this.asked.has(job);
  }

  /** Have these jobs' details come, if they are not there. @param {number[]} jobs */
  async want(jobs) {
    const missing = [...new Set(jobs)].filter((job) => this.lacks(job));
    for (let first = 0; first < missing.length; first += MOST_ASKED) {
      await this.ask(missing.slice(first, first + MOST_ASKED));
    }
  }

  /** Have them come again, as many as come at once; which these are. @param {number[]} jobs */
  async refresh(jobs) {
    const some = [...new Set(jobs)].slice(0, MOST_ASKED);
    await this.ask(some);
    return some;
  }

  /** The job of a key. @param {string} key */
  async byKey(key) {
    const [item] = await getJson(apiPath(this.batch, "items", { key }));
    if (item) this.keep(item);
    return item;
  }

  /** The details of any number of jobs, by their ids; those that are not here are asked for, and not all kept. @param {number[]} jobs */
  async all(jobs) {
    await Promise.allSettled(jobs.map((job) => this.asked.get(job)));
    const found = new Map(jobs.map((job) => [job, this.kept.get(job)]));
    const missing = [...found.keys()].filter((job) => !found.get(job));
    for (let first = 0; first < missing.length; first += MOST_ASKED) {
      for (const item of await this.fetch(missing.slice(first, first + MOST_ASKED))) found.set(item.id, item);
    }
    return found;
  }

  /** @param {number[]} jobs */
  async ask(jobs) {
    if (!jobs.length) return;
    const coming = this.fetch(jobs);
    for (const job of jobs) this.asked.set(job, coming);
    try {
      await coming;
      this.arrived();
    } finally {
      for (const job of jobs) this.asked.delete(job);
    }
  }

  /** @param {number[]} jobs @returns {Promise<any>} */
  async fetch(jobs) {
    const items = await getJson(apiPath(this.batch, "items", { jobs: jobs.join() }));
    for (const item of items) this.keep(item);
    return items;
  }

  /** @param {any} item */
  keep(item) {
    this.kept.delete(item.id);
    this.kept.set(item.id, item);
    if (this.kept.size > MOST_KEPT) this.kept.delete(/** @type {number} */ (this.kept.keys().next().value));
  }
}

/** The image that a tile shows: its own; of a job that had none, the first that came since. @param {any} item @param {number} tile */
export function imageOf(item, tile) {
  return tile > 0 ? item.images.find((/** @type {any} */ image) => image.id === tile) : item.images[0];
}
