// @ts-check
// Everything that is asked of the server. Nobody else is ever asked.

export class Refused extends Error {
  /** @param {number} status @param {string} message @param {string} hint */
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** A text that is no search: it says why. */
export class NoSearch extends Error {}

const KEY = "nightsheet-key";
/** Where nobody answers: the server has ended. */
const NOBODY = 0;

/** Use the link's secret, and take it out of the address. */
export async function enter() {
  const link = location.hash.slice(1);
  if (!link) return;
  history.replaceState(null, "", location.pathname + location.search);
  const { key } = await postJson("/enter", { link });
  if (key) localStorage.setItem(KEY, key);
  else localStorage.removeItem(KEY);
}

/** Have something changed. Only who came by the link has the key. @param {string} path @param {any} told @returns {Promise<any>} */
export async function postJson(path, told) {
  const headers = { "Content-Type": "application/json", "X-Nightsheet-Key": localStorage.getItem(KEY) ?? "" };
  const options = { method: "POST", headers, body: JSON.stringify(told) };
  const response = await asked(path, options).catch((error) => {
    if (error instanceof TypeError) throw new Refused(NOBODY, "The page has lost its server.", "");
    throw error;
  });
  return response.json();
}

/** @param {string} path @returns {Promise<any>} */
export async function getJson(path) {
  return (await asked(path)).json();
}

/** The bytes of a list of tiles. @param {string} path */
export async function getTiles(path) {
  const response = await asked(path);
  if (response.headers.get("Content-Type")?.includes("json")) {
    const told = await response.json();
    throw new NoSearch(`${told.problem} ${told.hint}`);
  }
  const data = await response.arrayBuffer();
  const count = Number(response.headers.get("X-Tiles"));
  if (data.byteLength !== count * 12) throw new Refused(500, "The list of tiles came in pieces.", "");
  return { data, count, stamp: Number(response.headers.get("X-Stamp")), rights: response.headers.get("X-Rights") };
}

/** @param {string} batch @param {string} name @param {Record<string, string>} [query] */
export function apiPath(batch, name, query = {}) {
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return `/api/${encodeURIComponent(batch)}/${name}${told.size ? `?${told}` : ""}`;
}

/** The address of a thumbnail. @param {{id: number, sha256: string}} image @param {384 | 1600} side */
export const thumbPath = (image, side) => `/t/${image.id}/${image.sha256}.webp?s=${side}`;

/** The address of the image itself. @param {{id: number, sha256: string}} image */
export const imagePath = (image) => `/p/${image.id}/${image.sha256}`;

/** @param {string} path @param {RequestInit} [options] */
async function asked(path, options) {
  const response = await fetch(path, options);
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refused(response.status, told.error ?? `The page's server answered ${response.status}.`, told.hint ?? "");
}
