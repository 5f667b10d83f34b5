/** Repeat a request that may be repeated, when there is hope that it succeeds. */

const LONGEST_MS = 30_000;
const FIRST_MS = 500;
const WITHOUT_EFFECT = new Set(["GET", "HEAD", "PUT"]);
const PASSING = new Set([502, 503, 504]);

/** Return a `fetch` that tries up to `retries` times more. The idempotency key stays the same. */
export function retrying(fetchOnce: typeof fetch, retries: number): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const most = isRepeatable(request) ? retries : 0;
    for (let tried = 0; tried < most; tried++) {
      const response = await fetchOnce(request.clone()).catch((error: unknown) => {
        if (request.signal.aborted) throw error;
        return undefined;
      });
      const pause = response ? readPause(response, tried) : pauseAfter(tried);
      if (response && (pause === undefined || pause > LONGEST_MS)) return response;
      await response?.body?.cancel();
      await sleep(pause ?? 0, request.signal);
    }
    return fetchOnce(request);
  };
}

function isRepeatable(request: Request): boolean {
  return WITHOUT_EFFECT.has(request.method) || request.headers.has("idempotency-key");
}

/** Return the milliseconds to wait, or undefined if another try would answer the same. */
function readPause(response: Response, tried: number): number | undefined {
  if (response.ok) return undefined;
  const asked = 1000 * Number(response.headers.get("retry-after") ?? NaN);
  if (!Number.isNaN(asked)) return asked; // a date is a proxy's: Perene says seconds
  const isPerenes = response.headers.get("content-type")?.startsWith("application/problem+json");
  return PASSING.has(response.status) && !isPerenes ? pauseAfter(tried) : undefined;
}

function pauseAfter(tried: number): number {
  return FIRST_MS * 2 ** tried * (0.5 + Math.random());
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
  });
}
