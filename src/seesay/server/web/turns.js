// One question and its answer on the page: what is shown while it is awaited, the sentences as they come, how sure the answer
// is, and on request what else it could be, where the model looked, and its sound.

import { alarm, announce } from "./announce.js";
import * as sound from "./sound.js";
import { evidence } from "./server.js";
import { has, put, text } from "./texts.js";

const CERTAINTIES = { "almost certain": 5, "quite sure": 4, "fairly sure": 3, unsure: 2, guessing: 1 };
const LIKELY = 0.05; // from which score on another answer is worth telling
const ANNOUNCED_AFTER = 800; // milliseconds; sooner answers need no "looking at the picture" before them

const REASONS = {
  no_text: "reasonNoText",
  not_shown: "reasonUnseen",
  too_likely_wrong: "reasonRisk",
  unknown_word: "reasonWord",
};

export class Turn {
  /**
   * @param what - `key` of the words of what is done, or `question` as it was asked and its language where that is known
   * @param picture - what it is about
   * @param able - what the server says about itself
   */
  constructor({ key, question, language }, picture, able) {
    const part = document.getElementById("turn").content.cloneNode(true);
    this.element = part.querySelector("article");
    this.picture = picture;
    this.able = able;
    this.question = question ?? "";
    this.cancel = new AbortController();
    if (key) put(this.of(".asked"), key);
    else Object.assign(this.of(".asked"), { textContent: question, lang: language });
    if (picture.shown) this.of(".thumb").src = picture.url;
    else this.of(".thumb").remove();
    put(this.of(".of"), "pictureNumber", { number: picture.id, name: picture.name });
    this.of(".working").hidden = false;
    this.of(".stop").addEventListener("click", () => this.cancel.abort());
    this.waiting = setTimeout(() => announce(text("working")), ANNOUNCED_AFTER);
  }

  /** One more sentence of the answer, which is shown and heard. */
  sentence(words) {
    clearTimeout(this.waiting);
    const element = document.createElement("p");
    element.textContent = words;
    this.of(".said").append(element);
    const length = this.of(".said").textContent.length;
    this.of(".said").classList.toggle("short", length <= 18);
    this.of(".said").classList.toggle("middling", length > 18 && length <= 90);
    announce(words, "en");
  }

  /** The answer is complete: its certainty and what can be done with it. */
  done(answer) {
    this.answer = answer;
    this.#settle();
    const { certainty = "", text: words } = answer;
    if (!words) this.#withhold(answer);
    else if (CERTAINTIES[certainty]) this.#certain(certainty);
    else if (answer.lines?.length) this.#read();
    this.#offer();
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** It went wrong, or was stopped. */
  failed(failure, again) {
    const hadFocus = this.of(".working").contains(document.activeElement);
    this.#settle();
    const stopped = failure.name === "AbortError";
    const key = stopped ? "stopped" : (failure.key ?? "errorServer");
    this.element.classList.toggle("failed", !stopped);
    const said = this.of(".said");
    if (!said.childElementCount) {
      for (const name of ["lang", "dir"]) said.removeAttribute(name);
      said.classList.add("middling");
      put(said, key, failure.values);
    }
    put(this.of(".reason"), stopped ? "stoppedHint" : `${key}Hint`, failure.values);
    this.of(".reason").hidden = false;
    if (failure.found) this.of(".reason").after(english("p", failure.found));
    if (stopped) announce(text(key));
    else alarm(`${text(key, failure.values)} ${text(`${key}Hint`, failure.values)}`);
    const button = Object.assign(document.createElement("button"), { type: "button", onclick: again });
    put(button, "again");
    this.of(".buttons").replaceChildren(button);
    this.of(".buttons").hidden = false;
    if (hadFocus) button.focus();
  }

  /** Reads the answer aloud; again while it is read: pauses or goes on. */
  async listen() {
    const button = this.of(".listen");
    if (button.dataset.state === "playing" || button.dataset.state === "paused") return sound.pauseOrGoOn();
    try {
      await sound.read(this.#spoken(), (state) => this.#playing(state));
    } catch (failure) {
      this.#complain(failure);
    }
  }

  /** Everything of the answer as text. */
  get words() {
    return [...this.of(".said").querySelectorAll("p")].map((one) => one.textContent).join("\n");
  }

  of(selector) {
    return this.element.querySelector(selector);
  }

  #settle() {
    clearTimeout(this.waiting);
    this.of(".working").hidden = true;
  }

  // What was read has no reason: there was nothing.
  #withhold({ reason = "", reason_code: code = "no_text", reason_values: values = {} }) {
    this.element.classList.add("withheld");
    const said = this.of(".said");
    for (const name of ["lang", "dir"]) said.removeAttribute(name);
    said.classList.add("short");
    put(said, "withheld");
    this.of(".reason").hidden = false;
    const key = REASONS[code];
    if (key) put(this.of(".reason"), key, values);
    else Object.assign(this.of(".reason"), { textContent: reason, lang: "en", dir: "ltr" });
    announce(`${text("withheld")}. ${this.of(".reason").textContent}`);
  }

  #certain(words) {
    certain(this.of(".certainty"), words);
    this.spokenCertainty = words;
    announce(this.of(".words").textContent);
  }

  #read() {
    this.of(".certainty").hidden = false;
    this.of(".meter").remove();
    put(this.of(".words"), "wasRead");
  }

  // Only what there is: no empty drawers.
  #offer() {
    const { answer, able } = this;
    const likely = (answer.alternatives ?? []).filter((one) => one.text !== answer.text && one.score >= LIKELY);
    const more = answer.lines?.length ? "places" : answer.text ? "others" : "guesses";
    this.of(".buttons").hidden = false;
    this.of(".listen").hidden = !able.voice;
    this.of(".listen").addEventListener("click", () => this.listen());
    this.of(".others").hidden = !answer.lines?.length && !likely.length;
    put(this.of(".others span"), more);
    this.#drawer(".others", ".others-list", () => (answer.lines?.length ? this.#places() : this.#likely(likely)));
    this.of(".evidence").hidden = !(answer.text && this.question) || able.converses || answer.lines.length > 0;
    this.#drawer(".evidence", ".evidence-shown", () => this.#evidence());
    this.of(".copy").hidden = !answer.text;
    this.of(".copy").addEventListener("click", () => copy(this.words));
  }

  // Filled when it is first opened.
  #drawer(button, drawer, fill) {
    const [opener, part] = [this.of(button), this.of(drawer)];
    opener.addEventListener("click", async () => {
      const open = opener.getAttribute("aria-expanded") !== "true";
      opener.setAttribute("aria-expanded", open);
      part.hidden = !open;
      if (!open || part.childElementCount) return;
      const filled = await fill();
      if (filled) return part.replaceChildren(...filled);
      opener.setAttribute("aria-expanded", false);
      part.hidden = true;
    });
  }

  #likely(candidates) {
    const list = document.createElement("ul");
    list.append(...candidates.map((one) => row(one.text, "likely", { percent: percent(one.score) })));
    const note = document.createElement("p");
    note.className = "hint";
    const { certainty, score, text: given } = this.answer;
    if (!given) put(note, "guessesNote");
    else if (certainty) put(note, "scoreNote", { percent: percent(score) });
    else put(note, "scoreOnly", { percent: percent(score) });
    announce(candidates.map((one) => one.text).join(", "), "en");
    return [note, list];
  }

  #places() {
    const list = document.createElement("ul");
    const lines = this.answer.lines;
    list.append(...lines.map((line) => row(line.text, line.confidence < 0.8 ? "placeUnsure" : "place", { where: text(`where ${line.where}`) })));
    return [list];
  }

  async #evidence() {
    announce(text("explaining"));
    this.of(".evidence-shown").hidden = false;
    const note = document.createElement("p");
    put(note, "explaining");
    this.of(".evidence-shown").append(note);
    try {
      const found = await evidence(this.picture, this.question, this.answer.text, this.cancel.signal);
      const figure = document.createElement("figure");
      const image = document.createElement("img");
      Object.assign(image, { src: found.image, alt: text("evidenceAlt") });
      const caption = document.createElement("figcaption");
      const trust = document.createElement("p");
      trust.className = found.trusted ? "trust" : "trust not";
      put(trust, found.trusted ? "trusted" : "notTrusted");
      const figures = document.createElement("p");
      put(figures, "evidenceFigures", { left: percent(found.deletion), chance: percent(found.chance) });
      caption.append(trust, figures);
      figure.append(image, caption);
      announce(`${trust.textContent} ${figures.textContent}`);
      return [figure];
    } catch (failure) {
      note.remove();
      this.#complain(failure);
      return null;
    }
  }

  // The voice speaks the model's language, so certainty and reasons are said in the server's own words.
  #spoken() {
    const pieces = [...this.of(".said").querySelectorAll("p")].map((element) => ({ text: element.textContent, element }));
    if (!this.answer.text) pieces.push({ text: `I cannot tell: ${this.answer.reason}.`, element: this.of(".said") });
    if (this.spokenCertainty) pieces.push({ text: `${this.spokenCertainty}.`, element: this.of(".certainty") });
    return pieces;
  }

  #playing(state) {
    const button = this.of(".listen");
    button.dataset.state = state;
    put(button.querySelector("span"), { playing: "pause", paused: "goOn", idle: "listen" }[state]);
    button.querySelector("use").setAttribute("href", state === "playing" ? "#i-pause" : "#i-listen");
  }

  #complain(failure) {
    const key = failure.key ?? "errorServer";
    this.of(".problem")?.remove();
    const note = document.createElement("p");
    note.className = "error problem";
    put(note, has(`${key}Hint`) ? `${key}Hint` : key, failure.values);
    this.of(".buttons").after(note);
    alarm(`${text(key, failure.values)} ${note.textContent} ${failure.found ?? ""}`);
  }
}

/** Shows how sure something is; nothing where that is not known. `words` are the server's. */
export function certain(element, words) {
  const level = CERTAINTIES[words] ?? 0;
  element.hidden = !level;
  [...element.querySelector(".meter").children].forEach((bar, place) => bar.classList.toggle("on", place < level));
  if (level) put(element.querySelector(".words"), `certainty${level}`);
}

/** Puts words on the clipboard, on pages without TLS too. */
export async function copy(words) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(words);
  } else {
    const focused = document.activeElement;
    const field = document.createElement("textarea");
    field.value = words;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    focused?.focus();
  }
  announce(text("copied"));
}

function row(words, key, values) {
  const item = document.createElement("li");
  const note = document.createElement("span");
  put(note, key, values);
  item.append(english("b", words), note);
  return item;
}

function english(tag, words) {
  return Object.assign(document.createElement(tag), { textContent: words, lang: "en", dir: "ltr" });
}

const percent = (share) => new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(share);
