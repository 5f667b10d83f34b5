// Hold one conversation's messages in chunks: the newest page, older ones on demand, and what changes since.

import { signal } from "../../lib.js";
import { api } from "../../api.js";
import { adoptSend, settleAttempt } from "./outbox.js";
import { markActive } from "../../pace.js";

const FIRST = 50;
const OLDER = 100;
const CHUNK = 50;
/** Pages that one jump to a date reads at most; another jump goes on from there. */
const JUMP_PAGES = 40;
/** Milliseconds that two polls overlap, since the two clocks run apart a little. */
const MARGIN_MS = 500;

export class Messages {
  /**
   * `shown`: {chunks, loading, error, next, older, news, target}; `older` is false, true or an error, `target` {id} is the
   * message that a jump to a date leads to. A chunk {id, messages, isFar} is far if it is added far from what is in sight.
   */
  constructor(conversation) {
    this.path = `conversations/${encodeURIComponent(conversation)}/messages`;
    this.conversation = conversation;
    this.shown = signal({ chunks: [], loading: true, error: null, next: null, older: false, news: null, target: null });
    this.where = new Map();
    this.chunks = 0;
    this.controller = new AbortController();
  }

  close() {
    this.controller.abort();
  }

  show(change) {
    if (!this.controller.signal.aborted) this.shown.value = { ...this.shown.value, ...change };
  }

  async open() {
    this.show({ loading: true, error: null });
    try {
      const { data } = await this.get({ limit: FIRST });
      this.setSince(data.since);
      this.show({ chunks: this.split(data.messages), loading: false, next: data.next });
      this.settleSends(data);
    } catch (error) {
      if (error.kind !== "aborted") this.show({ loading: false, error });
    }
  }

  /** Return the moment (epoch ms) since when news is to be asked for; null before the first page. */
  get since() {
    if (!this.asked) return null;
    return Math.floor(this.asked.since + Math.max(0, performance.now() - this.asked.at - MARGIN_MS));
  }

  /** Take a page of what is new or changed since then, and fetch its other pages. */
  async take(page) {
    const { since } = this;
    this.merge(page);
    let { next, since: latest } = page;
    while (next) {
      const { data } = await this.get({ since, limit: OLDER, cursor: next });
      this.merge(data);
      ({ next, since: latest } = data);
    }
    this.setSince(latest);
  }

  async older() {
    const { next, older } = this.shown.value;
    if (!next || older === true) return;
    this.show({ older: true });
    try {
      const { added, next: following } = await this.readOlder(next);
      this.show({ chunks: [...added, ...this.shown.value.chunks], next: following, older: false });
    } catch (error) {
      if (error.kind !== "aborted") this.show({ older: error });
    }
  }

  async readOlder(cursor) {
    const { data } = await this.get({ limit: OLDER, cursor });
    return { added: this.split(data.messages.filter((message) => !this.where.has(message.id))), next: data.next };
  }

  /**
   * Load messages back to a moment (epoch ms), and show the first one since then; `tell(at)` follows how far it is. Resolves to
   * whether the moment was reached; costs a read a message between. Rejects with ApiError, and keeps what came until then.
   */
  async jumpTo(moment, tell = () => {}) {
    let { next } = this.shown.value;
    let chunks = [];
    const oldest = () => (chunks[0] ?? this.shown.value.chunks[0])?.messages[0].at ?? 0;
    this.show({ older: true });
    try {
      for (let page = 0; next && oldest() >= moment && page < JUMP_PAGES; page++) {
        tell(oldest());
        const read = await this.readOlder(next);
        chunks = [...read.added.map((chunk) => ({ ...chunk, isFar: true })), ...chunks];
        ({ next } = read);
      }
    } finally {
      this.show({ chunks: [...chunks, ...this.shown.value.chunks], next, older: false });
    }
    const { all } = this;
    const target = all.find((message) => message.at >= moment) ?? all.at(-1);
    if (target) this.show({ target: { id: target.id } });
    return !next || all[0].at < moment;
  }

  /** Change what is shown of a message before the functions say so. */
  patch(id, change) {
    const message = this.find(id);
    if (message) this.show({ chunks: this.replace(this.shown.value.chunks, { ...message, ...change }) });
  }

  /** Add a message that the page already has, e.g. because it was just sent. */
  add(message) {
    this.merge({ messages: [message], sends: null });
  }

  find(id) {
    const chunk = this.shown.value.chunks.find((candidate) => candidate.id === this.where.get(id));
    return chunk?.messages.find((message) => message.id === id);
  }

  /** All loaded messages, oldest first. */
  get all() {
    return this.shown.value.chunks.flatMap((chunk) => chunk.messages);
  }

  /** The newest loaded messages, oldest first: a hundred or less. */
  get recent() {
    return this.shown.value.chunks.slice(-2).flatMap((chunk) => chunk.messages);
  }

  get(query) {
    return api.get(this.path, { query, signal: this.controller.signal });
  }

  setSince(since) {
    this.asked = { since, at: performance.now() };
  }

  merge(data) {
    let chunks = this.shown.value.chunks;
    const fresh = [];
    for (const message of data.messages) {
      const isLoaded = this.where.has(message.id);
      const changed = isLoaded ? this.replace(chunks, message) : this.insert(chunks, message);
      if (!isLoaded && changed !== chunks) fresh.push(message);
      chunks = changed;
    }
    if (chunks !== this.shown.value.chunks) {
      markActive();
      fresh.sort(byPosition);
      this.show({ chunks, news: fresh.length ? fresh : this.shown.value.news });
    }
    this.settleSends(data);
  }

  /** Drop the attempts whose messages are here, and follow the sends whose outcome is unknown (null: not told). */
  settleSends({ messages, sends }) {
    for (const message of messages) if (message.send) settleAttempt(message.send, this.conversation, message);
    for (const send of sends ?? []) if (!send.said) adoptSend(send);
    this.showSaid(messages, sends);
  }

  /** Show what a person said was sent, at its time, until its message comes or the functions forget it. */
  showSaid(messages, sends) {
    const said = (sends ?? []).filter((send) => send.said);
    const came = new Set(messages.map((message) => message.send));
    const isOver = ({ said: isSaid, send }) => isSaid && (came.has(send) || (sends && !said.some(({ key }) => key === send)));
    let { chunks } = this.shown.value;
    if (chunks.some((chunk) => chunk.messages.some(isOver)))
      chunks = chunks.map((chunk) => ({ ...chunk, messages: chunk.messages.filter((message) => !isOver(message)) })).filter((chunk) => chunk.messages.length);
    for (const send of said) {
      const message = asMessage(send);
      if (!came.has(send.key) && !chunks.some((chunk) => chunk.messages.some(({ id }) => id === message.id))) chunks = this.insert(chunks, message);
    }
    if (chunks !== this.shown.value.chunks) this.show({ chunks });
  }

  /** Split a page, newest first, into chunks, oldest first. */
  split(page) {
    const messages = [...page].reverse().sort(byPosition);
    const chunks = [];
    for (let end = messages.length; end > 0; end -= CHUNK) chunks.unshift(this.chunk(messages.slice(Math.max(0, end - CHUNK), end)));
    return chunks;
  }

  chunk(messages) {
    const id = this.chunks++;
    for (const message of messages) this.where.set(message.id, id);
    return { id, messages };
  }

  replace(chunks, message) {
    const at = chunks.findIndex((chunk) => chunk.id === this.where.get(message.id));
    const place = chunks[at].messages.findIndex((candidate) => candidate.id === message.id);
    if (JSON.stringify(chunks[at].messages[place]) === JSON.stringify(message)) return chunks;
    const messages = chunks[at].messages.with(place, message);
    return chunks.with(at, { ...chunks[at], messages });
  }

  insert(chunks, message) {
    const at = chunks.findLastIndex((chunk) => byPosition(chunk.messages[0], message) < 0);
    if (at < 0 && this.shown.value.next) return chunks; // older than what is loaded, so it comes with its page
    const last = at === chunks.length - 1;
    if (!chunks.length || (last && chunks[at].messages.length >= CHUNK && byPosition(chunks[at].messages.at(-1), message) < 0))
      return [...chunks, this.chunk([message])];
    const into = chunks[Math.max(0, at)];
    this.where.set(message.id, into.id);
    return chunks.with(Math.max(0, at), { ...into, messages: [...into.messages, message].sort(byPosition) });
  }
}

/** Return a send that a person said was sent as a message. */
function asMessage({ key, text, asked_at: asked }) {
  const at = Date.parse(asked);
  return { id: `said:${key}`, send: key, said: true, from_me: true, kind: "text", text, at, position: at, history: [], reactions: {} };
}

/** Compare by position; those of the same position stay in the order of their page. */
const byPosition = (one, other) => one.position - other.position;
