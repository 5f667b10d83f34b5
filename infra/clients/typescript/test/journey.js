// Connects, sends and reads at PERENE_URL as PERENE_TOKEN, and prints what it saw as JSON.

import { createClient, isProblem } from "perene";

const { PERENE_URL, PERENE_TOKEN, PERENE_CONTACTS } = process.env;
const perene = createClient({ baseUrl: PERENE_URL, token: () => PERENE_TOKEN });
const line = await perene.ensureLine();

const sends = [];
for (const to of PERENE_CONTACTS.split(",")) {
  const message = { to, text: "Seu pedido saiu" };
  sends.push(await perene.sendMessage(message, { key: `order-${to}` }));
  sends.push(await perene.sendMessage(message, { key: `order-${to}` }));
}

const conversations = [];
for await (const conversation of perene.everyConversation({ limit: 1 })) {
  conversations.push(conversation.id);
}
const texts = [];
for await (const message of perene.everyMessage(conversations[0], 1)) texts.push(message.text);

const events = [];
for await (const event of perene.everyEvent({ limit: 1, types: "message.sent" })) {
  events.push(event.data.contact.number);
}

const misnamed = await perene
  .sendMessage({ conversation: conversations[0], text: "oi" }, { key: "ção" })
  .catch((error) => isProblem(error, "idempotency-key-invalid"));
const stranger = await createClient({ baseUrl: PERENE_URL })
  .listLines()
  .catch((error) => isProblem(error, "token-missing"));

console.log(
  JSON.stringify({
    state: line.state,
    sent: sends.map(({ state }) => state),
    conversations: conversations.length,
    texts,
    events: events.sort(),
    problems: [misnamed, stranger],
  }),
);
