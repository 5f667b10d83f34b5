// The functions, with the person's token. Whatever fails is an ApiError that `sentence` says in words.

import { functionUrl } from "./config.js";
import { missed, reached } from "./connection.js";
import { learn } from "./clock.js";
import { has, t } from "./i18n/index.js";
import { SessionExpired, expire, token } from "./session.js";

const TIMEOUT_MS = 30_000;
const PAUSES_MS = [300, 1_200];
const TYPE = "urn:perene:problem:";

/** kind: "problem" (a function said no), "network", "timeout", "expired" or "aborted" (we didn't want it any more). */
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

/** What to tell a person: by the problem's type, or else its title, or else what kind of failure it was. */
export function sentence(error) {
  if (!(error instanceof ApiError)) return t("shell.failures.unexpected");
  const known = `shell.problems.${error.problem}`;
  if (error.problem && has(known)) return t(known);
  return error.title || t(`shell.failures.${error.kind}`);
}

/** Whether doing the same again may help. */
export const worthRetrying = (error) =>
  ["network", "timeout"].includes(error?.kind) || error?.status >= 500 || error?.retryAfter !== null;

/**
 * Every call resolves to {status, data, etag, retryAfter}; 304 has no data. Options: `query` (empty values are
 * left out), `body`, `key` (Idempotency-Key), `etag` (If-None-Match), `signal`, `timeout` in ms.
 */
export const api = {
  get: (path, options) => call("GET", path, options),
  post: (path, body, options) => call("POST", path, { ...options, body: body ?? {} }),
  put: (path, body, options) => call("PUT", path, { ...options, body }),
  patch: (path, body, options) => call("PATCH", path, { ...options, body }),
  delete: (path, options) => call("DELETE", path, options),
  /** A file, for URL.createObjectURL: `data` is a Blob. */
  blob: (path, options) => call("GET", path, { ...options, read: (answer) => answer.blob() }),
};

/** The answer to a question that needs no session: a POST with a body that says enough. */
export const openly = (path, body) => once("POST", path, { body, bearer: null });

async function call(method, path, options = {}) {
  const pauses = method === "GET" ? PAUSES_MS : [];
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(method, path, options);
    } catch (error) {
      if (error.kind !== "network" || attempt >= pauses.length || !navigator.onLine) {
        if (["network", "timeout"].includes(error.kind)) missed();
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
    reached();
    learn(answer.headers.get("x-perene-time"));
    return await understood(answer, read);
  } catch (error) {
    throw named(error, signal, limit);
  }
}

function headers(bearer, { body, key, etag }) {
  const sent = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  if (body !== undefined) sent["content-type"] = "application/json";
  if (key) sent["idempotency-key"] = key;
  if (etag) sent["if-none-match"] = etag;
  return sent;
}

async function understood(answer, read = (answer) => answer.json()) {
  if (!answer.ok && answer.status !== 304) throw await refused(answer);
  const empty = answer.status === 204 || answer.status === 304;
  return {
    status: answer.status,
    data: empty ? undefined : await read(answer),
    etag: answer.headers.get("etag"),
    retryAfter: seconds(answer),
  };
}

async function refused(answer) {
  const said = await answer.json().catch(() => ({}));
  const error = new ApiError("problem", { status: answer.status, retry_after: seconds(answer), ...said });
  if (answer.status === 401) expire();
  return answer.status === 401 ? new ApiError("expired", said) : error;
}

function named(error, signal, limit) {
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
