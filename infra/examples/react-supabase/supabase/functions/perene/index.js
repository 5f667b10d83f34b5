// Answer messages that ask for the opening hours: an endpoint of Perene as a Supabase edge function, or on Node 20 and newer.
//
// Supabase: deno.json beside this file pins the library, ../../config.toml lets Perene call without a token of Supabase:
// the signature says who calls.
//   supabase secrets set PERENE_URL=… PERENE_TOKEN=… PERENE_SECRET=whsec_… && supabase functions deploy perene
//
// Node, beside a package.json of "type": "module" and with `npm install standardwebhooks`:
//   PERENE_URL=… PERENE_TOKEN=… PERENE_SECRET=whsec_… PORT=9000 node index.js

import { Webhook } from "standardwebhooks";

const LARGEST = 64 * 1024;
const ANSWER = "Abrimos de segunda a sexta, das 9h às 18h.";
const env = (name) => globalThis.Deno?.env.get(name) ?? process.env[name];
const webhook = new Webhook(env("PERENE_SECRET"));

/** Verify an event, and answer it if it is a question, once however often it comes. */
async function receive(request) {
  if (request.method !== "POST") return new Response(null, { status: 405 });
  const body = await read(request); // the very bytes that were signed: no JSON.parse before
  if (body === null) return new Response(null, { status: 413 });
  let event;
  try {
    event = webhook.verify(body, Object.fromEntries(request.headers));
  } catch {
    return new Response(null, { status: 401 });
  }
  const isRepeatedOnPurpose = request.headers.has("perene-replay");
  const status = !isRepeatedOnPurpose && isQuestion(event) ? await answer(event) : 204;
  return new Response(null, { status }); // 2xx: Perene goes on with the next event
}

/** Return a request's body as text, or null if it is too large. */
async function read({ body }) {
  const pieces = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > LARGEST) return null;
    pieces.push(piece);
  }
  return await new Blob(pieces).text();
}

/** Tell whether a person asks for the opening hours right now. */
const isQuestion = ({ type, data: message }) =>
  type === "message.received" &&
  !message.from_history &&
  !message.contact.group &&
  (message.text ?? "").toLowerCase().includes("horário");

/** Send the answer, and return our status. The event's id is the key: the same event answers once. */
async function answer({ id, data: { conversation } }) {
  const reply = await fetch(`${env("PERENE_URL")}/send-message`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${env("PERENE_TOKEN")}`,
      "content-type": "application/json",
      "idempotency-key": id,
    },
    body: JSON.stringify({ conversation, text: ANSWER }),
    signal: AbortSignal.timeout(10_000), // Perene gives up on us after 15 s
  });
  return reply.status === 429 || reply.status >= 500 ? 503 : 204; // 503: Perene tells us again, later
}

if (globalThis.Deno) Deno.serve(receive);
else {
  const { createServer } = await import("node:http");
  const { Readable } = await import("node:stream");
  const server = createServer(async (incoming, outgoing) => {
    const { method, headers } = incoming;
    const body = method === "POST" ? Readable.toWeb(incoming) : undefined;
    const request = new Request("http://receiver/", { method, headers, body, duplex: "half" });
    const response = await receive(request).catch(() => new Response(null, { status: 503 }));
    outgoing.writeHead(response.status).end();
  });
  server.listen(env("PORT") ?? 9000, "127.0.0.1", () => console.log("listening"));
}
