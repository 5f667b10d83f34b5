// Call the functions with the person's token. Every failure is an ApiError, which `sentence` puts in words.

import { functionUrl } from "./config.js";
import { noteAnswer, noteSilence } from "./connection.js";
import { adoptTime } from "./clock.js";
import { has, t } from "./i18n/index.js";
import { SessionExpired, expire, token } from "./session.js";

const TIMEOUT_MS = 30_000;
const PAUSES_MS = [300, 1_200];
const TYPE = "urn:perene:problem:";

/**
 * A failed call. `kind`: "problem" (a function refused), "down" (its place answered, not the function), "network", "timeout",
 * "expired" or "aborted" (by the page itself).
 */
export class ApiError extends Error {
  constructor(kind, problem = {}) {
    super(problem.title ?? kind);
    this.kind = kind;
    this.problem = (problem.type ?? "").replace(TYPE, "");
    this.status = problem.status ?? 0;
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.errors = problem.errors ?? [];
    this.retryAfter = problem.retry_after ?? null;
  }
}

/** Describe a failure to a person: by the problem's type, else its title, else the kind of failure. */
export function sentence(error) {
  if (!(error instanceof ApiError)) return t("shell.failures.unexpected");
  const key = `shell.problems.${error.problem}`;
  if (error.problem && has(key)) return t(key);
  return error.title || t(`shell.failures.${error.kind}`);
}

/** Tell whether the same call may succeed later. */
export const worthRetrying = (error) =>
  ["down", "network", "timeout"].includes(error?.kind) || error?.status >= 500 || error?.retryAfter !== null;

/**
 * Call a function; resolves to {status, data, etag, retryAfter}, without data for a 304. Options: `query` (without empty
 * values), `body`, `key` (Idempotency-Key), `etag` (If-None-Match), `signal`, `timeout` in ms.
 */
export const api = {
  get: (path, options) => call("GET", path, options),
  post: (path, body, options) => call("POST", path, { ...options, body: body ?? {} }),
  put: (path, body, options) => call("PUT", path, { ...options, body }),
  patch: (path, body, options) => call("PATCH", path, { ...options, body }),
  delete: (path, options) => call("DELETE", path, options),
  /** Fetch a file for URL.createObjectURL: `data` is a Blob. */
  blob: (path, options) => call("GET", path, { ...options, read: (answer) => answer.blob() }),
};

/** Post without a session; the body authorises the call. */
export const postWithoutSession = (path, body) => once("POST", path, { body, bearer: null });

async function call(method, path, options = {}) {
  const pauses = method === "GET" ? PAUSES_MS : [];
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(method, path, options);
    } catch (error) {
      if (error.kind !== "network" || attempt >= pauses.length || !navigator.onLine) {
        if (["down", "network", "timeout"].includes(error.kind)) noteSilence(path);
        throw error;
      }
      await pause(pauses[attempt], options.signal);
    }
  }
}

async function once(method, path, { query, body, key, etag, signal, timeout = TIMEOUT_MS, read, bearer } = {}) {
  const limit = AbortSignal.timeout(timeout);
  try {
    const url = await functionUrl(path);
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
    const answer = await fetch(url, {
      method,
      headers: headers(bearer === null ? null : await token(), { body, key, etag }),
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    adoptTime(answer.headers.get("x-perene-time"));
    const result = await readAnswer(answer, read);
    noteAnswer(path);
    return result;
  } catch (error) {
    const failure = toApiError(error, signal, limit);
    if (failure.kind === "problem" || failure.kind === "expired") noteAnswer(path);
    throw failure;
  }
}

function headers(bearer, { body, key, etag }) {
  const fields = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  if (body !== undefined) fields["content-type"] = "application/json";
  if (key) fields["idempotency-key"] = key;
  if (etag) fields["if-none-match"] = etag;
  return fields;
}

async function readAnswer(answer, read = (answer) => answer.json()) {
  if (!answer.ok && answer.status !== 304) throw await readProblem(answer);
  const empty = answer.status === 204 || answer.status === 304;
  return {
    status: answer.status,
    data: empty ? undefined : await read(answer),
    etag: answer.headers.get("etag"),
    retryAfter: seconds(answer),
  };
}

async function readProblem(answer) {
  const body = await answer.json().catch(() => ({}));
  const isOurs = Boolean(body.type) || (answer.status < 500 && answer.status !== 404);
  const error = new ApiError(isOurs ? "problem" : "down", { status: answer.status, retry_after: seconds(answer), ...body });
  if (answer.status === 401) expire();
  return answer.status === 401 ? new ApiError("expired", body) : error;
}

function toApiError(error, signal, limit) {
  if (error instanceof ApiError) return error;
  if (error instanceof SessionExpired) return new ApiError("expired");
  if (signal?.aborted) return new ApiError("aborted");
  if (limit.aborted) return new ApiError("timeout");
  return new ApiError("network");
}

const seconds = (answer) => Number(answer.headers.get("retry-after")) || null;

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new ApiError("aborted"));
    });
  });
}
