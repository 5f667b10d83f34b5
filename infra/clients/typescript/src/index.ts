/** The client of Perene: every operation of its API, and what makes them safe to repeat. */

export { createClient, followPages, Perene } from "./client.js";
export type { ClientSettings, SendSettings } from "./client.js";
export { isProblem, PereneError } from "./problems.js";
export type { ProblemName, ProblemNamed } from "./problems.js";
export { verifyWebhook, WebhookVerificationError } from "./webhooks.js";
export type * from "./generated/types.gen.js";
