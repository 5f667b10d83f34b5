/** `createClient`: the operations of the API, with what a caller would write around them. */

import { createClient as createTransport, createConfig } from "./generated/client/index.js";
import { Operations } from "./generated/sdk.gen.js";
import type {
  ConversationView,
  Event,
  ListConversationsData,
  ListEventsData,
  MessageView,
  SendMessage,
  SendView,
} from "./generated/types.gen.js";
import { remembering } from "./memory.js";
import { explainFailure } from "./problems.js";
import { retrying } from "./retries.js";

export interface ClientSettings {
  /** Where Perene is: the one origin of its functions. */
  baseUrl: string;
  /** The caller's token, or a function that returns one that hasn't expired. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** How often a request that may be repeated is tried again (2). */
  retries?: number;
  /** Another `fetch` than the platform's. */
  fetch?: typeof fetch;
}

export interface SendSettings {
  /** The idempotency key, if you have one: with it a message is sent once for seven days. */
  key?: string;
  signal?: AbortSignal;
}

type ConversationQuery = NonNullable<ListConversationsData["query"]>;
type EventQuery = NonNullable<ListEventsData["query"]>;

/** Every operation of the API. A call that fails throws a `PereneError`. */
export class Perene extends Operations {
  /**
   * Send a message once. It gets an idempotency key, which stays the same when it is tried again.
   *
   * `state` of the answer is `uncertain` while it isn't known whether it was sent: ask `getSend`.
   */
  sendMessage(message: SendMessage, settings: SendSettings = {}): Promise<SendView> {
    const { key = crypto.randomUUID(), signal } = settings;
    return this.sendContent({
      body: message,
      headers: { "Idempotency-Key": key },
      ...(signal && { signal }),
    });
  }

  /** Yield the conversations of all lines, newest first, page by page. */
  async *everyConversation(query: ConversationQuery = {}): AsyncGenerator<ConversationView> {
    const pages = followPages((cursor) =>
      this.listConversations({ query: { ...query, ...(cursor && { cursor }) } }),
    );
    for await (const page of pages) yield* page.conversations;
  }

  /** Yield the messages of a conversation, newest first, page by page. */
  async *everyMessage(conversation: string, limit?: number): AsyncGenerator<MessageView> {
    const pages = followPages((cursor) =>
      this.listMessages({
        path: { id: conversation },
        query: { ...(limit && { limit }), ...(cursor && { cursor }) },
      }),
    );
    for await (const page of pages) yield* page.messages;
  }

  /** Yield what happened since `after`, in order, up to now. Go on with the last one's `id`. */
  async *everyEvent(query: EventQuery = {}): AsyncGenerator<Event> {
    let { after } = query;
    for (let more = true; more; ) {
      const page = await this.listEvents({ query: { ...query, ...(after && { after }) } });
      yield* page.events;
      ({ next: after, more } = page);
    }
  }
}

/** Yield the pages of any list: `ask` gets the cursor of each. */
export async function* followPages<Page extends { next?: string }>(
  ask: (cursor?: string) => Promise<Page>,
): AsyncGenerator<Page> {
  let cursor: string | undefined;
  do {
    const page = await ask(cursor);
    yield page;
    cursor = page.next;
  } while (cursor);
}

/** Make a client of one caller. */
export function createClient(settings: ClientSettings): Perene {
  const { baseUrl, token, retries = 2 } = settings;
  const send: typeof fetch = (input, init) => (settings.fetch ?? fetch)(input, init);
  const ask = remembering(retrying(send, retries));
  const client = createTransport(
    createConfig({ baseUrl, auth: token, fetch: ask, throwOnError: true }),
  );
  client.interceptors.error.use((error, response, request) =>
    explainFailure(error, response as Response | undefined, request),
  );
  return new Perene({ client });
}
