// Pace the polling: rarely while the page is hidden or idle, or while calls fail.

import { useEffect, useRef } from "./lib.js";

const IDLE_AFTER_MS = 5 * 60_000;
const SLOW_MS = 15_000;

let active = Date.now();
const sleepers = new Set();

/** Mark the page as active: a person moved, or news came. */
export function markActive() {
  const idle = Date.now() - active > IDLE_AFTER_MS;
  active = Date.now();
  if (idle) for (const wake of sleepers) wake();
}

for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
  addEventListener(event, markActive, { capture: true, passive: true });

/**
 * Await `run` every so many ms, never twice at once; after a failure the next run is late. While the page is hidden it
 * runs rarely if `hidden` is set, else not at all.
 */
export function usePulse(run, every, key, { hidden = false } = {}) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let timer = 0;
    let busy = false;
    let over = false;
    const isVisible = () => document.visibilityState === "visible";
    const later = (failed) => {
      clearTimeout(timer);
      const slow = failed || !isVisible() || Date.now() - active > IDLE_AFTER_MS;
      if (!over) timer = setTimeout(beat, slow ? Math.max(SLOW_MS, every) : every);
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
    sleepers.add(beat);
    later(false);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", beatIfVisible);
      removeEventListener("online", beatIfVisible);
      sleepers.delete(beat);
    };
  }, [every, key]);
}
