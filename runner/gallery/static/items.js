// @ts-check
// The images of the gallery, as data.js has them: [key, prompt or null, [[number, name, shown, width, height], ...]].

/** @typedef {[string, string | null, [number, string, string, number, number][]]} Entry */

/** @type {{title: string, jobs: Entry[]}} */
export const gallery = /** @type {any} */ (globalThis).GALLERY;

/** @type {any[]} by job, from 1 */
const items = [];
/** The first tile of each job, from 1. @type {number[]} */
const firsts = [];
let tiles = 1;
for (const [, , images] of gallery.jobs) {
  firsts.push(tiles);
  tiles += images.length;
}

/** A job, as a cell shows it. @param {number} job */
export function itemOf(job) {
  return (items[job] ??= made(job));
}

/** @param {number} job */
function made(job) {
  const [key, prompt, images] = gallery.jobs[job - 1];
  return {
    id: job,
    key,
    prompt: prompt ?? "",
    state: "succeeded",
    warnings: [],
    error: null,
    held: null,
    images: images.map(([number, name, shown, width, height], place) =>
      ({ id: firsts[job - 1] + place, number: place + 1, name, shown, width, height, file: "here", words: which(number, images) })),
  };
}

/** Which of its job's images it is: some may be left out, and then the first of two may be the third. @param {number} number @param {Entry[2]} images */
const which = (number, images) => (images.length > 1 || number > 1 ? ` ${number}` : "");

/** @param {any} item @param {number} tile */
export const imageOf = (item, tile) => item.images.find((/** @type {any} */ image) => image.id === tile);

/**
 * What a list of tiles is made of, for the jobs whose key or prompt has all words.
 * @param {string} search
 * @returns {{tile: number, job: number, ratio: number}[]}
 */
export function found(search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  /** @type {{tile: number, job: number, ratio: number}[]} */
  const all = [];
  gallery.jobs.forEach(([key, prompt, images], place) => {
    const text = words.length ? `${key}\n${prompt ?? ""}`.toLowerCase() : "";
    if (!words.every((word) => text.includes(word))) return;
    images.forEach(([, , , width, height], number) =>
      all.push({ tile: firsts[place] + number, job: place + 1, ratio: Math.min(65535, Math.round((1000 * width) / height)) }));
  });
  return all;
}
