// Reading aloud with the server's voice: a sentence after the other, so that the first is heard soon and the one being heard
// can be shown. The next is fetched while one plays.

import { say } from "./server.js";

const audio = document.getElementById("sound");
const speed = document.getElementById("speed");
let current = null;

/** Reads `pieces` ([{text, element}]) aloud. `changed` hears "playing", "paused" and "idle"; errors are thrown. */
export async function read(pieces, changed) {
  stop();
  const mine = { changed, waiting: null, cancel: new AbortController() };
  current = mine;
  changed("playing");
  try {
    let next = fetchSound(pieces[0], mine);
    for (let index = 0; index < pieces.length && current === mine; index++) {
      const sound = await next;
      next = index + 1 < pieces.length ? fetchSound(pieces[index + 1], mine) : null;
      next?.catch(() => {});
      if (current === mine) await play(sound, pieces[index].element, mine);
    }
  } catch (error) {
    if (current === mine) throw error;
  } finally {
    if (current === mine) stop();
  }
}

/** Pauses what is read, or goes on with it. */
export function pauseOrGoOn() {
  if (!current) return;
  if (audio.paused) audio.play();
  else audio.pause();
  current.changed(audio.paused ? "paused" : "playing");
}

/** Ends it. */
export function stop() {
  const ended = current;
  ended?.element?.classList.remove("speaking"); // at once: the sound's own end comes later
  current = null;
  audio.pause();
  ended?.cancel.abort();
  ended?.waiting?.();
  ended?.changed("idle");
}

/** Whether something is read, also while it is paused. */
export const reading = () => current !== null;

function fetchSound(piece, mine) {
  return say(piece.text, Number(speed.value), mine.cancel.signal);
}

async function play(sound, element, mine) {
  const url = URL.createObjectURL(sound);
  element.classList.add("speaking");
  mine.element = element;
  try {
    audio.src = url;
    await audio.play();
    await new Promise((resolve, reject) => {
      mine.waiting = resolve;
      audio.onended = resolve;
      audio.onerror = () => reject(new Error("the sound cannot be played"));
    });
  } finally {
    element.classList.remove("speaking");
    URL.revokeObjectURL(url);
  }
}
