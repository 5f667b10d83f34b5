// Pace the polling: rarely while the page is calm, hidden or idle, or while calls fail.

import { useEffect, useRef } from "./lib.js";

/** Milliseconds without a person's hand, and without news, after which the page is calm, and idle. */
const CALM_AFTER_MS = 30_000;
const IDLE_AFTER_MS = 5 * 60_000;
const SLOW_MS = 15_000;

let active = Date.now();
/** The pulses that wait: {beat, after}; a sign of life after so many ms wakes them. */
const sleepers = new Set();

/** Mark the page as active: a person moved, or news came. */
export function markActive() {
  const quiet = Date.now() - active;
  active = Date.now();
  for (const { beat, after } of sleepers) if (quiet > after) beat();
}

/** Tell whether nobody moved, and no news came, for a while. */
export const isCalm = () => Date.now() - active > CALM_AFTER_MS;

/** Choose the pause before the next run, in ms: `calm` is its length where nothing happens. */
export function choosePause({ every, calm = every, quiet, isSlow }) {
  if (isSlow || quiet > IDLE_AFTER_MS) return Math.max(SLOW_MS, every);
  return quiet > CALM_AFTER_MS ? calm : every;
}

for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
  addEventListener(event, markActive, { capture: true, passive: true });

/**
 * Await `run` every so many ms (`calm` while nothing happens), never twice at once; after a failure the next run is late. While
 * the page is hidden it runs rarely if `hidden` is set, else not at all.
 */
export function usePulse(run, every, key, { calm, hidden = false } = {}) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let timer = 0;
    let busy = false;
    let over = false;
    const isVisible = () => document.visibilityState === "visible";
    const later = (failed) => {
      clearTimeout(timer);
      const pause = choosePause({ every, calm, quiet: Date.now() - active, isSlow: failed || !isVisible() });
      if (!over) timer = setTimeout(beat, pause);
    };
    async function beat() {
      if (busy || over || !(hidden || isVisible())) return;
      busy = true;
      let failed = false;
      try {
        await latest.current();
      } catch {
        failed = true;
      }
      busy = false;
      later(failed);
    }
    const beatIfVisible = () => isVisible() && beat();
    document.addEventListener("visibilitychange", beatIfVisible);
    addEventListener("online", beatIfVisible);
    const sleeper = { beat, after: calm ? CALM_AFTER_MS : IDLE_AFTER_MS };
    sleepers.add(sleeper);
    later(false);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", beatIfVisible);
      removeEventListener("online", beatIfVisible);
      sleepers.delete(sleeper);
    };
  }, [every, calm, key]);
}
