// Run a workflow's nodes as n8n does, one after the other: `node n8n_stand_in.mjs workflow.json settings.json port`.
// n8n itself is too large for a test; this knows the node types of our recipe only, and refuses any other.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [workflow, settings] = [2, 3].map((at) => JSON.parse(readFileSync(process.argv[at])));
const nodes = new Map(workflow.nodes.map((node) => [node.name, node]));
const require = createRequire(import.meta.url);
const AsyncFunction = (async () => {}).constructor;

/** Return what a parameter says: an expression begins with "=", and computes within {{ }}. */
function fill(text, { json, $ }) {
  if (typeof text !== "string" || !text.startsWith("=")) return text;
  const compute = (code) => new Function("$json", "$", `return (${code})`)(json, $);
  const whole = /^=\{\{([^]*)\}\}$/.exec(text);
  if (whole && !whole[1].includes("{{")) return compute(whole[1]);
  return text.slice(1).replace(/\{\{(.*?)\}\}/g, (_, code) => compute(code));
}

const RUN = {
  "n8n-nodes-base.webhook": async (_, { call }) => ({ json: { headers: call.headers } }),
  "n8n-nodes-base.set": async ({ assignments }) => ({
    json: { ...Object.fromEntries(assignments.assignments.map(({ name, value }) => [name, value])), ...settings.fields },
  }),
  "n8n-nodes-base.code": async ({ jsCode }, { $, call }) => {
    const helpers = { getBinaryDataBuffer: async () => call.body };
    const [item] = await new AsyncFunction("$", "require", jsCode).call({ helpers }, $, require);
    return item;
  },
  "n8n-nodes-base.if": async ({ conditions }, at) => ({
    json: at.json,
    output: conditions.conditions.every(({ leftValue }) => fill(leftValue, at) === true) ? 0 : 1,
  }),
  "n8n-nodes-base.httpRequest": async ({ method, url, headerParameters, jsonBody, authentication }, at) => {
    const headers = Object.fromEntries(headerParameters.parameters.map(({ name, value }) => [name, fill(value, at)]));
    const credential = authentication === "genericCredentialType" ? settings.credential : {};
    const body = fill(jsonBody, at);
    const reply = await fetch(fill(url, at), { method, body, headers: { "content-type": "application/json", ...headers, ...credential } });
    if (!reply.ok) throw new Error(`answered ${reply.status}`);
    return { json: await reply.json() };
  },
  "n8n-nodes-base.respondToWebhook": async ({ options }, at) => ({ json: at.json, status: fill(options.responseCode, at) }),
};

/** Run the workflow for one call; return the status that it answers. */
async function run(call) {
  const results = new Map();
  const $ = (name) => ({ first: () => results.get(name) });
  let name = workflow.nodes.find(({ type }) => type === "n8n-nodes-base.webhook").name;
  for (let json = {}; ; ) {
    const { type, parameters } = nodes.get(name);
    const item = await RUN[type](parameters, { json, $, call });
    if (item.status) return item.status;
    results.set(name, item);
    json = item.json;
    name = workflow.connections[name].main[item.output ?? 0][0].node;
  }
}

const server = createServer(async (incoming, outgoing) => {
  const pieces = [];
  for await (const piece of incoming) pieces.push(piece);
  const call = { headers: incoming.headers, body: Buffer.concat(pieces) };
  const status = await run(call).catch((error) => (console.error(error), 500));
  outgoing.writeHead(status).end();
});
server.listen(Number(process.argv[4]), "127.0.0.1", () => console.log("listening"));
