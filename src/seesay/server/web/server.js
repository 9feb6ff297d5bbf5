// The server's routes as functions. What goes wrong becomes a `Failure` with words for people and, in the server's own words,
// what it found.

/** Something did not work. `key` names the words for it; `found` is what the server said, in English. */
export class Failure extends Error {
  constructor(key, found = "", values = {}) {
    super(found || key);
    Object.assign(this, { key, found, values });
  }
}

let key = "";

/** The key that the server wants, sent from now on. */
export function useKey(given) {
  key = given;
}

/** What is loaded, and the limits. */
export const about = async () => (await send("about", {})).json();

/** An answer to a question about a picture, with `others` (at most) beside it. */
export async function ask(picture, question, others, signal) {
  const reply = await form("ask", { picture: picture.file, question, top_k: 1 + others }, signal);
  return answered((await reply.json()).answers[0]);
}

/** A sentence about a picture. */
export async function caption(picture, signal) {
  const [row] = (await (await form("caption", { picture: picture.file }, signal)).json()).captions;
  return { ...row, text: row.caption };
}

/** The text in a picture. */
export async function readText(picture, signal) {
  return (await (await form("read", { picture: picture.file }, signal)).json()).readings[0];
}

/** Which parts of a picture an answer hangs on, and how far that can be trusted. */
export async function evidence(picture, question, answer, signal) {
  return (await form("evidence", { picture: picture.file, question, answer, format: "json" }, signal)).json();
}

/** A text as sound: a WAV file. */
export async function say(text, speed, signal) {
  return (await form("speak", { text, speed }, signal)).blob();
}

/** What is said in a recording. */
export async function transcribe(recording, model) {
  return (await (await form("v1/audio/transcriptions", { file: recording, model })).json()).text;
}

/** The next answer of a conversation, whole; `piece` gets its pieces as they come. */
export async function converse(messages, model, piece, signal) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ model, messages, stream: true });
  const response = await send("v1/chat/completions", { method: "POST", headers, body, signal });
  let held = "";
  let answer = null;
  for await (const words of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (held + words).split("\n\n");
    held = events.pop();
    for (const data of events.map((event) => event.replace(/^data: /, "")).filter((one) => one !== "[DONE]")) {
      const event = JSON.parse(data);
      if (event.error) throw new Failure("errorServer", event.error.message);
      answer = event.seesay ? answered(event.seesay) : answer;
      piece(event.choices[0]?.delta.content ?? "");
    }
  }
  if (!answer) throw new Failure("errorNetwork");
  return answer;
}

/** Pictures of the index by a question, at most `limit`; `precision` is the share (0 to 1) that should be right, or empty. */
export async function find(question, limit, precision, signal) {
  return (await form("find", { question, limit, ...(precision && { precision }) }, signal)).json();
}

/** What is at an address that the server gave. */
export const got = async (address) => (await send(address.replace(/^\//, ""), {})).blob();

/** Alt texts suggested for the pictures in documents: [{name, file}]. */
export async function suggestTexts(files, signal) {
  return (await send("alt", { method: "POST", body: documents(files), signal })).json();
}

/** The documents with what was decided, as a file to be kept, and how many texts are new. */
export async function writeTexts(files, decisions) {
  const body = documents(files);
  body.append("decisions", new Blob([JSON.stringify(decisions)], { type: "application/json" }), "alt-decisions.json");
  const response = await send("alt/write", { method: "POST", body });
  const name = decodeURIComponent(response.headers.get("Content-Disposition").split("''")[1]);
  const [count, kept] = ["Seesay-Written", "Seesay-Kept"].map((one) => Number(response.headers.get(one)));
  return { blob: await response.blob(), name, count, kept };
}

function documents(files) {
  const body = new FormData();
  for (const { name, file } of files) body.append("document", file, name);
  return body;
}

function answered(row) {
  const alternatives = row.alternatives.map(({ answer, score }) => ({ text: answer, score }));
  return { ...row, text: row.answer, alternatives };
}

function form(path, fields, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return send(path, { method: "POST", body, signal });
}

async function send(path, options) {
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("errorNetwork");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

// By what the server calls it, else by its status.
const CODES = {
  document_error: "errorDocument",
  image_unreadable: "errorUnreadable",
  no_document: "errorNoDocument",
  not_understood: "errorNotUnderstood",
  nothing_changes: "errorNothingDecided",
  too_many_lacking: "errorTooManyLacking",
};
const KEYS = { 401: "errorKey", 413: "errorTooLarge", 400: "errorUnusable", 422: "errorUnusable", 503: "errorDown" };

async function failure(response) {
  if (response.status === 429) return new Failure("errorBusy", "", { seconds: response.headers.get("Retry-After") ?? "10" });
  const told = await response.json().catch(() => null);
  return new Failure(CODES[told?.error?.code] ?? KEYS[response.status] ?? "errorServer", told?.error?.message);
}
