// Asking by voice. Where the server listens, the recording goes there and nowhere else; else the browser's own recognition
// is used, which may send it to the browser's maker, and the page says so. Where there is neither, there is no control.

import { transcribe } from "./server.js";
import { put, text } from "./texts.js";
import { announce } from "./announce.js";

const LONGEST = 30_000; // milliseconds of one question
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;
const button = document.getElementById("voice");
let end = null;

/** Shows the control where it can work. `model` is the server's listener, if it has one; `heard` gets what was said, `failed` the key of the words for what went wrong. */
export function connect(model, heard, failed) {
  const records = Boolean(model && navigator.mediaDevices && window.MediaRecorder);
  if (!records && !Recognition) return;
  button.hidden = false;
  document.getElementById("voice-note").hidden = records;
  button.addEventListener("click", async () => {
    if (end) return end();
    show(true);
    try {
      const words = await (records ? record(model) : recognize());
      if (words.trim()) heard(words.trim());
      else failed("errorHeardNothing");
    } catch (error) {
      failed(error.key ?? "errorMicrophone");
    } finally {
      end = null;
      show(false);
    }
  });
}

/** Stops listening without taking anything. */
export function stop() {
  end?.();
}

function show(on) {
  button.setAttribute("aria-pressed", on);
  put(button.querySelector("span"), on ? "voiceStop" : "voice");
  if (on) announce(text("listening"));
}

async function record(model) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  end = () => recorder.state === "inactive" || recorder.stop();
  const timer = setTimeout(end, LONGEST);
  await ended;
  clearTimeout(timer);
  for (const track of stream.getTracks()) track.stop();
  return transcribe(await asWav(new Blob(parts)), model);
}

// The server takes the sound files that people have; what browsers record (WebM) is not among them.
async function asWav(recording) {
  const sound = await new OfflineAudioContext(1, 1, 16_000).decodeAudioData(await recording.arrayBuffer());
  const samples = sound.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (offset, words) => [...words].forEach((letter, index) => view.setUint8(offset + index, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true);
  view.setUint32(28, 2 * sound.sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, index) => view.setInt16(44 + 2 * index, 32767 * Math.max(-1, Math.min(1, value)), true));
  return new File([view], "question.wav", { type: "audio/wav" });
}

function recognize() {
  return new Promise((resolve, reject) => {
    const recognition = new Recognition();
    Object.assign(recognition, { lang: "en-US", interimResults: false, maxAlternatives: 1 });
    recognition.onresult = (event) => resolve(event.results[0][0].transcript);
    recognition.onerror = (event) => (event.error === "no-speech" ? resolve("") : reject(new Error(event.error)));
    recognition.onend = () => resolve("");
    end = () => recognition.stop();
    recognition.start();
  });
}
