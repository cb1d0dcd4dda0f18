// The words of the search, as the console reads them: wordsOf in search.go does the same.

import { query } from "./selection.js";

const NUMBER = /^\d+$/;

/**
 * Returns a function for each word and each phrase in quotes of the search. It reports whether a
 * text has the word. A number must be a whole number of the text: 503 is not in 1.503ms.
 */
export function words() {
  return [...query().toLowerCase().matchAll(/"[^"]*"?|[^\s"]+/g)]
    .map(([word]) => word.replaceAll('"', "").split(/\s+/).filter(Boolean))
    .filter((fields) => fields.length)
    .map((fields) => {
      const before = NUMBER.test(fields[0]) ? "(?<![\\w.])" : "";
      const after = NUMBER.test(fields.at(-1)) ? "(?![\\w-]|\\.\\w)" : "";
      const literal = fields.join(" ").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
      const pattern = new RegExp(before + literal + after);
      return (text) => pattern.test(text.toLowerCase());
    });
}
