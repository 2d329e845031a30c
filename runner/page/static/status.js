// @ts-check
// The head of the page: counts, money, pace and pause, and what a person may type to go on.

import { button, byId, command, countOf, element, money, redrawn } from "./dom.js";
import { SIGNS, STATES } from "./tiles.js";

/** @param {any} status @param {(search: string) => void} search */
export function showStatus(status, search) {
  byId("name").textContent = status.batch;
  const live = status.live ? "● live" : status.left ? "○ nobody is at work" : "○ ended";
  byId("live").textContent = status.paused ? `‖ paused (${status.paused.reason})` : live;
  byId("live").dataset.live = String(status.live && !status.paused);
  redrawn(byId("facts"), ...counted(status).map((text) => element("span", {}, text)), ...chips(status, search));
  bar(status);
  next(status);
}

/** @param {any} status */
function counted(status) {
  const { cost } = status;
  const budget = cost.budget_usd === null ? "" : ` of ${money(cost.budget_usd)}`;
  return [
    `${status.counts.succeeded.toLocaleString("en")} of ${countOf(status.total, "job")}`,
    `${money(cost.spent_usd)}${budget} spent`,
    cost.estimate_usd > cost.spent_usd ? `${money(cost.estimate_usd)} with what is queued${cost.price_unknown ? ", and more" : ""}` : cost.price_unknown ? "the price of what is queued is not known" : "",
    cost.in_doubt_usd ? `${money(cost.in_doubt_usd)} in doubt` : "",
    status.jobs_a_minute ? `${Math.round(status.jobs_a_minute)} a minute` : "",
    status.done_at ? `done ${clock(status.done_at)}` : "",
    status.held ? `${status.held} held` : "",
  ].filter(Boolean);
}

/** @param {any} status @param {(search: string) => void} search */
function chips(status, search) {
  return ["failed", "unconfirmed"].filter((state) => status.counts[state]).map((state) =>
    button(`${SIGNS[/** @type {keyof typeof SIGNS} */ (state)]} ${state} ${status.counts[state]}`, () => search(`state:${state}`), { class: "chip", "data-state": state }));
}

/** @param {any} status */
function bar(status) {
  const order = ["succeeded", "fetching", "running", "submitting", "unconfirmed", "failed", "cancelled", "queued"];
  const parts = order.filter((state) => status.counts[state]).map((state) => {
    const part = element("span", { "data-state": state });
    part.style.flexGrow = String(status.counts[state]);
    return part;
  });
  byId("bar").replaceChildren(...parts);
  const told = STATES.filter((state) => status.counts[state]).map((state) => `${state} ${status.counts[state]}`);
  byId("bar").setAttribute("aria-label", `Progress: ${told.join(", ") || "no jobs"}`);
  byId("bar").title = told.join(", ");
}

/** @param {any} status */
function next(status) {
  const lines = status.commands.map((/** @type {any} */ one) => element("p", {}, `To ${one.to}: `, command(one.command)));
  const why = status.paused ? [element("p", { class: "why" }, `Paused since ${clock(status.paused.since)} (${status.paused.reason}): ${status.paused.detail} ${status.paused.remedy}`)] : [];
  if (status.total && !status.counts.succeeded) why.push(element("p", { class: "ended" }, "No picture has come yet."));
  if (status.ended) why.push(element("p", { class: "ended" }, `The last run has ended${status.ended.at ? ` at ${clock(status.ended.at)}` : ""}: ${status.ended.how}.`));
  redrawn(byId("next"), ...why, ...lines);
  byId("next").hidden = !why.length && !lines.length;
}

/** @param {string} moment */
function clock(moment) {
  const [then, now] = [new Date(moment), new Date()];
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === now.toDateString() ? time : `${then.toLocaleDateString([], { weekday: "short" })} ${time}`;
}
