/** One conversation: what was said, and the answer. */

import type { ConversationView, MessageView } from "perene";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { describe, nameOf } from "./Inbox";
import { explain, formatNumber, perene } from "./perene";
import type { Thread } from "./useNews";

const DELIVERIES: Record<string, string> = { pending: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓ lida", played: "✓✓ ouvida" };

interface Props {
  conversation: ConversationView;
  thread: Thread;
  put: (changes: Partial<Thread>) => void;
}

export function ThreadView({ conversation, thread, put }: Props) {
  const { id, messages, next, sends } = thread;
  const newest = useRef<HTMLDivElement>(null);
  useEffect(() => void newest.current?.scrollIntoView({ block: "nearest" }), [messages[0]?.id]);

  const [text, setText] = useState("");
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);
  const attempt = useRef({ text: "", key: "" });

  async function send(event: FormEvent) {
    event.preventDefault();
    if (attempt.current.text !== text) attempt.current = { text, key: crypto.randomUUID() };
    setBusy(true);
    try {
      // The same text after a failure has the same key: it is sent once, however often it is tried.
      const { message } = await perene.sendMessage({ conversation: id, text }, { key: attempt.current.key });
      if (message) put({ id, messages: [message] });
      attempt.current = { text: "", key: "" };
      setText("");
      setFailure("");
    } catch (error) {
      setFailure(explain(error));
    }
    setBusy(false);
  }

  async function showEarlier() {
    const page = await perene.listMessages({ path: { id }, query: { cursor: next } });
    put({ id, messages: page.messages, next: page.next });
  }

  return (
    <section className="thread" aria-label={`Conversa com ${nameOf(conversation)}`}>
      <h1>
        {nameOf(conversation)} <small>via {formatNumber(conversation.number)}</small>
      </h1>
      {next && <button onClick={() => showEarlier().catch((error) => setFailure(explain(error)))}>Mostrar anteriores</button>}
      <div role="log" aria-label="Mensagens" tabIndex={0}>
        {[...messages].reverse().map((message) => (
          <Said key={message.id} message={message} />
        ))}
        {sends.map((uncertain) => (
          <p key={uncertain.key} className="mine">
            {uncertain.text} <small>não sabemos ainda se saiu</small>
          </p>
        ))}
        <div ref={newest} />
      </div>
      <p role="alert">{failure}</p>
      <form onSubmit={send}>
        <input aria-label="Mensagem" value={text} onChange={(event) => setText(event.target.value)} required />
        <button className="main" disabled={isBusy}>
          Enviar
        </button>
      </form>
    </section>
  );
}

function Said({ message }: { message: MessageView }) {
  const time = new Date(message.at).toLocaleTimeString("pt-BR", { hour: "2-digit", minute: "2-digit" });
  return (
    <p className={message.from_me ? "mine" : "theirs"}>
      {message.author?.name && <strong>{message.author.name}</strong>}
      {describe(message)}
      <small>
        {time} {message.failed ? "não enviada" : (DELIVERIES[message.delivery ?? ""] ?? "")}
      </small>
    </p>
  );
}
