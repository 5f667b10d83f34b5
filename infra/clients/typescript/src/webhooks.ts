/** Events as endpoints are told them, signed as Standard Webhooks 1.0 says. */

import { Webhook } from "standardwebhooks";

import type { Event } from "./generated/types.gen.js";

export { WebhookVerificationError } from "standardwebhooks";

/**
 * Return the event, if Perene signed these very bytes within the last five minutes.
 *
 * `body` is the text as it came, not yet parsed; `secret` is the endpoint's (`whsec_…`). Throws
 * `WebhookVerificationError`: answer 401.
 */
export function verifyWebhook(
  body: string,
  headers: Headers | Record<string, string | string[] | undefined>,
  secret: string,
): Event {
  const pairs = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const single = pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return new Webhook(secret).verify(body, Object.fromEntries(single)) as Event;
}
