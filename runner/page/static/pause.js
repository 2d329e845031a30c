// @ts-check
// The button that pauses a batch, or lets it go on. A pause for money or by a guard has none: that is a line to type.

import { byId } from "./dom.js";
import { act } from "./panels.js";

/** @param {any} status @param {boolean} mayDecide @param {(work: () => Promise<void>) => void} attempt */
export function showPause(status, mayDecide, attempt) {
  const shown = /** @type {HTMLButtonElement} */ (byId("pause"));
  const wanted = status.paused ? status.paused.may_end && "Go on" : status.left > 0 && "Pause";
  shown.hidden = !wanted || !mayDecide;
  shown.textContent = wanted || "";
  shown.onclick = () => attempt(async () => {
    shown.disabled = true;
    try {
      await act(status.batch, status.paused ? "resume" : "pause", {});
    } finally {
      shown.disabled = false;
    }
  });
}
