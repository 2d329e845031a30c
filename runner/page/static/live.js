// @ts-check
// That the table has changed. A browser has six connections to a server for all of its tabs together, and a
// stream would take one each: so one tab has the stream and tells the others; when it closes, another has it.

const NAME = "nightsheet-changes";

/**
 * @param {(stamp: number) => void} changed
 * @param {(what: "lost" | "newer" | "gone" | "back") => void} troubled the table, or the server
 */
export function follow(changed, troubled) {
  const channel = new BroadcastChannel(NAME);
  /** @param {{kind: string, stamp: number}} event */
  const take = (event) => (event.kind === "change" ? changed(event.stamp) : troubled(/** @type {any} */ (event.kind)));
  channel.onmessage = (message) => take(message.data);
  navigator.locks.request(NAME, () => new Promise(() => listen((event) => {
    take(event);
    channel.postMessage(event);
  })));
}

/** @param {(event: {kind: string, stamp: number}) => void} tell */
function listen(tell) {
  const stream = new EventSource("/api/events");
  stream.onopen = () => tell({ kind: "back", stamp: 0 });
  stream.onerror = () => tell({ kind: "gone", stamp: 0 });
  stream.addEventListener("change", (event) => tell({ kind: "change", ...JSON.parse(event.data) }));
  for (const kind of ["lost", "newer"]) {
    stream.addEventListener(kind, () => {
      tell({ kind, stamp: -1 });
      stream.close();
    });
  }
}

/**
 * Calls `work` after a change: at once, but never again within ten times what it took, at least a second. While
 * nobody sees the page it waits.
 * @param {() => Promise<void>} work
 */
export function paced(work) {
  let wanted = false;
  let running = false;
  const run = async () => {
    if (running || !wanted || document.hidden) return;
    [wanted, running] = [false, true];
    const began = performance.now();
    await work();
    const wait = Math.max(1000, 10 * (performance.now() - began));
    setTimeout(() => {
      running = false;
      run();
    }, wait);
  };
  document.addEventListener("visibilitychange", run);
  return () => {
    wanted = true;
    run();
  };
}
