// @ts-check
// The search is one line of text, and all there is of filters: a value that is clicked is typed into it.

/** A term as it is typed. @param {string} field @param {string} value */
export function term(field, value) {
  return `${quoted(field)}:${quoted(value)}`;
}

/** @param {string} search @param {string} one */
export const has = (search, one) => terms(search).includes(one);

/** The search with a term, or without it where it has it. @param {string} search @param {string} one */
export function toggled(search, one) {
  const all = terms(search);
  return (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]).join(" ");
}

/** @param {string} search @returns {string[]} */
function terms(search) {
  return search.match(/-?(?:(?:"[^"]+"|[^\s":]+):)?(?:"[^"]*"?|\S+)/g) ?? [];
}

/** @param {string} text */
function quoted(text) {
  const plain = text.replaceAll('"', "");
  return /^[^\s":]+$/.test(plain) ? plain : `"${plain}"`;
}
