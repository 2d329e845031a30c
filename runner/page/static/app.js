// @ts-check
// Where the page begins: let in by the link, then a batch, or the list of all.

import { readAddress } from "./address.js";
import { byId, element } from "./dom.js";
import { follow } from "./live.js";
import { enter, getJson, Refused } from "./net.js";
import { View } from "./view.js";

const GONE = "The page has lost its server. Type nightsheet view again, and open the link that it prints.";
const LOST = "The database was deleted or replaced. Type nightsheet view again, and open the link that it prints.";
const NEWER = "A newer Nightsheet has changed this database. Type nightsheet view again, with that one, and open the link that it prints.";

/** @param {string} text */
function trouble(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = !text;
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof Refused) trouble(`${error.message} ${error.hint}`.trim());
  else if (error instanceof TypeError) trouble(GONE); // what fetch raises where nobody answers
  else throw error;
}

async function listBatches() {
  byId("name").textContent = "Batches";
  const batches = await getJson("/api/batches");
  const rows = batches.map((/** @type {any} */ one) => element("li", {},
    element("a", { href: `/b/${encodeURIComponent(one.batch)}/` }, one.batch),
    element("span", {}, one.last_run_at ? `last run ${new Date(one.last_run_at).toLocaleString()}` : "not run yet"),
    element("span", { class: "sheet" }, one.sheet)));
  const none = element("p", {}, "This database has no batch yet. Type: nightsheet run SHEET");
  byId("batches").replaceChildren(rows.length ? element("ul", {}, ...rows) : none);
  byId("batches").hidden = false;
}

async function start() {
  await enter();
  const { batch } = readAddress();
  if (!batch) {
    await listBatches();
    follow(() => void listBatches().catch(failed), told);
    return;
  }
  const view = new View(failed);
  await view.start();
  follow((stamp) => {
    if (stamp !== view.stamp) view.changed();
  }, told);
}

/** @param {"lost" | "newer" | "gone" | "back"} what */
function told(what) {
  trouble({ lost: LOST, newer: NEWER, gone: GONE, back: "" }[what]);
}

// A link that is pasted into a tab of the same batch changes only the fragment: nothing is loaded by itself.
addEventListener("hashchange", () => location.hash.length > 1 && location.reload());
start().catch(failed);
