import { useEffect, useState } from "react";
import { explain } from "./perene";

/**
 * Do `work` now, and again `pauseMs` after it is done, ten times as seldom while nobody looks.
 *
 * Another `work` begins anew, and aborts the one before. Returns why the last one failed, or "".
 */
export function usePulse(work: (signal: AbortSignal) => Promise<void>, pauseMs: number): string {
  const [failure, setFailure] = useState("");

  useEffect(() => {
    const end = new AbortController();
    const pulse = async () => {
      while (!end.signal.aborted) {
        const said = await work(end.signal).then(() => "", explain);
        if (!end.signal.aborted) setFailure(said);
        await pause(document.hidden ? 10 * pauseMs : pauseMs);
      }
    };
    void pulse();
    return () => end.abort();
  }, [work, pauseMs]);

  return failure;
}

/** Wait, or until the page is shown or hidden. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    document.addEventListener("visibilitychange", finish);
  });
}
