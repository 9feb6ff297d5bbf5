// What screen readers hear without being asked: one polite region and one assertive one, there from the start. Sentences go
// in whole and once; a region that grows by tokens would be read in fragments.

const KEPT = 30;
const polite = document.getElementById("polite");
const assertive = document.getElementById("assertive");

/** Says something when the reader has finished; `language` where it is not the page's. */
export function announce(words, language = "") {
  polite.append(paragraph(words, language));
  while (polite.childElementCount > KEPT) polite.firstElementChild.remove();
}

/** Says at once that something went wrong. */
export function alarm(words) {
  assertive.replaceChildren(paragraph(words, ""));
}

/** Forgets what was said. */
export function silence() {
  polite.replaceChildren();
  assertive.replaceChildren();
}

function paragraph(words, language) {
  const element = document.createElement("p");
  element.textContent = words;
  if (language) Object.assign(element, { lang: language, dir: "ltr" });
  return element;
}

// Full stops behind these end no sentence.
const SHORTENED = /(^|[\s(])(mr|mrs|ms|dr|st|no|vs|e\.g|i\.e|approx|fig|vol|p|pp)\.\s*$/i;
const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Text that arrives in pieces, given out in whole sentences, in order, each once and nothing lost. */
export class Sentences {
  #held = "";

  constructor(out) {
    this.out = out;
  }

  /** Takes a piece; gives out every sentence that is followed by something. */
  add(piece) {
    this.#held += piece;
    const found = split(this.#held);
    this.#held = found.pop() ?? "";
    for (const sentence of found) this.#give(sentence);
  }

  /** Gives out what is left. */
  end() {
    const rest = split(this.#held);
    this.#held = "";
    for (const sentence of rest) this.#give(sentence);
  }

  #give(sentence) {
    if (sentence.trim()) this.out(sentence.trim());
  }
}

function split(words) {
  const found = [];
  for (const { segment } of segmenter.segment(words)) {
    if (found.length && SHORTENED.test(found.at(-1))) found[found.length - 1] += segment;
    else found.push(segment);
  }
  return found;
}
