// How often to look for news: only while the page is visible, and seldom while nobody is there or nothing answers.

import { useEffect, useRef } from "../../lib.js";

const IDLE_AFTER_MS = 5 * 60_000;
const SLOW_MS = 15_000;

let active = Date.now();
const sleepers = new Set();

/** Something happened: a person moved, or news came. */
export function stir() {
  const idle = Date.now() - active > IDLE_AFTER_MS;
  active = Date.now();
  if (idle) for (const wake of sleepers) wake();
}

for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
  addEventListener(event, stir, { capture: true, passive: true });

/** `run` is awaited every so many ms, never twice at once; a failure of it makes the next one late. */
export function usePulse(run, every, key) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let timer = 0;
    let busy = false;
    let over = false;
    const later = (failed) => {
      clearTimeout(timer);
      const slow = failed || Date.now() - active > IDLE_AFTER_MS;
      if (!over) timer = setTimeout(beat, slow ? Math.max(SLOW_MS, every) : every);
    };
    async function beat() {
      if (busy || over || document.visibilityState !== "visible") return;
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
    const seen = () => document.visibilityState === "visible" && beat();
    document.addEventListener("visibilitychange", seen);
    addEventListener("online", seen);
    sleepers.add(beat);
    later(false);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      removeEventListener("online", seen);
      sleepers.delete(beat);
    };
  }, [every, key]);
}
