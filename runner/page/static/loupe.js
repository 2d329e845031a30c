// @ts-check
// One picture, as large as the window; Z shows its own pixels, from the file itself.

import { byId, element } from "./dom.js";
import { imageOf } from "./items.js";
import { imagePath, thumbPath } from "./net.js";
import { SIGNS } from "./tiles.js";

export class Loupe {
  /** @param {{closed: () => void, step: (by: number) => void}} owner */
  constructor(owner) {
    this.owner = owner;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("loupe"));
    this.stage = byId("stage");
    this.large = false;
    this.shown = "";
    this.pointer = { x: 0.5, y: 0.5 };
    this.dialog.addEventListener("close", () => owner.closed());
    byId("close-loupe").addEventListener("click", () => this.close());
    byId("previous").addEventListener("click", () => owner.step(-1));
    byId("following").addEventListener("click", () => owner.step(1));
    this.stage.addEventListener("mousemove", (event) => this.pointed(event));
    this.stage.addEventListener("click", (event) => {
      this.pointed(event);
      this.zoom();
    });
    swiped(this.stage, (by) => owner.step(by));
  }

  get isOpen() {
    return this.dialog.open;
  }

  close() {
    this.dialog.close();
  }

  /** @param {any} item @param {number} tile @param {string} place "3 of 120" @param {string} decided in signs and words */
  show(item, tile, place, decided) {
    if (!this.isOpen) this.dialog.showModal();
    const image = item && imageOf(item, tile);
    const shown = image ? `${image.id} ${image.file}` : `${item?.id} ${item?.state}`;
    byId("caption-text").textContent = item ? caption(item, image, [decided, place].filter(Boolean).join(" · ")) : place;
    if (this.shown === shown) return;
    this.shown = shown;
    this.large = false;
    this.image = image;
    this.alt = item?.prompt ?? "";
    this.draw();
  }

  draw() {
    this.stage.classList.toggle("large", this.large);
    if (!this.image || this.image.file !== "here") {
      const why = this.image ? "The file of this picture is gone, was changed, or is not below the output folder." : "There is no picture of it.";
      this.stage.replaceChildren(element("p", { class: "none" }, why));
      return;
    }
    const picture = /** @type {HTMLImageElement} */ (element("img", { alt: this.alt ?? "" }));
    picture.addEventListener("error", () => picture.replaceWith(element("p", { class: "none" }, "⚠ This picture cannot be shown.")));
    picture.addEventListener("load", () => this.large && this.centre());
    picture.src = this.large ? imagePath(this.image) : thumbPath(this.image, 1600);
    this.stage.replaceChildren(picture);
  }

  /** Once the picture that is shown is there, or cannot be. */
  async ready() {
    await this.stage.querySelector("img")?.decode().catch(() => {});
  }

  zoom() {
    if (!this.image || this.image.file !== "here") return;
    this.large = !this.large;
    this.draw();
  }

  /** In its own pixels the letters that move go about in the picture. Whether it was one. @param {string} key */
  pans(key) {
    const by = { h: [-1, 0], l: [1, 0], k: [0, -1], j: [0, 1] }[key.toLowerCase()];
    if (!by || !this.large || !this.isOpen) return false;
    this.stage.scrollBy((by[0] * this.stage.clientWidth) / 4, (by[1] * this.stage.clientHeight) / 4);
    return true;
  }

  centre() {
    const { stage, pointer } = this;
    stage.scrollLeft = pointer.x * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = pointer.y * stage.scrollHeight - stage.clientHeight / 2;
  }

  /** @param {MouseEvent} event */
  pointed(event) {
    const picture = this.stage.querySelector("img");
    if (!picture || this.large) return;
    const box = picture.getBoundingClientRect();
    this.pointer = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }
}

/** Have a picture come before it is asked for. @param {any} item @param {number} tile */
export function prefetch(item, tile) {
  const image = item && imageOf(item, tile);
  if (image?.file === "here") new Image().src = thumbPath(image, 1600);
}

/** @param {any} item @param {any} image @param {string} place */
function caption(item, image, place) {
  const size = image ? `${image.width}×${image.height}` : `${SIGNS[/** @type {keyof typeof SIGNS} */ (item.state)]} ${item.state}`;
  const which = image && item.images.length > 1 ? ` ${image.number}/${item.images.length}` : "";
  return `${item.key}${which} · ${size} · ${place} · ${item.error ? item.error.message : item.prompt}`;
}

/** @param {HTMLElement} box @param {(by: number) => void} step */
function swiped(box, step) {
  let from = 0;
  box.addEventListener("touchstart", (event) => (from = event.touches.length === 1 ? event.touches[0].clientX : NaN), { passive: true });
  box.addEventListener("touchend", (event) => {
    const by = event.changedTouches[0].clientX - from;
    if (Math.abs(by) > 60 && !box.classList.contains("large")) step(by < 0 ? 1 : -1);
  }, { passive: true });
}
