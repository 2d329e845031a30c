// @ts-check
// What is said about pictures, on its way to the table: shown at once, gathered, sent, and kept in this browser
// until it is answered. Each sending has an id of its own: sent twice, by whichever tab, it is done once.

import { apiPath, postJson, Refused } from "./net.js";

/** @typedef {{verdict: string | null, stars: number, note: string, older?: boolean}} Decision */
/** @typedef {{key: string, number: number, sha256: string | null}} Target */
/** @typedef {{action: string, at: number, decisions: any[]}} Sending */

const GATHER_MS = 250;
const MOST_AT_ONCE = 300;
const MOST_CHARACTERS = 80_000;
const LONGEST_WAIT_MS = 15_000;
const AGAIN = [0, 401, 403, 503];

const SHELVES = "nightsheet-unsaved/";

/** @type {Decision} */
export const NOTHING = { verdict: null, stars: 0, note: "" };

/** Whether the same may be answered in a while. @param {unknown} error */
export const isLater = (error) => AGAIN.includes(error instanceof Refused ? error.status : 0);

/** @param {Target} target */
export const nameOf = ({ key, number, sha256 }) => JSON.stringify([key, number, sha256]);

/** What a decision about a tile is about: the picture that it shows, else its job. @param {any} item @param {any} image @returns {Target} */
export const targetOf = (item, image) => ({ key: item.key, number: image ? image.number : 0, sha256: image ? image.sha256 : null });

/** What is kept under a name. Another program may have had this address before: what is no sending is none of ours. @param {string} name @returns {Sending[]} */
function sendingIn(name) {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? "");
    if (Array.isArray(found.decisions) && name.endsWith(`/${found.action}`)) return [found];
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  localStorage.removeItem(name);
  return [];
}

/** The batches of which this browser keeps something that is not answered. @returns {string[]} */
export function shelvesOf() {
  const named = Object.keys(localStorage).filter((name) => name.startsWith(SHELVES));
  return [...new Set(named.map((name) => name.slice(SHELVES.length, name.lastIndexOf("/"))))];
}

export class Decisions {
  /** @param {string} batch @param {{answered: (answer: any) => void, unsaved: (many: number, why: string) => void, failed: (error: Refused) => void}} owner */
  constructor(batch, owner) {
    this.batch = batch;
    this.owner = owner;
    this.shelf = `${SHELVES}${batch}/`;
    /** What is not answered yet, the oldest first. @type {Sending[]} */
    this.queue = [];
    /** What these say, by picture. @type {Map<string, any>} */
    this.said = new Map();
    /** What was answered, until the table has been read again: an older answer must not undo it here. @type {Map<string, {said: any, at: number}>} */
    this.settled = new Map();
    /** @type {any[]} */
    this.gathered = [];
    this.gathering = 0;
    /** The sending that goes on. @type {Promise<void> | null} */
    this.sending = null;
    this.waiting = 0;
    this.wait = 1000;
  }

  /** Take up what this browser has kept: of a tab that was closed, a server that was killed. */
  resume() {
    const kept = Object.keys(localStorage).filter((name) => name.startsWith(this.shelf));
    this.queue = kept.flatMap(sendingIn).sort((one, other) => one.at - other.at);
    this.remember();
    this.send();
  }

  /** What is decided about a picture, as far as this page knows. @param {any} item @param {any} image @returns {Decision} */
  of(item, image) {
    const base = (image ? image.decision : item.decision) ?? NOTHING;
    const said = this.over(nameOf(targetOf(item, image)));
    if (!said) return base.older ? { ...NOTHING, older: true } : base;
    return { ...NOTHING, ...(base.older ? {} : base), ...said, older: false };
  }

  /** What was said here of a picture, and may not be read back yet. @param {string} name */
  over(name) {
    const [settled, said] = [this.settled.get(name)?.said, this.said.get(name)];
    return settled || said ? { ...settled, ...said } : null;
  }

  /** The table has been read, by a request made at that time: what it has is no longer remembered. @param {number} at */
  readBack(at) {
    const names = [...this.settled.keys()].filter((name) => this.settled.get(name).at < at);
    for (const name of names) this.settled.delete(name);
    return names;
  }

  /** @param {Target[]} targets @param {Partial<Decision>[]} said of each */
  say(targets, said) {
    targets.forEach((target, index) => this.gathered.push({ ...target, ...said[index] }));
    this.remember();
    if (!this.gathering) this.gathering = setTimeout(() => this.close(), GATHER_MS);
  }

  /** Make sendings of what was gathered, and keep them. */
  close() {
    clearTimeout(this.gathering);
    this.gathering = 0;
    const merged = new Map();
    for (const one of this.gathered) merged.set(nameOf(one), { ...merged.get(nameOf(one)), ...one });
    this.gathered = [];
    let some = /** @type {any[]} */ ([]);
    let characters = 0;
    for (const one of merged.values()) {
      if (some.length === MOST_AT_ONCE || characters > MOST_CHARACTERS) {
        this.keep(some);
        [some, characters] = [[], 0];
      }
      some.push(one);
      characters += one.key.length * 2 + (one.note?.length ?? 0) * 2 + 150;
    }
    if (some.length) this.keep(some);
    this.remember();
    this.send();
  }

  /** @param {any[]} decisions */
  keep(decisions) {
    const sending = { action: crypto.randomUUID(), at: Date.now() + this.queue.length / 1000, decisions };
    this.queue.push(sending);
    try {
      localStorage.setItem(this.shelf + sending.action, JSON.stringify(sending));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // the browser's room is full: it is sent all the same
    }
  }

  remember() {
    this.said.clear();
    for (const one of [...this.queue.flatMap((sending) => sending.decisions), ...this.gathered]) {
      const { key, number, sha256, ...said } = one;
      const name = nameOf({ key, number, sha256 });
      this.said.set(name, { ...this.said.get(name), ...said });
    }
  }

  /** All that was said so far is in the table, or the table cannot be reached for now. */
  async flush() {
    this.close();
    await this.sending;
  }

  send() {
    if (!this.sending && this.queue.length) this.sending = this.sendAll();
  }

  /** One sending after the other, the oldest first; what finds nobody is tried again. */
  async sendAll() {
    clearTimeout(this.waiting);
    try {
      while (this.queue.length) if (!(await this.sendOldest())) return;
    } finally {
      this.sending = null;
    }
    this.owner.unsaved(0, "");
  }

  /** Whether the next may follow. */
  async sendOldest() {
    const { action, decisions } = this.queue[0];
    try {
      const answer = await postJson(apiPath(this.batch, "decisions"), { action, decisions });
      this.settle(decisions, answer.refused);
      this.drop(action);
      this.owner.answered(answer);
      this.wait = 1000;
    } catch (error) {
      if (isLater(error)) {
        this.owner.unsaved(this.said.size, [401, 403].includes(/** @type {any} */ (error).status) ? "open the link that nightsheet view prints" : `trying again. ${/** @type {Error} */ (error).message}`);
        this.waiting = setTimeout(() => this.send(), this.wait);
        this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
        return false;
      }
      this.drop(action);
      this.owner.failed(/** @type {Refused} */ (error));
    }
    return true;
  }

  /** @param {any[]} decisions @param {any[]} refused */
  settle(decisions, refused) {
    const not = new Set(refused.map(nameOf));
    for (const { key, number, sha256, ...said } of decisions) {
      const name = nameOf({ key, number, sha256 });
      if (!not.has(name)) this.settled.set(name, { said: { ...this.settled.get(name)?.said, ...said }, at: performance.now() });
    }
  }

  /** @param {string} action */
  drop(action) {
    this.queue = this.queue.filter((sending) => sending.action !== action);
    localStorage.removeItem(this.shelf + action);
    this.remember();
  }
}
