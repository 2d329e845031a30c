// @ts-check
// The search, and the values of fields to click on, each with how many tiles have it. A group asks when it is open.

import { button, byId, element, redrawn } from "./dom.js";
import { apiPath, getJson } from "./net.js";
import { has, term, toggled } from "./search.js";

const MOST_VALUES = 50;
const TYPING_MS = 250;
const OPEN = new Set(["verdict", "state", "kind"]);

export class Filters {
  /** @param {string} batch @param {(search: string) => void} changed @param {(work: () => Promise<unknown>) => void} attempt */
  constructor(batch, changed, attempt) {
    this.batch = batch;
    this.changed = changed;
    this.attempt = attempt;
    this.search = "";
    this.field = /** @type {HTMLInputElement} */ (byId("search"));
    this.typing = 0;
    this.field.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.changed(this.field.value), TYPING_MS);
    });
    /** @type {string[]} */
    this.fields = [];
    /** @type {Map<string, HTMLDetailsElement>} */
    this.groups = new Map();
  }

  /** @param {string} search */
  set(search) {
    this.search = search;
    if (document.activeElement !== this.field) this.field.value = search;
  }

  /** @param {string} message */
  problem(message) {
    byId("search-problem").textContent = message;
  }

  /** Make the groups, and fill those that are open. */
  async load() {
    const { fields, columns } = await getJson(apiPath(this.batch, "facets"));
    this.fields = fields;
    /** @type {string[]} */
    const names = [...fields, ...columns.map((/** @type {string} */ name) => `col.${name}`)];
    if ([...this.groups.keys()].join("\n") !== names.join("\n")) {
      this.groups = new Map(names.map((name) => [name, this.group(name)]));
      byId("facets").replaceChildren(...this.groups.values());
    }
    await this.refresh();
  }

  async refresh() {
    const open = [...this.groups].filter(([, group]) => group.open);
    for (const [, group] of open) group.dataset.filled = "yes"; // that it opens is told later: it is not to ask as well
    for (const [name, group] of open) await this.fill(name, group);
  }

  /** @param {string} name */
  group(name) {
    const group = /** @type {HTMLDetailsElement} */ (element("details", {}, element("summary", {}, name.replace(/^col\./, "")), element("div", {})));
    group.open = OPEN.has(name);
    group.addEventListener("toggle", () => {
      if (!group.open) delete group.dataset.filled;
      else if (!group.dataset.filled) this.attempt(() => this.fill(name, group));
    });
    return group;
  }

  /** @param {string} name @param {HTMLDetailsElement} group */
  async fill(name, group) {
    group.dataset.filled = "yes";
    const values = await getJson(apiPath(this.batch, "facets", { of: name, q: this.search }));
    const rows = values.slice(0, MOST_VALUES).map((/** @type {any} */ one) => this.value(name, one));
    const more = values.length > MOST_VALUES ? [element("p", {}, "More: type its name.")] : [];
    const none = values.length ? [] : [element("p", {}, "none")];
    redrawn(/** @type {HTMLElement} */ (group.lastElementChild), ...rows, ...more, ...none);
  }

  /** @param {string} name @param {{value: string, tiles: number}} one */
  value(name, one) {
    const own = name.replace(/^col\./, "");
    const typed = term(this.fields.includes(own) ? name : own, one.value);
    const made = button("", () => this.changed(toggled(this.search, typed)), { class: "value", "aria-pressed": String(has(this.search, typed)) });
    made.append(element("span", {}, one.value || "(empty)"), element("span", { class: "many" }, one.tiles.toLocaleString("en")));
    return made;
  }
}
