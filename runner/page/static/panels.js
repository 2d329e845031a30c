// @ts-check
// Doubts, failures, money and re-rolls: one dialog, read when it is opened. What can pay is a line to type, and no button.

import { decoded } from "./address.js";
import { button, byId, command, countOf, element, money, say } from "./dom.js";
import { apiPath, getJson, postJson } from "./net.js";
import { changedWords, MOST_VARIANTS, rewordForm } from "./reword.js";

/** @typedef {"doubts" | "failures" | "account" | "rerolls" | "reword"} Name */

const TITLES = { doubts: "Unconfirmed", failures: "Failed", account: "Money", rerolls: "Re-rolls", reword: "Re-roll with other words" };
const SEARCHES = { doubts: "state:unconfirmed", failures: "state:failed", account: "", rerolls: "verdict:reroll", reword: "" };

/** Have something done, once however often it is sent. @param {string} batch @param {string} what @param {any} told */
export function act(batch, what, told) {
  return postJson(apiPath(batch, what), { ...told, action: crypto.randomUUID() });
}

export class Panel {
  /**
   * @param {string} batch
   * @param {{mayDecide: () => boolean, find: (search: string) => void, failed: (error: unknown) => void, noted: () => void, reword: (key: string, number: number) => void, reworded: (key: string, number: number) => void}} owner
   */
  constructor(batch, owner) {
    this.batch = batch;
    this.owner = owner;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("panel"));
    /** That of a panel; of `reword` with the picture that it is about. */
    this.name = "";
    /** Whether the words of a re-roll were asked for in the list of all. */
    this.fromList = false;
    this.opening = false;
    this.dialog.addEventListener("close", () => {
      if (this.opening) return; // of the one before: it is told late
      this.name = "";
      this.fromList = false;
      owner.noted();
    });
  }

  /** @param {string} name */
  async open(name) {
    const before = this.name;
    [this.name, this.opening] = [name, true];
    try {
      await this.read("");
    } catch (error) {
      this.name = before;
      throw error;
    } finally {
      this.opening = false;
    }
    if (!this.dialog.open) this.dialog.showModal();
    this.owner.noted();
  }

  /** Read it again. @param {string} done what was done before */
  async read(done) {
    const { name } = this;
    const [kind, key = "", number = ""] = /** @type {[Name, string, string]} */ (name.split("/"));
    const told = await getJson(apiPath(this.batch, kind, { key: decoded(key), number }));
    if (this.name !== name) return;
    const parts = { doubts: () => this.doubts(told), failures: () => this.failures(told), account: () => this.account(told), rerolls: () => this.rerolls(told), reword: () => this.reword(told) }[kind]();
    const search = SEARCHES[kind];
    const grid = search ? [button("Show them in the grid", () => this.find(search))] : [];
    const inside = byId("panel-body").contains(document.activeElement);
    byId("panel-title").textContent = TITLES[kind];
    byId("panel-told").textContent = done;
    byId("panel-body").replaceChildren(
      ...parts,
      element("p", { class: "row" }, ...grid, button("Close", () => this.dialog.close())),
    );
    if (inside) byId("panel-title").focus(); // what had it is not there any more
  }

  /** @param {string} search */
  find(search) {
    this.dialog.close();
    this.owner.find(search);
  }

  /** @param {string} what @param {any} told @param {(answer: any) => string} words */
  async act(what, told, words) {
    try {
      await this.read(words(await act(this.batch, what, told)));
    } catch (error) {
      this.refused(error);
    }
  }

  /** A button that acts at its second click: what it does cannot be taken back. @param {string} text @param {() => void} done */
  twice(text, done) {
    const made = button(text, () => {
      if (made.dataset.sure) return done();
      made.dataset.sure = "yes";
      made.textContent = `${text}: sure?`;
      say(made.textContent);
    });
    return this.owner.mayDecide() ? made : null;
  }

  /** @param {any[]} told */
  doubts(told) {
    if (!told.length) return [element("p", {}, "No submit is without an answer.")];
    const [open, ended] = [told.filter((one) => !one.ended), told.filter((one) => one.ended)];
    return [
      ...(open.length ? [element("p", {}, "These were sent, and no answer came that can be read. Look at your requests at the API: what is there was paid for, so attach its id. What is not there may be sent again; if it was there after all, it is paid twice.")] : [element("p", {}, "No submit is without an answer.")]),
      ...open.map((one) => this.doubt(one)),
      ...(ended.length ? [element("h3", {}, "Ended without a picture"), element("p", {}, "If the API has one of these after all, attach its id: it is fetched, free.")] : []),
      ...ended.map((one) => this.doubt(one)),
    ];
  }

  /** @param {any} one */
  doubt(one) {
    const when = one.sent_at ? `sent ${new Date(one.sent_at).toLocaleString()}` : "";
    const seed = one.seed === null ? "" : `seed ${one.seed}`;
    const facts = [one.ended ? one.state : "", when, seed, `${money(one.at_risk_usd)} at risk`, one.in_sheet ? "" : "its row has left the sheet"].filter(Boolean);
    const discard = () => this.act("discard", { keys: [one.key] }, (answer) => outcome(answer.discarded, "let go", answer.not_changed));
    return element("section", { class: "entry", "aria-label": one.key },
      element("h3", {}, one.key),
      element("p", { class: "prompt" }, one.prompt),
      element("p", {}, facts.join(" · ")),
      element("p", { class: "warning" }, one.message),
      one.answer ? element("details", {}, element("summary", {}, `What was answered (HTTP ${one.answer.status})`), element("code", {}, one.answer.body)) : null,
      ...one.candidates.map((/** @type {any} */ found) => element("p", {}, `${found.why} `, element("code", {}, found.id), ". To attach it: ", command(found.command))),
      attachLine(one),
      one.ended ? null : one.resubmit ? element("p", {}, "It is not there; send it again, perhaps paid twice: ", command(one.resubmit)) : null,
      one.ended ? null : element("p", { class: "row" }, "Let it go, perhaps paid for nothing: ", command(one.discard), this.twice("Let it go", discard)));
  }

  /** @param {any[]} told */
  failures(told) {
    if (!told.length) return [element("p", {}, "No job has failed.")];
    return told.map((one) => {
      const fetch = () => this.act("fetch", { kinds: [one.kind] }, (answer) => outcome(answer.fetched, "fetched again by the next run, free", []));
      return element("section", { class: "entry", "aria-label": one.kind },
        element("h3", {}, `${one.kind}: ${countOf(one.jobs, "job")}`),
        ...one.messages.map((/** @type {any} */ said) => element("p", { class: "row" },
          element("span", { class: "warning" }, `${said.jobs > 1 ? `${said.jobs.toLocaleString("en")} × ` : `${said.first}: `}${said.message}`),
          this.owner.mayDecide() ? button("Other words…", () => this.owner.reword(said.first, 0), { "aria-label": `Other words for ${said.first}` }) : null)),
        element("p", {}, cost(one)),
        element("p", { class: "row" }, one.free && this.owner.mayDecide() ? button(`Fetch ${countOf(one.free, "job")} again, free`, fetch) : null, button("Show them", () => this.find(`kind:${one.kind}`))),
        one.paid || one.unknown ? element("p", {}, "It says its price, and asks: ", command(one.command)) : null);
    });
  }

  /** @param {any} told */
  account(told) {
    /** @type {[string, string][]} */
    const sums = [
      ["Told by the API", money(told.told_usd)],
      ["Estimated, where it told nothing", money(told.estimated_usd)],
      ["In doubt", money(told.in_doubt_usd)],
      ["Budget", told.budget_usd === null ? "none" : money(told.budget_usd)],
      ["Submits", `${told.submits.toLocaleString("en")}${told.turned_away ? `, and ${told.turned_away.toLocaleString("en")} turned away, free` : ""}`],
      ["Paid, or perhaps, without a result here", `${told.not_in_hand_count.toLocaleString("en")}, ${money(told.not_in_hand_usd)}`],
    ];
    const missing = told.not_in_hand.map((/** @type {any} */ one) => element("li", {}, `${one.key}: ${one.why}, ${money(one.usd)}${one.request_id ? `, ${one.request_id}` : ""}`));
    return [
      element("dl", {}, ...sums.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
      ...models(told.models),
      element("p", told.balanced ? {} : { class: "warning" }, told.balanced ? "Every submit was agreed to." : "A job was sent more often than was agreed to."),
      ...(missing.length ? [element("ul", {}, ...missing)] : []),
      element("p", {}, "All of it: ", command(told.command)),
      ...(this.owner.mayDecide() ? this.less() : []),
    ];
  }

  /** @param {any} told */
  rerolls(told) {
    const before = told.made_before.map((/** @type {string} */ sheet) => element("p", {}, "Written before: ", element("code", {}, sheet)));
    const out = told.left_out.map((/** @type {any} */ one) => element("li", {}, `${one.key}: ${one.why}`));
    const left = [...(out.length ? [element("p", {}, "Left out:"), element("ul", {}, ...out)] : []), ...this.notSaid(told)];
    if (!told.jobs) return [...(told.not_said_count ? [] : [element("p", {}, "Nothing is marked for a re-roll, and in no sheet yet. R marks a picture.")]), ...left, ...before];
    const price = element("p", { id: "reroll-price" });
    const { plain } = told;
    const tell = (/** @type {number} */ times) => {
      const more = (/** @type {string} */ name) => (told[name] === null ? null : told[name] + plain[name] * (times - 1));
      const [jobs, images] = [more("jobs"), more("images")];
      price.textContent = `${countOf(jobs, "job")}, at most ${countOf(images, "picture")}, ${priced({ low_usd: more("low_usd"), high_usd: more("high_usd") }, 1)}. A series is made, and paid, whole.`;
    };
    tell(1);
    return [
      element("p", {}, `${countOf(told.pictures, "picture")} marked. Each becomes a row of a new sheet, with an id of its own: nothing of this night is replaced. Its words are changed here (E), or in the sheet before it is run.`),
      element("div", { id: "marked" }, ...told.marked.map((/** @type {any} */ one) => this.marked(one))),
      ...(told.pictures > told.marked.length ? [element("p", {}, `And ${countOf(told.pictures - told.marked.length, "picture")} more.`)] : []),
      ...left,
      price,
      this.owner.mayDecide() ? this.sheet(tell) : element("p", {}, "Write it: ", command(told.command)),
      ...before,
    ];
  }

  /** What no sheet has as it is: it stays marked, and the others are written. @param {any} told */
  notSaid(told) {
    const many = told.not_said_count;
    if (!many) return [];
    const rows = told.not_said.map((/** @type {any} */ one) => element("li", {},
      `${one.key}: ${one.why.replace(/\.$/, "")}. Type other words for it (E), or take its mark away: `, command(one.command)));
    return [
      element("p", { class: "warning" }, `⚠ ${countOf(many, "re-roll")} cannot be written and ${many === 1 ? "stays" : "stay"} marked. The others are written without ${many === 1 ? "it" : "them"}:`),
      element("ul", {}, ...rows),
      ...(many > rows.length ? [element("p", {}, `And ${(many - rows.length).toLocaleString("en")} more.`)] : []),
    ];
  }

  /** A picture of the list, with the words that it is made with. @param {any} one */
  marked(one) {
    const edit = () => {
      this.fromList = true;
      this.owner.reword(one.key, one.number);
    };
    const name = one.number ? `${one.key}:${one.number}` : one.key;
    const rows = one.typed && one.typed.variants > 1 ? ` (${one.typed.variants} rows)` : "";
    return element("section", { class: "entry", "aria-label": name },
      element("h3", {}, name + rows),
      changedWords(one.prompt, one.typed?.prompt ?? one.prompt),
      this.owner.mayDecide() ? element("p", {}, button("Other words…", edit, { "aria-label": `Other words for ${name}` })) : null);
  }

  /** @param {any} told */
  reword(told) {
    return rewordForm(told, {
      keep: (words) => this.reworded(told, words, "kept for the sheet of re-rolls"),
      forget: () => this.reworded(told, {}, "the same words again"),
      mayDecide: this.owner.mayDecide(),
    });
  }

  /** @param {any} told @param {any} words @param {string} done */
  async reworded({ key, number }, words, done) {
    const name = this.name;
    /** @type {any} */
    let answer = null;
    try {
      answer = await act(this.batch, "reword", { key, number, ...words });
    } catch (error) {
      return this.refused(error);
    }
    if (words.prompt !== undefined) this.owner.reworded(key, number);
    const said = [`${key}: ${done}.`, ...answer.advice].join(" ");
    if (this.name !== name) return say(said);
    if (!this.fromList && !answer.advice.length && words.prompt !== undefined) {
      this.dialog.close();
      return say(said);
    }
    if (this.fromList) this.name = "rerolls";
    this.fromList = false;
    await this.read(said);
    this.owner.noted();
  }

  /** Say why nothing was done. @param {unknown} error */
  refused(error) {
    const { message, hint } = /** @type {any} */ (error);
    if (hint === undefined) this.owner.failed(error);
    else byId("panel-told").textContent = `${message} ${hint}`.trim();
  }

  /** @param {(times: number) => void} tell */
  sheet(tell) {
    const many = /** @type {HTMLInputElement} */ (element("input", { name: "variants", type: "number", min: "1", max: `${MOST_VARIANTS}`, value: "1" }));
    many.addEventListener("input", () => tell(Number(many.value) || 1));
    const seed = element("select", { name: "seed" }, element("option", { value: "new" }, "a new seed"), element("option", { value: "same" }, "the same seed"));
    const form = /** @type {HTMLFormElement} */ (element("form", { class: "row" },
      element("label", {}, "Rows of each ", many), element("label", {}, "With ", seed, " where the model has one"), element("button", {}, "Write the sheet")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = new FormData(form);
      this.write({ variants: Number(given.get("variants")), seed: given.get("seed") });
    });
    return form;
  }

  /** @param {any} told */
  async write(told) {
    /** @type {any} */
    let made = null;
    await this.act("reroll", told, (answer) => {
      made = answer;
      const without = answer.not_said_count ? ` ${countOf(answer.not_said_count, "re-roll")} not written, and still marked: see below.` : "";
      return (answer.sheet ? `Written: ${answer.sheet}. Nothing is sent or paid yet.` : answer.not_said_count ? "Nothing was written." : "Somebody else has written it meanwhile.") + without;
    });
    if (made?.sheet) byId("panel-told").append(element("span", { class: "row" }, "Next: ", command(made.command)));
  }

  /** Whatever makes a night cheaper or slower. What does the opposite is a line to type. */
  less() {
    /** @param {string} name @param {string} words */
    const field = (name, words) => element("label", {}, words, element("input", { name, inputmode: "decimal", autocomplete: "off" }));
    const form = /** @type {HTMLFormElement} */ (element("form", { class: "row" },
      field("budget", "Budget, USD "), field("concurrency", "At once "), field("rate", "A minute "), element("button", {}, "Lower")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      if (Object.keys(given).length) this.act("tune", given, () => "Lowered. A run takes it within a second.");
    });
    const cancel = () => this.act("cancel", { all: true }, (answer) => `${countOf(answer.cancelled, "job")} not sent, cancelled. ${answer.asked ? `${countOf(answer.asked, "job")} at the API: a run asks it to cancel them.` : ""}`);
    return [
      element("h3", {}, "Less of it"),
      element("p", {}, "Limits are only lowered here; nightsheet tune raises them."),
      form,
      element("p", {}, this.twice("Cancel all that is not done", cancel)),
    ];
  }
}

/** The line that attaches an id which a person has found. The page has no token: it cannot ask for it. @param {any} one */
function attachLine(one) {
  const box = element("span", {}, command(one.attach));
  const field = /** @type {HTMLInputElement} */ (element("input", { autocomplete: "off", spellcheck: "false", maxlength: "200", "aria-label": `Id of ${one.key} at the API`, placeholder: "its id" }));
  field.addEventListener("input", () => {
    const id = field.value.trim();
    const isId = /^[\w.:-]+$/.test(id);
    const at = one.attach.lastIndexOf(one.placeholder);
    const line = isId ? one.attach.slice(0, at) + id + one.attach.slice(at + one.placeholder.length) : one.attach;
    box.replaceChildren(id && !isId ? "This is no id." : command(line));
  });
  return element("p", { class: "row" }, "It is there, with this id: ", field, box);
}

/** What each model has cost. @param {any[]} all */
function models(all) {
  if (!all.length) return [];
  const head = ["Model", "Submits", "Pictures", "A picture", "Told", "Estimated", "In doubt"];
  const rows = all.map((one) => element("tr", {},
    element("th", { scope: "row" }, one.model),
    ...[one.submits.toLocaleString("en"), one.images.toLocaleString("en"), money(one.price_usd), money(one.told_usd), money(one.estimated_usd), money(one.in_doubt_usd)].map((text) => element("td", {}, text))));
  return [element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "By model" }, element("table", {},
    element("caption", {}, "By model"),
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows)))];
}

/** @param {any} told @param {number} times */
function priced(told, times) {
  if (told.low_usd === null) return "at a price that is not known";
  return told.low_usd === told.high_usd ? `for ${money(told.low_usd * times)}` : `for ${money(told.low_usd * times)} to ${money(told.high_usd * times)}`;
}

/** @param {any} one */
function cost(one) {
  return [
    one.free ? `${one.free.toLocaleString("en")} fetched again: free` : "",
    one.paid ? `${one.paid.toLocaleString("en")} sent again ${priced(one, 1)}` : "",
    one.unknown ? `${one.unknown.toLocaleString("en")} the API has to be asked about first` : "",
    one.named_only ? "only where it is named" : "",
  ].filter(Boolean).join("; ");
}

/** @param {string[]} keys @param {string} what @param {any[]} others */
function outcome(keys, what, others) {
  const left = others.map((one) => `${one.key}: ${one.why}.`).join(" ");
  return `${keys.length ? `${keys.length === 1 ? keys[0] : countOf(keys.length, "job")} ${what}.` : "Nothing was changed."} ${left}`.trim();
}
