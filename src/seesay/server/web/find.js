// Finding pictures in the server's index: a question, the pictures that were found with how sure that is, each to be asked about.

import { alarm, announce } from "./announce.js";
import { find, got } from "./server.js";
import { put, text } from "./texts.js";
import { certain } from "./turns.js";

const AT_ONCE = 3; // small pictures that are fetched together
const MOST = 60; // pictures asked for, each with its description
const PAGE = 24; // pictures shown before more are asked for
const at = (id) => document.getElementById(id);
const field = at("find-question");
let running = null;
let hits = [];
let urls = [];

/** Connects the controls. `size` is how many pictures there are; `open` gets the one to be asked about, as a file. */
export function connect(size, calibrated, open) {
  put(at("find-hint"), "findHint", { count: new Intl.NumberFormat(document.documentElement.lang).format(size) });
  at("find-sure").hidden = !calibrated;
  at("find").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  field.addEventListener("input", () => problem(""));
  at("find-stop").addEventListener("click", stop);
  at("find-more").addEventListener("click", () => {
    const first = show(PAGE);
    first?.focus();
  });
  at("hits").addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const hit = hits[Number(button.dataset.place)];
    try {
      const blob = await got(hit.picture);
      open(new File([blob], hit.name, { type: blob.type }), hit.caption);
    } catch (failure) {
      problem(failure.key ?? "errorServer", failure.values, failure.found);
    }
  });
}

/** Stops a search that is under way. */
export function stop() {
  running?.abort();
}

/** Forgets what was found. */
export function clear() {
  stop();
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  hits = [];
  at("hits").replaceChildren();
  at("found").hidden = true;
  field.value = "";
}

async function search() {
  const question = field.value.trim();
  if (!question) {
    problem("errorNothingWanted");
    field.focus();
    return;
  }
  stop();
  problem("");
  const mine = (running = new AbortController());
  at("find-working").hidden = false;
  at("found").hidden = true;
  try {
    tell(await find(question, MOST, at("find-precision").value, mine.signal));
  } catch (failure) {
    if (failure.name === "AbortError") announce(text("stopped"));
    else problem(failure.key ?? "errorServer", failure.values, failure.found);
  } finally {
    if (running === mine) {
      at("find-working").hidden = true;
      running = null;
    }
  }
}

function tell(found) {
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  hits = found.hits;
  const values = { count: hits.length, pictures: found.pictures };
  const some = hits.length === MOST ? "foundBest" : "foundCount";
  const key = hits.length === 1 ? "foundOne" : hits.length ? some : "foundNone";
  at("found").hidden = false;
  put(at("found-title"), key, values);
  at("found-question").textContent = found.question;
  put(at("found-note"), !hits.length ? "foundNoneHint" : found.calibrated ? "foundNote" : "foundUnmeasured");
  at("hits").replaceChildren();
  show(PAGE);
  announce(text(key, values));
  if (!hits.length) announce(text("foundNoneHint"));
  for (const hit of hits.slice(0, 3)) announce(hit.caption || hit.name, "en");
}

/** Shows some more of the pictures; returns the first new control. */
function show(more) {
  const before = at("hits").childElementCount;
  const rows = hits.slice(before, before + more).map((hit, place) => row(hit, before + place));
  at("hits").append(...rows);
  at("find-more").hidden = at("hits").childElementCount >= hits.length;
  fetchAll(rows, hits.slice(before));
  return rows[0]?.querySelector("button");
}

function row(hit, place) {
  const part = at("hit").content.cloneNode(true);
  const of = (selector) => part.querySelector(selector);
  Object.assign(of("img"), { alt: hit.caption || hit.name, lang: "en" });
  certain(of(".certainty"), hit.certainty);
  of(".name").textContent = hit.name;
  of(".copies").hidden = !hit.copies;
  put(of(".copies"), "copies", { count: hit.copies });
  of("button").dataset.place = place;
  of("button .heard").textContent = hit.name;
  return part.firstElementChild;
}

async function fetchAll(rows, wanted) {
  const waiting = rows.map((element, place) => [element, wanted[place]]);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [element, hit] = next;
      try {
        const url = URL.createObjectURL(await got(hit.thumbnail));
        urls.push(url);
        element.querySelector("img").src = url;
      } catch (failure) {
        element.classList.add("gone");
        put(element.querySelector(".gone-note"), failure.key ?? "errorServer", failure.values);
        element.querySelector(".gone-note").hidden = false;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function problem(key, values = {}, found = "") {
  const place = at("find-error");
  place.hidden = !key;
  if (key) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  if (!key) return;
  put(place.querySelector(".words"), key, values);
  put(place.querySelector(".todo"), `${key}Hint`, values);
  place.querySelector(".found").textContent = found;
  alarm(`${text(key, values)} ${text(`${key}Hint`, values)} ${found}`.trim());
}
