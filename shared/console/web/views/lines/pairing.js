// How a line comes to be connected, as a person who holds the phone sees it.

import { now } from "../../clock.js";
import { useCallback, useEffect, useRef, useState } from "../../lib.js";

const LOOK_MS = 2_000;
const UNSEEN_MS = 5_000;
const LONGEST_CODE_MS = 90_000;

/** A code that isn't shown anywhere any more: nobody scanned for too long. */
const ENDED = ["qr_limit"];

/** What asking for another code by itself would only hide. */
const FINAL = [...ENDED, "banned"];

/**
 * {line, error, step, busy, left, again, type, other}. `source` asks for the line: `ensure(number?)` acts, `look()` only
 * looks; both resolve to the line; `clear()`, if it may, unpairs it, and `other()` then begins anew. step: "wait", "code", "read", "open", "ended", "conflict" or "banned"; `left` are the seconds until
 * the code is renewed. `again()` asks for a new code, `type(number)` for one to type on that phone.
 */
export function usePairing(source) {
  const [line, setLine] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(true);
  const [left, setLeft] = useState(null);
  const seen = useRef({ code: false, until: 0 });

  const took = useCallback((found) => {
    setLine(found);
    setError(null);
    if (found.code) {
      const lasts = Math.min(Math.max(new Date(found.code.expires_at) - now(), 0), LONGEST_CODE_MS);
      seen.current = { code: true, until: Date.now() + lasts };
    }
    return found;
  }, []);

  const run = useCallback(async (ask) => {
    setBusy(true);
    try {
      took(await ask());
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  }, []);
  const act = useCallback((number) => run(() => source.ensure(number)), [source]);

  useEffect(() => {
    act();
  }, [act]);

  const step = stepOf(line, seen.current.code);
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
        const found = took(await source.look());
        const stale = found.state === "pairing" && !found.code && Date.now() > seen.current.until + UNSEEN_MS;
        if (stale || asks(found)) took(await source.ensure());
      } catch (failed) {
        if (failed.kind !== "aborted") setError(failed);
      }
      if (!stopped) timer = setTimeout(look, LOOK_MS);
    };
    timer = setTimeout(look, LOOK_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [source, over, busy, error?.problem]);

  useEffect(() => {
    const tick = () => setLeft(Math.max(Math.ceil((seen.current.until - Date.now()) / 1000), 0));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [line]);

  const other = source.clear && (() => run(async () => (await source.clear(), source.ensure())));
  return { line, error, step, busy, left, again: () => act(), type: act, other };
}

/** Nothing comes by itself any more: it has to be asked for. */
const asks = ({ state, reason }) =>
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
