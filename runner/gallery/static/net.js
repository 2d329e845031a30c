// @ts-check
// Where an image lies in the gallery's folder. Nothing is asked of anybody.

/** @param {{name: string, shown: string}} image @param {384 | 1600} side */
export const thumbPath = (image, side) => (side > 384 ? image.shown : `t/${image.name}.webp`);
