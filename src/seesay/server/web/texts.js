// The page's own words in the reader's language. Answers are the model's and are not translated.

const LANGUAGES = ["en", "ko", "zh", "ar"];
const RIGHT_TO_LEFT = ["ar"];
let texts = {};

/** The language to begin with: the one chosen before, else the browser's first that there is. */
export function preferred() {
  const wished = [localStorage.getItem("language"), ...navigator.languages].filter(Boolean);
  return wished.map((one) => one.slice(0, 2)).find((one) => LANGUAGES.includes(one)) ?? "en";
}

/** Loads a language and says everything on the page in it, what was said before included. */
export async function speak(language) {
  const response = await fetch(`texts/${language}.json`);
  if (!response.ok) throw new Error(`no texts in ${language}`);
  texts = await response.json();
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  document.title = text("pageTitle");
  const parts = [document, ...[...document.querySelectorAll("template")].map((one) => one.content)];
  for (const element of parts.flatMap((part) => [...part.querySelectorAll("[data-text]")])) fill(element);
}

/** The words of a key, its {places} filled. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether there are words for a key. */
export const has = (key) => key in texts;

/** Puts the words of a key into an element, which keeps the key for when the language changes. */
export function put(element, key, values = {}) {
  element.dataset.text = key;
  element.dataset.values = JSON.stringify(values);
  fill(element);
}

function fill(element) {
  element.textContent = text(element.dataset.text, JSON.parse(element.dataset.values ?? "{}"));
}
