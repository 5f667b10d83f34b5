/** The client against a `fetch` that answers what a test says. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  createClient,
  isProblem,
  PereneError,
  verifyWebhook,
  WebhookVerificationError,
} from "perene";
import { Webhook } from "standardwebhooks";

const SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BUSY = {
  type: "urn:perene:problem:line-busy",
  title: "The line is being changed by another call",
  status: 409,
};

/** Answer requests in turn, and keep them. */
function answering(...answers) {
  const requests = [];
  const answer = async (input, init) => {
    requests.push(new Request(input, init));
    return answers[Math.min(requests.length, answers.length) - 1]();
  };
  const client = createClient({ baseUrl: "https://perene.test", token: "t", fetch: answer });
  return { client, requests };
}

function json(body, status = 200, headers = {}) {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return () => Response.json(body, { status, headers: { ...headers, "content-type": type } });
}

const soon = { "retry-after": "0" };
const nothing = () => {
  throw new TypeError("fetch failed");
};

test("a call has its token and address", async () => {
  const { client, requests } = answering(json({ lines: [], open: 0, max_lines: 1 }));

  const lines = await client.listLines({ query: { activity: true } });

  assert.equal(lines.max_lines, 1);
  assert.equal(requests[0].url, "https://perene.test/instances?activity=true");
  assert.equal(requests[0].headers.get("authorization"), "Bearer t");
});

test("a token is asked for with each call", async () => {
  const tokens = ["old", "new"];
  const seen = [];
  const client = createClient({
    baseUrl: "https://perene.test/",
    token: async () => tokens.shift(),
    fetch: async (input) => {
      seen.push(input.headers.get("authorization"));
      return json({})();
    },
  });

  await client.getLine({ path: { line: "default" } });
  await client.getLine({ path: { line: "default" } });

  assert.deepEqual(seen, ["Bearer old", "Bearer new"]);
});

test("a send keeps its key when it is tried again", async () => {
  const { client, requests } = answering(nothing, json(BUSY, 409, soon), json({ state: "sent" }, 201));

  const send = await client.sendMessage({ to: "5521988887777", text: "oi" });

  const keys = new Set(requests.map((request) => request.headers.get("idempotency-key")));
  assert.equal(send.state, "sent");
  assert.equal(requests.length, 3);
  assert.equal(keys.size, 1);
  assert.match([...keys][0], /^[0-9a-f-]{36}$/);
  assert.deepEqual(await requests[2].json(), { to: "5521988887777", text: "oi" });
});

test("a failed send tells its key", async () => {
  const { client } = answering(json(BUSY, 409));

  const failure = client.sendMessage({ conversation: "c", text: "oi" }, { key: "order-1" });

  await assert.rejects(failure, { idempotencyKey: "order-1", message: BUSY.title });
});

test("what has an effect is asked once", async () => {
  const { client, requests } = answering(json(BUSY, 409, soon));

  await assert.rejects(client.restartLine({ path: { line: "default" } }), PereneError);

  assert.equal(requests.length, 1);
});

test("a look is tried again only with hope", async () => {
  for (const [answer, times] of [
    [json(BUSY, 409), 1],
    [json(BUSY, 409, { "retry-after": "3600" }), 1],
    [json(BUSY, 409, { "retry-after": "Fri, 27 Nov 2026 00:00:00 GMT" }), 1],
    [json(BUSY, 409, soon), 3],
    [() => new Response("<html>", { status: 404 }), 1],
    [() => new Response("<html>", { status: 502 }), 3],
  ]) {
    const { client, requests } = answering(answer);

    await assert.rejects(client.listLines(), PereneError);

    assert.equal(requests.length, times);
  }
});

test("what has not changed is answered from memory", async () => {
  const unread = (count, etag) => json({ conversations: [], unread: { all: count } }, 200, { etag });
  const unchanged = () => new Response(null, { status: 304 });
  const { client, requests } = answering(unread(1, '"a"'), unchanged, unchanged, unread(2, '"b"'), unchanged);

  const counts = [];
  for (let since = 0; since < 5; since++) counts.push((await client.getNews({ query: { since } })).unread.all);

  const sent = requests.map((request) => request.headers.get("if-none-match"));
  assert.deepEqual(counts, [1, 1, 1, 2, 2]);
  assert.deepEqual(sent, [null, '"a"', '"a"', '"a"', '"b"']);
});

test("memory is for one question of one caller", async () => {
  const sent = [];
  const tokens = ["one", "two", "one", "one"];
  const client = createClient({
    baseUrl: "https://perene.test",
    token: () => tokens.shift(),
    fetch: async (request) => {
      sent.push(request.headers.get("if-none-match"));
      return json({ conversations: [] }, 200, { etag: '"a"' })();
    },
  });

  await client.getNews();
  await client.getNews();
  await client.getNews({ query: { thread: "c" } });
  await client.getNews({ query: { thread: "c", thread_since: 1 } });

  assert.deepEqual(sent, [null, null, null, '"a"']);
});

test("an aborted call is not tried again", async () => {
  const { client, requests } = answering(nothing);
  const abort = new AbortController();

  const send = client.sendMessage({ to: "1", text: "oi" }, { signal: abort.signal });
  setTimeout(() => abort.abort(new Error("left")), 20);

  await assert.rejects(send, /left/);
  assert.equal(requests.length, 1);
});

test("a problem is told apart by its name", async () => {
  const { client } = answering(json({ ...BUSY, retry_after: 7 }, 409));

  const error = await client.ensureLine().catch((reason) => reason);

  assert.ok(isProblem(error, "line-busy"));
  assert.ok(!isProblem(error, "line-not-open"));
  assert.ok(!isProblem(new Error("other"), "line-busy"));
  assert.equal(error.problem.status, 409);
  assert.equal(error.problem.retry_after, 7);
});

test("what isn't from Perene is a problem too", async () => {
  for (const [answer, status] of [
    [nothing, 0],
    [() => new Response("<html>", { status: 413 }), 413],
  ]) {
    const { client } = answering(answer);

    const failure = client.ensureLine();

    await assert.rejects(failure, (error) => {
      assert.ok(error instanceof PereneError);
      assert.deepEqual([error.problem.type, error.problem.status], ["about:blank", status]);
      return true;
    });
  }
});

test("pages are followed", async () => {
  const { client, requests } = answering(
    json({ conversations: [{ id: "a" }], next: "2" }),
    json({ conversations: [{ id: "b" }] }),
  );

  const ids = [];
  for await (const { id } of client.everyConversation({ unread: true })) ids.push(id);

  const queries = requests.map((request) => new URL(request.url).search);
  assert.deepEqual(ids, ["a", "b"]);
  assert.deepEqual(queries, ["?unread=true", "?unread=true&cursor=2"]);
});

test("events are read up to now", async () => {
  const { client, requests } = answering(
    json({ events: [{ id: "e1" }], next: "p1", more: true }),
    json({ events: [], next: "p2", more: true }),
    json({ events: [{ id: "e2" }], next: "p3", more: false }),
  );

  const ids = [];
  for await (const { id } of client.everyEvent({ after: "p0" })) ids.push(id);

  const places = requests.map((request) => new URL(request.url).searchParams.get("after"));
  assert.deepEqual(ids, ["e1", "e2"]);
  assert.deepEqual(places, ["p0", "p1", "p2"]);
});

test("only what Perene signed is an event", () => {
  const line = { line: "default", state: "open" };
  const body = JSON.stringify({ id: "evt_1", type: "line.state_changed", data: line });
  const now = new Date();
  const headers = {
    "webhook-id": "evt_1",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": new Webhook(SECRET).sign("evt_1", now, body),
  };

  const event = verifyWebhook(body, new Headers(headers), SECRET);

  assert.deepEqual(event.data, line);
  assert.deepEqual(verifyWebhook(body, { ...headers, host: undefined }, SECRET), event);
  for (const [text, more] of [
    [`${body} `, {}],
    [body, { "webhook-timestamp": "1700000000" }],
    [body, { "webhook-signature": "v1,AAAA" }],
  ]) {
    assert.throws(() => verifyWebhook(text, { ...headers, ...more }, SECRET), WebhookVerificationError);
  }
});
