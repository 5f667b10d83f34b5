// One conversation's messages in chunks: the newest page, older ones on demand, and what changes since.

import { signal } from "../../lib.js";
import { api } from "../../api.js";
import { adopt, settle } from "./outbox.js";
import { stir } from "./pace.js";

const FIRST = 50;
const OLDER = 100;
const CHUNK = 50;
/** Two clocks run apart a little: so much is asked for twice rather than never. */
const MARGIN_MS = 500;

export class Messages {
  /** `shown`: {chunks, loading, error, next, older, news}; `older` is false, true or an error. */
  constructor(conversation) {
    this.path = `conversations/${encodeURIComponent(conversation)}/messages`;
    this.conversation = conversation;
    this.shown = signal({ chunks: [], loading: true, error: null, next: null, older: false, news: null });
    this.where = new Map();
    this.chunks = 0;
    this.gone = new AbortController();
  }

  close() {
    this.gone.abort();
  }

  show(change) {
    if (!this.gone.signal.aborted) this.shown.value = { ...this.shown.value, ...change };
  }

  async open() {
    this.show({ loading: true, error: null });
    try {
      const { data } = await this.get({ limit: FIRST });
      this.reached(data.since);
      this.show({ chunks: this.split(data.messages), loading: false, next: data.next });
      this.heard(data);
    } catch (error) {
      if (error.kind !== "aborted") this.show({ loading: false, error });
    }
  }

  /** What is new or changed is there; an unchanged answer costs a 304. */
  async poll() {
    if (this.shown.value.loading) return;
    if (this.shown.value.error) return void (await this.open());
    const since = Math.floor(this.since.value + Math.max(0, performance.now() - this.since.at - MARGIN_MS));
    const { status, data, etag } = await this.get({ since, limit: OLDER }, this.etag);
    if (status === 304) return;
    this.take(data);
    let { next, since: reached } = data;
    this.etag = next ? null : etag;
    while (next) {
      const page = (await this.get({ since, limit: OLDER, cursor: next })).data;
      this.take(page);
      ({ next, since: reached } = page);
    }
    this.reached(reached);
  }

  async older() {
    const { next, older } = this.shown.value;
    if (!next || older === true) return;
    this.show({ older: true });
    try {
      const { data } = await this.get({ limit: OLDER, cursor: next });
      const added = this.split(data.messages.filter((each) => !this.where.has(each.id)));
      this.show({ chunks: [...added, ...this.shown.value.chunks], next: data.next, older: false });
    } catch (error) {
      if (error.kind !== "aborted") this.show({ older: error });
    }
  }

  /** A message that is known to be there now, e.g. because it was just sent. */
  add(message) {
    this.take({ messages: [message], sends: null });
  }

  find(id) {
    const chunk = this.shown.value.chunks.find((each) => each.id === this.where.get(id));
    return chunk?.messages.find((each) => each.id === id);
  }

  get newest() {
    return this.shown.value.chunks.at(-1)?.messages.at(-1);
  }

  get(query, etag) {
    return api.get(this.path, { query, etag, signal: this.gone.signal });
  }

  reached(since) {
    this.since = { value: since, at: performance.now() };
  }

  take(data) {
    let chunks = this.shown.value.chunks;
    const fresh = [];
    for (const message of data.messages) {
      const known = this.where.has(message.id);
      const changed = known ? this.replaced(chunks, message) : this.inserted(chunks, message);
      if (!known && changed !== chunks) fresh.push(message);
      chunks = changed;
    }
    if (chunks !== this.shown.value.chunks) {
      stir();
      fresh.sort(byTime);
      this.show({ chunks, news: fresh.length ? fresh : this.shown.value.news });
    }
    this.heard(data);
  }

  heard({ messages, sends }) {
    for (const message of messages) if (message.send) settle(message.send);
    for (const send of sends ?? []) adopt(send);
  }

  /** A page, newest first, as chunks, oldest first. */
  split(page) {
    const messages = [...page].reverse().sort(byTime);
    const chunks = [];
    for (let end = messages.length; end > 0; end -= CHUNK) chunks.unshift(this.chunk(messages.slice(Math.max(0, end - CHUNK), end)));
    return chunks;
  }

  chunk(messages) {
    const id = this.chunks++;
    for (const each of messages) this.where.set(each.id, id);
    return { id, messages };
  }

  replaced(chunks, message) {
    const at = chunks.findIndex((each) => each.id === this.where.get(message.id));
    const place = chunks[at].messages.findIndex((each) => each.id === message.id);
    if (JSON.stringify(chunks[at].messages[place]) === JSON.stringify(message)) return chunks;
    const messages = chunks[at].messages.with(place, message);
    return chunks.with(at, { ...chunks[at], messages });
  }

  inserted(chunks, message) {
    const at = chunks.findLastIndex((each) => byTime(each.messages[0], message) < 0);
    if (at < 0 && this.shown.value.next) return chunks; // older than what is loaded: it comes with its page
    const last = at === chunks.length - 1;
    if (!chunks.length || (last && chunks[at].messages.length >= CHUNK && byTime(chunks[at].messages.at(-1), message) < 0))
      return [...chunks, this.chunk([message])];
    const into = chunks[Math.max(0, at)];
    this.where.set(message.id, into.id);
    return chunks.with(Math.max(0, at), { ...into, messages: [...into.messages, message].sort(byTime) });
  }
}

const byTime = (one, other) => one.at - other.at || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
