// The pictures in the conversation: how they come in (chosen, dropped, pasted, photographed), which one is asked about, and its
// alt text. They are files in memory and never leave it but to be asked about.

import { put, text } from "./texts.js";
import { alarm, announce } from "./announce.js";

const MOST = 8; // the server's limit for one request
const BYTES = 18_000_000; // its limit for a body is 20 MB, and a form has more in it than the picture
const PIXELS = 50_000_000;
const at = (id) => document.getElementById(id);
const main = at("view-ask");

/** All pictures, oldest first: {id, name, file, url, alt, shown}; `shown` where the browser can show it. */
export const pictures = [];
let selected = null;
let numbers = 0;
const urls = []; // of removed pictures too, which earlier answers still show

/** The picture that is asked about; null where there is none. */
export const chosen = () => selected;

/** Takes files in; those that cannot be taken are told. Returns the last one taken. */
export async function add(files) {
  complain("");
  let last = null;
  for (const file of files) {
    if (file.type && !file.type.startsWith("image/")) complain("errorNotPicture", { name: file.name });
    else if (!file.size) complain("errorEmptyFile", { name: file.name });
    else if (pictures.length >= MOST) complain("errorTooMany", { most: MOST });
    else last = await take(file);
  }
  if (last) select(last);
  return last;
}

/** Says beside the controls for pictures what went wrong; an empty key takes it back. */
export function complain(key, values = {}) {
  at("picture-error").hidden = !key;
  at("choose").toggleAttribute("aria-invalid", false);
  if (!key) return;
  put(at("picture-error"), key, values);
  alarm(text(key, values));
}

/** Makes a picture the one that is asked about. */
export function select(picture) {
  selected = picture;
  main.dataset.state = picture ? "chosen" : "empty";
  at("shown").hidden = at("alt").hidden = at("talk").hidden = !picture;
  at("samples").hidden = Boolean(picture);
  at("remove").hidden = !picture;
  main.dataset.several = String(pictures.length > 1);
  put(at("choose").querySelector("span"), picture ? "chooseMore" : "choose");
  at("choose").classList.toggle("main", !picture);
  drawTray();
  if (!picture) return;
  at("picture").hidden = !picture.shown;
  at("unseen").hidden = picture.shown;
  if (picture.shown) at("picture").src = picture.url;
  describe(picture);
  at("picture-name").textContent = nameOf(picture);
  at("alt-text").value = picture.draft ?? picture.alt;
}

/** "Picture 2: cat.jpg" */
export const nameOf = (picture) => text("pictureNumber", { number: picture.id, name: picture.name });

/** Forgets all pictures. */
export function clear() {
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  pictures.length = numbers = 0;
  select(null);
}

/** Puts what is said about the picture where it is said to those who do not see it. */
export function describe(picture) {
  at("picture").alt = picture.alt || text("pictureAlt", { name: picture.name });
}

/** A picture as a data: URL, small enough that all pictures together fit in a request. */
export async function asUrl(picture) {
  const room = (0.7 * BYTES) / pictures.length;
  const file = picture.file.size > room ? await shrink(await createImageBitmap(picture.file), room / 3, "") : picture.file;
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(file);
  });
}

async function take(file) {
  const { fitting, shown } = await fit(file);
  numbers += 1;
  const name = file.name || text("photo", { number: numbers });
  const picture = { id: numbers, name, file: fitting, url: URL.createObjectURL(fitting), alt: "", shown };
  urls.push(picture.url);
  pictures.push(picture);
  announce(text("added", { name }));
  return picture;
}

// Made smaller only where the server would refuse it. The browser turns it upright on the way; else the server does.
async function fit(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { fitting: file, shown: false };
  }
  if (file.size <= BYTES && bitmap.width * bitmap.height <= PIXELS) return { fitting: file, shown: true };
  announce(text("madeSmaller", { name: file.name }));
  return { fitting: await shrink(bitmap, 12_000_000, file.name), shown: true };
}

async function shrink(bitmap, pixels, name) {
  const scale = Math.min(1, Math.sqrt(pixels / (bitmap.width * bitmap.height)));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return new File([blob], name, { type: blob.type });
}

function drawTray() {
  at("tray").hidden = pictures.length < 2;
  const rows = pictures.map((picture) => {
    const row = at("thumb").content.cloneNode(true);
    const input = row.querySelector("input");
    Object.assign(input, { value: picture.id, checked: picture === selected });
    row.querySelector("img").src = picture.url;
    row.querySelector(".heard").textContent = nameOf(picture);
    return row;
  });
  const hadFocus = at("thumbs").contains(document.activeElement);
  at("thumbs").replaceChildren(...rows);
  if (hadFocus) at("thumbs").querySelector(":checked")?.focus();
}

/** Connects the controls. `elsewhere` takes what is dropped or pasted where it is not for asking, and says so. */
export function connect(elsewhere) {
  at("choose").addEventListener("click", () => at("files").click());
  for (const input of [at("files"), at("capture")]) {
    input.addEventListener("change", async () => {
      await add([...input.files]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && !elsewhere(event.clipboardData)) add(files);
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  for (const kind of ["dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (kind === "drop" || !event.relatedTarget) document.body.classList.remove("dropping");
    });
  }
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!elsewhere(event.dataTransfer)) add([...event.dataTransfer.files]);
  });
  at("thumbs").addEventListener("change", (event) => {
    select(pictures.find((one) => one.id === Number(event.target.value)));
  });
  at("remove").addEventListener("click", () => {
    const place = pictures.indexOf(selected);
    pictures.splice(place, 1);
    announce(text("removed", { name: selected.name }));
    select(pictures[Math.min(place, pictures.length - 1)] ?? null);
    if (!selected) at("choose").focus();
  });
  connectCamera();
}

// A phone's own camera is the better one, and works on pages without TLS too; elsewhere the browser's is shown.
async function connectCamera() {
  if (matchMedia("(pointer: coarse)").matches) {
    at("photograph").hidden = false;
    at("photograph").addEventListener("click", () => at("capture").click());
    return;
  }
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  at("photograph").hidden = !devices.some((device) => device.kind === "videoinput");
  const dialog = at("camera");
  at("photograph").addEventListener("click", async () => {
    complain("");
    try {
      at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      dialog.showModal();
    } catch {
      complain("errorCamera");
    }
  });
  dialog.addEventListener("close", () => {
    for (const track of at("video").srcObject?.getTracks() ?? []) track.stop();
    at("video").srcObject = null;
  });
  at("camera-close").addEventListener("click", () => dialog.close());
  at("shoot").addEventListener("click", async () => {
    const { videoWidth: width, videoHeight: height } = at("video");
    if (!width) return;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").drawImage(at("video"), 0, 0);
    const photo = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    dialog.close();
    await add([new File([photo], text("photo", { number: numbers + 1 }), { type: photo.type })]);
  });
}
