/** The conversations of all lines, newest first, and the open one. */

import type { ConversationView, Kind } from "perene";
import { useEffect, useState } from "react";
import { formatNumber, perene } from "./perene";
import { ThreadView } from "./ThreadView";
import { useNews } from "./useNews";

const KINDS: Partial<Record<Kind, string>> = {
  audio: "🎵 Áudio",
  document: "📄 Documento",
  image: "📷 Foto",
  location: "📍 Localização",
  sticker: "Figurinha",
  video: "🎬 Vídeo",
  voice: "🎤 Mensagem de voz",
};

export function Inbox() {
  const [openId, setOpenId] = useState<string>();
  const { conversations, thread, put, failure } = useNews(openId);
  const open = conversations?.find(({ id }) => id === openId);

  const isUnread = Boolean(open?.unread);
  useEffect(() => {
    if (!openId || !isUnread) return;
    const reading = perene.changeConversation({ path: { id: openId }, body: { read: true } });
    reading.then((conversation) => put({ conversations: [conversation] })).catch(() => {}); // with the next message
  }, [openId, isUnread, put]);

  return (
    <main className="inbox">
      <section aria-label="Conversas">
        <p role="alert">{failure}</p>
        {conversations?.length === 0 && <p>Nenhuma conversa ainda. Quando alguém escrever, aparece aqui.</p>}
        {conversations?.map((conversation) => (
          <button key={conversation.id} aria-current={conversation === open} onClick={() => setOpenId(conversation.id)}>
            <strong>{nameOf(conversation)}</strong>
            {conversation.unread > 0 && <mark>{conversation.unread}</mark>}
            <span>{conversation.last && describe(conversation.last)}</span>
            <small>via {formatNumber(conversation.number)}</small>
          </button>
        ))}
      </section>
      {open && thread?.id === open.id && <ThreadView key={open.id} conversation={open} thread={thread} put={put} />}
    </main>
  );
}

export const nameOf = ({ contact }: ConversationView) => contact.name ?? (contact.number ? formatNumber(contact.number) : "Contato");

/** Say in one line what a message says. */
export function describe({ kind, text, revoked }: { kind: Kind; text?: string; revoked: boolean }): string {
  if (revoked) return "Mensagem apagada";
  return [KINDS[kind], text].filter(Boolean).join(" ") || "Mensagem: veja no celular";
}
