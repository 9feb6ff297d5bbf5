// The page: connects its controls to the pictures, the server and the answers. History is in memory only.

import { Sentences, alarm, announce, silence } from "./announce.js";
import * as finding from "./find.js";
import * as listening from "./listen.js";
import * as pictures from "./pictures.js";
import * as review from "./review.js";
import * as server from "./server.js";
import * as sound from "./sound.js";
import * as texts from "./texts.js";
import { Turn, copy } from "./turns.js";
import * as views from "./views.js";

const at = (id) => document.getElementById(id);
const field = at("question");
let able = {};
let running = null;
let conversation = []; // messages as OpenAI has them, for models that converse
const OTHERS = 4; // alternatives wanted with an answer

/** Asks about the chosen picture; `work(turn)` gets the answer and gives out its sentences. */
async function begin(what, work) {
  const picture = pictures.chosen();
  if (!picture) {
    pictures.complain("errorNoPicture");
    at("choose").focus();
    return;
  }
  running?.cancel.abort();
  sound.stop();
  silence();
  pictures.complain("");
  problem("");
  const turn = new Turn(what, picture, able);
  running = turn;
  show(turn);
  try {
    turn.done(await work(turn));
    if (at("aloud").checked) turn.listen();
  } catch (failure) {
    turn.failed(failure, () => begin(what, work));
    if (failure.key === "errorKey") askForKey();
  } finally {
    if (running === turn) running = null;
  }
}

function show(turn) {
  const before = at("latest").firstElementChild;
  const hadFocus = before?.contains(document.activeElement);
  for (const open of before?.querySelectorAll("[aria-expanded=true]") ?? []) open.click();
  if (before && !before.matches(".failed")) at("earlier").prepend(before);
  at("earlier-part").hidden = !at("earlier").childElementCount;
  at("latest").replaceChildren(turn.element);
  if (hadFocus) field.focus({ preventScroll: true }); // what moves or goes loses the focus
  at("answers").hidden = false;
  at("latest").scrollIntoView({ block: "nearest" });
}

function ask(question, language = "") {
  return begin({ question, language }, async (turn) =>
    able.converses ? converse(turn, question) : whole(turn, await server.ask(turn.picture, question, OTHERS, turn.cancel.signal)),
  );
}

const describe = () => begin({ key: "describe" }, async (turn) => whole(turn, await server.caption(turn.picture, turn.cancel.signal)));

const read = () => begin({ key: "read" }, async (turn) => whole(turn, await server.readText(turn.picture, turn.cancel.signal)));

// An answer that comes whole is given out by sentences too; what was read, by lines.
function whole(turn, answer) {
  const sentences = new Sentences((one) => turn.sentence(one));
  for (const line of (answer.text ?? "").split("\n")) {
    sentences.add(line);
    sentences.end();
  }
  return answer;
}

// The picture goes along where it is another than in the turn before. Oldest turns are left out when they would be too many.
async function converse(turn, question) {
  const before = conversation.findLast((message) => message.picture)?.picture;
  const parts = [{ type: "text", text: question }];
  if (before !== turn.picture) parts.unshift({ type: "image_url", image_url: { url: await pictures.asUrl(turn.picture) } });
  const asked = { role: "user", content: parts, picture: turn.picture };
  let messages = [...conversation, asked];
  while (messages.filter((one) => one.content[0].type === "image_url").length > able.pictures) messages = messages.slice(2);
  const sent = messages.map(({ role, content }) => ({ role, content }));
  const sentences = new Sentences((one) => turn.sentence(one));
  const answer = await server.converse(sent, able.model, (piece) => sentences.add(piece), turn.cancel.signal);
  sentences.end();
  conversation = [...messages, { role: "assistant", content: answer.text }];
  return answer;
}

/** Says below the question what is wrong with it; an empty key takes it back. */
function problem(key) {
  at("question-error").hidden = !key;
  if (key) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  if (!key) return;
  texts.put(at("question-error"), key);
  alarm(texts.text(key));
}

function askForKey() {
  at("key").setAttribute("aria-invalid", "true");
  at("key").focus();
}

function submit() {
  const question = field.value.trim();
  if (!question) {
    problem("errorNoQuestion");
    field.focus();
    return;
  }
  if (pictures.chosen()) field.value = "";
  ask(question);
}

async function sample(button) {
  const response = await fetch(`samples/${button.dataset.sample}`);
  const name = button.dataset.sample;
  await pictures.add([new File([await response.blob()], name, { type: "image/webp" })]);
  field.focus({ preventScroll: true }); // the control that had it is gone
  await ask(button.dataset.asks, "en");
}

async function suggest() {
  const picture = pictures.chosen();
  try {
    const { text: words } = await server.caption(picture);
    picture.draft = words ?? "";
    at("alt-text").value = picture.draft;
    announce(picture.draft, "en");
  } catch (failure) {
    pictures.complain(failure.key ?? "errorServer", failure.values);
  }
}

function accept() {
  const picture = pictures.chosen();
  picture.alt = picture.draft = at("alt-text").value.trim();
  pictures.describe(picture);
  announce(texts.text("altAccepted"));
}

// A picture that was found goes into the conversation; its description is the alt text to begin with.
async function openFound(file, caption) {
  const picture = await pictures.add([file]);
  if (!picture) return;
  picture.draft = caption;
  views.show("ask");
  field.focus();
}

function clear() {
  running?.cancel.abort();
  sound.stop();
  silence();
  conversation = [];
  pictures.clear();
  finding.clear();
  review.clear();
  for (const id of ["latest", "earlier"]) at(id).replaceChildren();
  at("answers").hidden = at("earlier-part").hidden = true;
  announce(texts.text("cleared"));
  at("choose").focus();
}

function connect() {
  pictures.connect((transfer) => {
    if (views.shown() !== "alt") {
      views.show("ask");
      return false;
    }
    review.drop(transfer);
    return true;
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  field.addEventListener("input", () => problem(""));
  at("key").addEventListener("change", () => {
    at("key").removeAttribute("aria-invalid");
    server.useKey(at("key").value.trim());
  });
  at("key-part").addEventListener("submit", (event) => event.preventDefault());
  at("describe").addEventListener("click", describe);
  at("read").addEventListener("click", read);
  for (const button of document.querySelectorAll(".chips [data-asks]")) button.addEventListener("click", () => ask(button.dataset.asks, "en"));
  for (const button of document.querySelectorAll("[data-sample]")) button.addEventListener("click", () => sample(button));
  at("alt-suggest").addEventListener("click", suggest);
  at("alt-accept").addEventListener("click", accept);
  at("alt-copy").addEventListener("click", () => copy(at("alt-text").value));
  at("alt-text").addEventListener("input", () => (pictures.chosen().draft = at("alt-text").value));
  at("clear").addEventListener("click", clear);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    sound.stop();
    listening.stop();
    finding.stop();
    review.stop();
    running?.cancel.abort();
  });
  for (const id of ["speed", "aloud"]) remember(at(id));
  at("language").addEventListener("change", async () => {
    localStorage.setItem("language", at("language").value);
    await texts.speak(at("language").value);
    if (pictures.chosen()) pictures.select(pictures.chosen());
  });
}

// Settings are kept in this browser; pictures, questions and answers never are.
function remember(control) {
  const key = control.type === "checkbox" ? "checked" : "value";
  const kept = localStorage.getItem(control.id);
  if (kept !== null) control[key] = key === "checked" ? kept === "true" : kept;
  control.addEventListener("change", () => localStorage.setItem(control.id, control[key]));
}

at("language").value = texts.preferred();
await texts.speak(at("language").value);
connect();
try {
  able = await server.about();
} catch (failure) {
  pictures.complain(failure.key ?? "errorServer", failure.values);
}
if (able.finds) finding.connect(able.finds, able.calibrated, openFound);
if (able.describes) review.connect();
views.connect(["ask", ...(able.finds ? ["find"] : []), ...(able.describes ? ["alt"] : [])]);
at("describe").hidden = at("alt-suggest").hidden = !able.describes;
document.querySelector(".sound").hidden = !able.voice;
at("key-part").hidden = !able.needs_key;
at("model").hidden = !able.model;
at("model-name").textContent = able.model ?? "";
if (able.converses) texts.put(at("question-hint"), "hintConverses");
listening.connect(able.listens, (words) => {
  field.value = words;
  submit();
}, problem);
document.body.dataset.ready = "true";
