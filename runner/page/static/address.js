// @ts-check
// Every state of the page is its address: /b/BATCH/?q=&sort=&at=TILE, /b/BATCH/p/KEY/N for one picture, /b/BATCH/PANEL,
// /b/BATCH/reword/KEY/N for the words of one re-roll, /b/BATCH/compare?tiles=TILE,TILE for some side by side.

/** @typedef {{batch: string, search: string, order: string, at: number, key: string, number: number, panel: string, tiles: string}} Place */

let later = 0;

const PANELS = ["doubts", "failures", "account", "rerolls", "reword"];

/** @returns {Place} */
export function readAddress() {
  const [, , batch = "", p = "", key = "", number = "0"] = location.pathname.split("/");
  const query = new URLSearchParams(location.search);
  return {
    batch: decoded(batch),
    search: query.get("q") ?? "",
    order: query.get("sort") === "newest" ? "newest" : "sheet",
    at: Number(query.get("at")) || 0,
    key: p === "p" ? decoded(key) : "",
    number: Number(number) || 0,
    panel: PANELS.includes(p) ? [p, ...(p === "reword" ? [key, number] : [])].join("/") : "",
    tiles: p === "compare" ? (query.get("tiles") ?? "") : "",
  };
}

/** A part of an address; one that somebody has broken is what it is. @param {string} part */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {Place} place @param {boolean} isStep whether "back" leads away from it */
export function writeAddress(place, isStep) {
  const query = new URLSearchParams();
  if (place.search) query.set("q", place.search);
  if (place.order !== "sheet") query.set("sort", place.order);
  if (place.at) query.set("at", String(place.at));
  if (place.tiles) query.set("tiles", place.tiles);
  const isPart = !/^\.{1,2}$/.test(place.key); // a browser takes dots for a way up, however they are written
  const one = place.panel || (place.tiles && "compare") || (place.key && isPart ? `p/${encodeURIComponent(place.key)}/${place.number}` : "");
  const address = `/b/${encodeURIComponent(place.batch)}/${one}${query.size ? `?${query}` : ""}`;
  clearTimeout(later);
  if (address === location.pathname + location.search) return;
  try {
    if (isStep) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    later = setTimeout(() => writeAddress(place, isStep), 1000); // a browser takes only so many in some seconds
  }
}
