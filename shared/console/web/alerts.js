// Tell of new messages while nobody looks at the page: by a notification of the desktop, and by a sound.

import { signal } from "./lib.js";
import { remember, recall } from "./memory.js";

const STORAGE_NAME = "alerts";
const NOTHING_CHOSEN = { asked: false, desktop: false, sound: false, muted: [] };
const NOTES = [
  [880, 0],
  [1174.7, 0.12],
];

/** What the person chose: {asked, desktop, sound, muted}; `muted` are the lines that stay silent. */
export const alerts = signal({ ...NOTHING_CHOSEN, ...recall(STORAGE_NAME) });

/** Change what is chosen; the question isn't asked again afterwards. */
export function chooseAlerts(change) {
  alerts.value = { ...alerts.value, ...change, asked: true };
  remember(STORAGE_NAME, alerts.value);
}

/**
 * Tell whether this browser can show notifications, and whether it was told not to: "default", "granted", "denied" or null.
 * Chrome on a phone can't: it has them for service workers only.
 */
export const permission = () => (typeof Notification === "function" && !navigator.userAgentData?.mobile ? Notification.permission : null);

/** Switch notifications on, if the browser's person allows it; resolves to whether they are on. */
export async function enableDesktop() {
  const isAllowed = permission() === "granted" || (permission() !== null && (await Notification.requestPermission()) === "granted");
  chooseAlerts({ desktop: isAllowed });
  return isAllowed;
}

/** Tell whether somebody looks at the page now. */
export const isWatched = () => document.visibilityState === "visible" && document.hasFocus();

/** Choose the conversations to tell of: something was said in them since `since` (epoch ms), on a line that isn't silent. */
export const chooseNews = (conversations, since, muted) =>
  conversations.filter(({ unread, last, last_at: at, line }) => unread > 0 && at > since && !last?.from_me && !muted.includes(line));

/** Show a notification, if they are on. `tag` names what it replaces. */
export function notify({ title, body, tag, onClick }) {
  if (!alerts.value.desktop || permission() !== "granted") return;
  try {
    const notification = new Notification(title, { body, tag, icon: new URL("mark.svg", import.meta.url).href, silent: true });
    notification.onclick = () => {
      window.focus();
      onClick();
      notification.close();
    };
  } catch {
    // Another phone's browser may refuse as Chrome does.
  }
}

let audio = null;

/** Play two short notes, if sound is on; a browser that wants to be touched first stays silent. */
export function chime() {
  if (!alerts.value.sound) return;
  audio ??= new AudioContext();
  audio.resume().catch(() => {});
  for (const [frequency, after] of NOTES) {
    const [tone, volume, start] = [audio.createOscillator(), audio.createGain(), audio.currentTime + after];
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.12, start);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.35);
  }
}
