// @ts-check
// A contact sheet: 35 images with their keys on each page, for paper.

import { byId, element } from "./dom.js";
import { imageOf, itemOf } from "./items.js";
import { thumbPath } from "./net.js";

const A_PAGE = 35;
const MOST_PAGES = 100;

/** Lay out the images of a list, and print them once they are there. @param {import("./tiles.js").TileList} list */
export async function printSheet(list) {
  const shown = Math.min(list.count, A_PAGE * MOST_PAGES);
  const pages = [];
  for (let first = 0; first < shown; first += A_PAGE) {
    const figures = [];
    for (let index = first; index < Math.min(shown, first + A_PAGE); index++) figures.push(figure(list.jobs[index], list.tiles[index]));
    pages.push(element("div", { class: "sheet" }, ...figures));
  }
  const rest = list.count - shown;
  const more = rest ? [element("p", {}, `${rest.toLocaleString("en")} more are not printed: search for fewer.`)] : [];
  byId("contact").replaceChildren(...more, ...pages);
  const images = [...byId("contact").querySelectorAll("img")];
  await Promise.all(images.map(loaded));
  print();
}

/** Wait until an image is there; one that is gone leaves its place empty. @param {HTMLImageElement} image */
async function loaded(image) {
  if (!image.complete) await new Promise((done) => (image.onload = image.onerror = done));
  await image.decode().catch(() => {}); // a busy browser may refuse: then it is decoded while it is printed
}

/** @param {number} job @param {number} tile */
function figure(job, tile) {
  const item = itemOf(job);
  const image = imageOf(item, tile);
  return element("figure", {}, element("img", { src: thumbPath(image, 384), alt: "" }), element("figcaption", {}, item.key + image.words));
}
