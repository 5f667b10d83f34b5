/** Failures: what Perene says of them, told apart by their type. */

import type { Problem, ProblemFields } from "./generated/types.gen.js";

const PREFIX = "urn:perene:problem:";

/** A failure that isn't one of Perene's: no answer (status 0), or a proxy's page. */
export type Unexplained = ProblemFields & { type: "about:blank" };

type NameOf<Type> = Type extends `urn:perene:problem:${infer Name}` ? Name : never;

/** The last part of a problem's type, like `line-not-open`. */
export type ProblemName = NameOf<Problem["type"]>;

/** The problem of a name. */
export type ProblemNamed<Name extends ProblemName> = Extract<
  Problem,
  { type: `urn:perene:problem:${Name}` }
>;

/** A call that failed. Decide by `problem.type`; `problem.title` is a sentence to show. */
export class PereneError extends Error {
  override readonly name = "PereneError";

  constructor(
    readonly problem: Problem | Unexplained,
    /** The key of a send: send again with it, and the message is still sent once. */
    readonly idempotencyKey?: string,
    options?: ErrorOptions,
  ) {
    super(problem.detail ?? problem.title, options);
  }
}

/** Whether a failed call says this, whatever was thrown: `isProblem(error, "line-not-open")`. */
export function isProblem<Name extends ProblemName>(
  error: unknown,
  name: Name,
): error is PereneError & { problem: ProblemNamed<Name> } {
  return error instanceof PereneError && error.problem.type === PREFIX + name;
}

/** Return what a failed call throws; `body` is its answer, or why there is none. */
export function explainFailure(
  body: unknown,
  response: Response | undefined,
  request: Request,
): unknown {
  const key = request.headers.get("idempotency-key") ?? undefined;
  if (!response) {
    if (request.signal.aborted) return body;
    return new PereneError(explainNothing("Perene did not answer", 0), key, { cause: body });
  }
  const title = response.statusText || `Perene answered ${response.status}`;
  return new PereneError(isFields(body) ? body : explainNothing(title, response.status), key);
}

function explainNothing(title: string, status: number): Unexplained {
  return { type: "about:blank", title, status };
}

function isFields(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "type" in body && "title" in body;
}
