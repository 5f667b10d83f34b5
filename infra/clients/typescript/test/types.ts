/** What the compiler has to know, and to refuse. It is compiled, never run. */

import { createClient, isProblem } from "perene";
import type { Event, MessageView, SendContentError } from "perene";

const client = createClient({ baseUrl: "https://perene.test" });

/** The type of an event says which data it has. */
export function describe(event: Event): string {
  switch (event.type) {
    case "message.received":
      return `${event.data.contact.key} ${event.data.kind} ${event.data.text ?? ""}`;
    case "line.state_changed":
      return event.data.state;
    case "send.settled":
      return event.data.key;
    default:
      // @ts-expect-error other events have no contact
      return event.data.contact.key;
  }
}

/** A problem's name says its status, and what else may be said is known for each route. */
export function explain(error: unknown): number {
  // @ts-expect-error no problem has this name
  if (isProblem(error, "line-lazy")) return 0;
  const failure: SendContentError["type"] = "urn:perene:problem:not-on-whatsapp";
  // @ts-expect-error this route never says so
  const other: SendContentError["type"] = "urn:perene:problem:link-used";
  return isProblem(error, "line-busy") ? (error.problem.status satisfies 409) : (failure + other).length;
}

/** An answer has no null, and what it always has needs no question mark. */
export async function read(): Promise<[number, boolean, MessageView[]]> {
  const { lines, open } = await client.listLines();
  const since: string | undefined = lines[0]?.restricted_since;
  const messages = [];
  for await (const message of client.everyMessage("c")) messages.push(message);
  return [open, since === undefined, messages];
}

/** A message has one kind of content. */
export const sending = [
  client.sendMessage({ to: "5521988887777", image: { url: "https://files.example/a.png" } }),
  // @ts-expect-error it says nothing
  client.sendMessage({ to: "5521988887777" }),
];
