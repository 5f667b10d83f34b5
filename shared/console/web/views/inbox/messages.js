// Hold one conversation's messages in chunks: the newest page, older ones on demand, and what changes since.

import { signal } from "../../lib.js";
import { api } from "../../api.js";
import { adoptSend, dropAttempt } from "./outbox.js";
import { markActive } from "../../pace.js";

const FIRST = 50;
const OLDER = 100;
const CHUNK = 50;
/** Milliseconds that two polls overlap, since the two clocks run apart a little. */
const MARGIN_MS = 500;

export class Messages {
  /** `shown`: {chunks, loading, error, next, older, news}; `older` is false, true or an error. */
  constructor(conversation) {
    this.path = `conversations/${encodeURIComponent(conversation)}/messages`;
    this.conversation = conversation;
    this.shown = signal({ chunks: [], loading: true, error: null, next: null, older: false, news: null });
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

  /** Fetch what is new or changed; an unchanged answer costs a 304. */
  async poll() {
    if (this.shown.value.loading) return;
    if (this.shown.value.error) return void (await this.open());
    const since = Math.floor(this.since.value + Math.max(0, performance.now() - this.since.at - MARGIN_MS));
    const { status, data, etag } = await this.get({ since, limit: OLDER }, this.etag);
    if (status === 304) return;
    this.merge(data);
    let { next, since: latest } = data;
    this.etag = next ? null : etag;
    while (next) {
      const page = (await this.get({ since, limit: OLDER, cursor: next })).data;
      this.merge(page);
      ({ next, since: latest } = page);
    }
    this.setSince(latest);
  }

  async older() {
    const { next, older } = this.shown.value;
    if (!next || older === true) return;
    this.show({ older: true });
    try {
      const { data } = await this.get({ limit: OLDER, cursor: next });
      const added = this.split(data.messages.filter((message) => !this.where.has(message.id)));
      this.show({ chunks: [...added, ...this.shown.value.chunks], next: data.next, older: false });
    } catch (error) {
      if (error.kind !== "aborted") this.show({ older: error });
    }
  }

  /** Add a message that the page already has, e.g. because it was just sent. */
  add(message) {
    this.merge({ messages: [message], sends: null });
  }

  find(id) {
    const chunk = this.shown.value.chunks.find((candidate) => candidate.id === this.where.get(id));
    return chunk?.messages.find((message) => message.id === id);
  }

  get newest() {
    return this.shown.value.chunks.at(-1)?.messages.at(-1);
  }

  get(query, etag) {
    return api.get(this.path, { query, etag, signal: this.controller.signal });
  }

  setSince(since) {
    this.since = { value: since, at: performance.now() };
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

  settleSends({ messages, sends }) {
    for (const message of messages) if (message.send) dropAttempt(message.send);
    for (const send of sends ?? []) adoptSend(send);
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

/** Compare by position; those of the same position stay in the order of their page. */
const byPosition = (one, other) => one.position - other.position;
