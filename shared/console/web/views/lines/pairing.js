// Follow the pairing of a line, as the person who holds the phone sees it.

import { now } from "../../clock.js";
import { useCallback, useEffect, useRef, useState } from "../../lib.js";

const LOOK_MS = 2_000;
const UNSEEN_MS = 5_000;
const RETRY_MS = 10_000;
const LONGEST_CODE_MS = 90_000;

/** Reasons for which the server stopped making codes: none was scanned for too long. */
const ENDED = ["qr_limit"];

/** Reasons that the person has to see: no other code is requested by itself. */
const FINAL = [...ENDED, "banned"];

/**
 * Pair a line; returns {line, error, step, busy, secondsLeft, again, type, other}.
 *
 * `source`: `ensure(number?)` acts and `look()` only reads, both resolve to the line; `clear()`, where allowed, unpairs it.
 * step: "wait", "code", "read", "open", "ended", "conflict" or "banned". `secondsLeft` runs until the code is renewed.
 * `again()` requests a new code, `type(number)` one to type on that phone, `other()` unpairs the line and begins anew.
 */
export function usePairing(source) {
  const [line, setLine] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(true);
  const [secondsLeft, setSecondsLeft] = useState(null);
  const lastCode = useRef({ code: false, until: 0 });
  const isMade = useRef(false);

  const show = useCallback((current) => {
    isMade.current = true;
    setLine(current);
    setError(null);
    if (current.code) {
      const lasts = Math.min(Math.max(new Date(current.code.expires_at) - now(), 0), LONGEST_CODE_MS);
      lastCode.current = { code: true, until: Date.now() + lasts };
    }
    return current;
  }, []);

  const run = useCallback(async (ask) => {
    setBusy(true);
    try {
      show(await ask());
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  }, []);
  const act = useCallback((number) => run(() => source.ensure(number)), [source]);

  useEffect(() => {
    act();
  }, [act]);

  const step = stepOf(line, lastCode.current.code);
  const over = ["open", "ended", "conflict", "banned"].includes(step);

  useEffect(() => {
    if (over || busy || (error && error.kind === "problem" && error.status < 500 && !error.retryAfter)) return undefined;
    let stopped = false;
    let timer = 0;
    const look = async () => {
      if (document.visibilityState === "hidden") {
        timer = setTimeout(look, LOOK_MS);
        return;
      }
      try {
        const current = isMade.current ? await source.look() : null;
        const stale = current?.state === "pairing" && !current.code && Date.now() > lastCode.current.until + UNSEEN_MS;
        show(!current || stale || needsEnsuring(current) ? await source.ensure() : current); // until it could, the failure stays
      } catch (failure) {
        if (failure.kind !== "aborted") setError(failure);
      }
      if (!stopped) timer = setTimeout(look, isMade.current ? LOOK_MS : RETRY_MS);
    };
    timer = setTimeout(look, isMade.current ? LOOK_MS : RETRY_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [source, over, busy, error?.problem]);

  useEffect(() => {
    const tick = () => setSecondsLeft(Math.max(Math.ceil((lastCode.current.until - Date.now()) / 1000), 0));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [line]);

  const other = source.clear && (() => run(async () => (await source.clear(), source.ensure())));
  return { line, error, step, busy, secondsLeft, again: () => act(), type: act, other };
}

/** Tell whether the line changes only if it is ensured again. */
const needsEnsuring = ({ state, reason }) =>
  ["creating", "releasing", "missing"].includes(state) || (state === "closed" && !["reconnecting", "connection_lost", ...FINAL].includes(reason));

function stepOf(line, hadCode) {
  if (!line) return "wait";
  if (line.state === "open") return "open";
  if (line.state === "conflict") return "conflict";
  if (line.state === "closed" && ENDED.includes(line.reason)) return "ended";
  if (line.state === "closed" && line.reason === "banned") return "banned";
  if (line.code) return "code";
  return hadCode ? "read" : "wait";
}
