// Alt texts for documents: files go to the server, each picture's suggestion comes back with its reason, is accepted, changed or
// refused, and the files come back with what was decided. They are kept in memory only, here and there.

import { alarm, announce } from "./announce.js";
import { suggestTexts, writeTexts } from "./server.js";
import { has, put, text } from "./texts.js";

const BYTES = 19_000_000; // the server takes 20 MB, and a form has more in it than the files
const TAKEN = /\.(html?|xhtml|xht|md|markdown|mdown|mkd|epub|jpe?g|jpe|jfif|a?png|webp|tiff?|gif|bmp|avif|svg|alt\.json)$/i;
const at = (id) => document.getElementById(id);
let files = []; // [{name, file}], names with their folders
let review = null;
let cards = [];
let running = null;
let last = null; // the card that was gone to
let unsaved = false;

/** Connects the controls. */
export function connect() {
  at("review-choose").addEventListener("click", () => at("review-files").click());
  at("review-folder").addEventListener("click", () => at("review-folders").click());
  for (const input of [at("review-files"), at("review-folders")]) {
    input.addEventListener("change", async () => {
      const chosen = [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
      input.value = "";
      await take(chosen);
    });
  }
  at("review-stop").addEventListener("click", stop);
  at("review-next").addEventListener("click", next);
  at("review-save").addEventListener("click", save);
  at("review-again").addEventListener("click", () => {
    clear();
    at("review-choose").focus();
  });
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
}

/** Takes what was dropped, folders with all that is in them. */
export async function drop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return take([...transfer.files].map((file) => ({ name: file.name, file })));
  return take((await Promise.all(entries.map((entry) => walk(entry)))).flat());
}

/** Stops waiting for suggestions. */
export function stop() {
  running?.abort();
}

/** Forgets files and decisions. */
export function clear() {
  stop();
  files = cards = [];
  review = null;
  unsaved = false;
  problem("");
  at("review").hidden = true;
  at("view-alt").dataset.state = "empty";
  for (const id of ["review-cards", "review-left-list"]) at(id).replaceChildren();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = entry.createReader();
  const found = [];
  for (let more = null; !more || more.length; ) {
    more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    found.push(...more);
  }
  return (await Promise.all(found.filter((one) => !one.name.startsWith(".")).map(walk))).flat();
}

async function take(chosen) {
  const usable = chosen.filter(({ name }) => TAKEN.test(name));
  if (!chosen.length) return;
  clear();
  if (!usable.length) return problem("errorNoDocument");
  if (usable.reduce((sum, { file }) => sum + file.size, 0) > BYTES) return problem("errorDocumentsTooLarge");
  files = usable;
  const mine = (running = new AbortController());
  at("review-working").hidden = false;
  announce(text("reviewWorking"));
  try {
    show(await suggestTexts(files, mine.signal));
  } catch (failure) {
    if (failure.name === "AbortError") announce(text("stopped"));
    else problem(failure.key ?? "errorServer", failure.values, failure.found);
  } finally {
    if (running === mine) {
      at("review-working").hidden = true;
      running = null;
    }
  }
}

function show(found) {
  review = found;
  at("view-alt").dataset.state = "reviewing";
  at("review").hidden = false;
  cards = found.pictures.map(card);
  at("review-cards").replaceChildren(...cards);
  const sure = found.pictures.filter((one) => one.sure).length;
  const key = cards.length === 1 ? "reviewOne" : cards.length ? "reviewCount" : "reviewNone";
  put(at("review-count"), key, { count: cards.length });
  put(at("review-sure"), "reviewSure", { count: sure });
  at("review-sure").hidden = !sure;
  at("review-bar").hidden = !cards.length;
  left(found.left);
  progress();
  announce(`${text(key, { count: cards.length })}. ${sure ? text("reviewSure", { count: sure }) : ""}`);
  at("review-count").focus();
}

function left(rows) {
  at("review-left").hidden = !rows.length;
  put(at("review-left-count"), "reviewLeft", { count: rows.length });
  at("review-left").open = rows.some((row) => row.action === "fail");
  at("review-left-list").replaceChildren(
    ...rows.map((row) => {
      const item = document.createElement("li");
      const name = document.createElement("b");
      name.textContent = [row.document, row.picture].filter((one, place, all) => one && all.indexOf(one) === place).join(": ");
      name.dir = "auto";
      item.append(name, " ", why(row.why, "span"));
      return item;
    }),
  );
}

// A reason in the reader's language, where there are words for its code; else the server's own, in English.
function why({ text: words, code, values }, tag) {
  const element = document.createElement(tag);
  if (has(`why ${code}`)) put(element, `why ${code}`, values);
  else Object.assign(element, { textContent: words, lang: "en", dir: "ltr" });
  return element;
}

function card(picture, place) {
  const part = at("review-card").content.cloneNode(true);
  const of = (selector) => part.querySelector(selector);
  const name = `decision-${place}`;
  const element = part.firstElementChild;
  put(of("h3"), "pictureNumber", { number: place + 1, name: picture.picture });
  of("h3").id = `${name}-name`;
  element.setAttribute("aria-labelledby", `${name}-name`);
  of(".place").textContent = [picture.document, picture.entry].filter((one) => one && one !== picture.picture).join(" · ");
  if (picture.thumbnail) Object.assign(of("img"), { src: picture.thumbnail, alt: text("reviewAlt", { number: place + 1 }) });
  else of("img").replaceWith(Object.assign(document.createElement("p"), { textContent: picture.picture, dir: "auto" }));
  if (picture.alt) Object.assign(of(".suggested"), { textContent: picture.alt, lang: "en", dir: "auto" });
  else put(of(".suggested"), "reviewEmpty");
  put(of(".role"), `role ${picture.role}`);
  of(".because").append(why(picture.reason, "span"));
  of(".doubts").replaceChildren(...picture.doubts.map((doubt) => why(doubt, "li")));
  of(".look").hidden = of(".doubts").hidden = !picture.doubts.length;
  around(of("dl"), picture);
  const accepting = of("[value=accept]");
  put(accepting.parentElement.querySelector("span"), picture.alt ? "reviewAccept" : "reviewAcceptEmpty");
  of(".decorate").hidden = !picture.alt || picture.blank_is_decoration;
  for (const input of element.querySelectorAll("[type=radio]")) input.name = name;
  accepting.checked = picture.sure;
  connectOwn(element, picture, name);
  element.addEventListener("change", () => decided(element));
  return element;
}

function connectOwn(element, picture, name) {
  const own = element.querySelector("textarea");
  own.id = `${name}-own`;
  own.value = picture.alt;
  element.querySelector(".own label").htmlFor = own.id;
  element.querySelector(".count").id = `${name}-count`;
  element.querySelector(".error").id = `${name}-error`;
  own.setAttribute("aria-describedby", `${name}-count ${name}-error`);
  own.addEventListener("input", () => {
    element.querySelector("[value=change]").checked = true;
    decided(element);
  });
  const others = element.querySelector(".others");
  for (const words of picture.others) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    put(button, "reviewUse", { text: words });
    button.addEventListener("click", () => {
      own.value = words;
      own.dispatchEvent(new Event("input"));
      own.focus();
    });
    others.append(button);
  }
  count(element);
}

function around(list, { around: context, was, language }) {
  const now = was === null ? "nowNone" : was ? "" : "nowEmpty";
  const rows = [
    ["factNow", now ? null : was, now],
    ["factHeading", context.heading],
    ["factBefore", context.before],
    ["factAfter", context.after],
    ["factCaption", context.caption],
    [context.button ? "factButton" : "factLink", context.link],
    ["factLanguage", context.language || language],
  ];
  for (const [key, words, named] of rows) {
    if (!words && !named) continue;
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    put(term, key);
    if (named) put(value, named);
    else Object.assign(value, { textContent: words, dir: "auto" });
    list.append(term, value);
  }
}

const choice = (element) => element.querySelector("[type=radio]:checked")?.value ?? "";
const written = (element) => element.querySelector("textarea").value.replace(/\s+/g, " ").trim();
const isDecided = (element) => choice(element) !== "" && (choice(element) !== "change" || written(element) !== "");

function decided(element) {
  unsaved = true;
  if (isDecided(element)) mistake(element, false);
  count(element);
  progress();
}

function count(element) {
  const length = [...written(element)].length;
  const values = { length, limit: review?.limit ?? 125 };
  put(element.querySelector(".count"), length > values.limit ? "reviewLong" : "reviewLength", values);
}

function mistake(element, wrong) {
  element.querySelector(".error").hidden = !wrong;
  const own = element.querySelector("textarea");
  if (wrong) own.setAttribute("aria-invalid", "true");
  else own.removeAttribute("aria-invalid");
}

function progress() {
  for (const element of cards) {
    const done = isDecided(element);
    element.classList.toggle("done", done);
    put(element.querySelector(".state"), done ? "reviewDone" : "reviewOpen");
  }
  put(at("review-progress"), "reviewProgress", { done: cards.filter(isDecided).length, count: cards.length });
}

function next() {
  const here = cards.findIndex((one) => one.contains(document.activeElement) || one === last);
  const order = [...cards.slice(here + 1), ...cards.slice(0, here + 1)];
  const open = order.find((one) => !isDecided(one));
  if (!open) return announce(text("reviewAllDone"));
  last = open;
  open.querySelector("h3").focus();
  open.scrollIntoView({ block: "start" });
}

async function save() {
  const missing = cards.find((one) => choice(one) === "change" && !written(one));
  if (missing) {
    mistake(missing, true);
    missing.querySelector("textarea").focus();
    return alarm(text("reviewMissing"));
  }
  const rows = cards.flatMap((element, place) => (isDecided(element) ? [decision(element, review.pictures[place])] : []));
  if (!rows.some((row) => row.decision !== "leave")) return problem("errorNothingDecided");
  problem("");
  try {
    const { blob, name, count: texts, kept } = await writeTexts(files, { format: review.format, decisions: rows });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    unsaved = false;
    put(at("review-progress"), kept ? "reviewSavedSome" : "reviewSaved", { name, count: texts, kept });
    announce(at("review-progress").textContent);
  } catch (failure) {
    problem(failure.key ?? "errorServer", failure.values, failure.found);
  }
}

function decision(element, { document: name, key, was, alt, by, long }) {
  const chosen = choice(element);
  const words = { accept: alt, change: written(element), decorative: "", leave: was ?? "" }[chosen];
  return { document: name, key, was, decision: chosen, alt: words, by, long };
}

function problem(key, values = {}, found = "") {
  const place = at("review-error");
  place.hidden = !key;
  if (!key) return;
  place.scrollIntoView({ block: "nearest" });
  put(place.querySelector(".words"), key, values);
  put(place.querySelector(".todo"), `${key}Hint`, values);
  place.querySelector(".found").textContent = found;
  alarm(`${text(key, values)} ${text(`${key}Hint`, values)} ${found}`.trim());
}
