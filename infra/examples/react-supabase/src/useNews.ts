/** The conversations, and the messages of the open one, kept up to date by one question every 1.5 s. */

import type { ConversationView, MessagePage } from "perene";
import { useCallback, useRef, useState } from "react";
import { perene } from "./perene";
import { usePulse } from "./usePulse";

const ASK_MS = 1_500;

export type Thread = MessagePage & { id: string };

interface Shown {
  conversations?: ConversationView[];
  thread?: Thread;
}

/** New versions of what is shown. `id` is the conversation of the messages. */
type Changes = Partial<Thread> & { conversations?: ConversationView[] };

export function useNews(openId?: string) {
  const [shown, setShown] = useState<Shown>({});
  const latest = useRef(shown);
  const show = useCallback((more: Shown) => setShown((latest.current = { ...latest.current, ...more })), []);

  const put = useCallback(
    ({ conversations = [], messages = [], ...rest }: Changes) => {
      const { conversations: known = [], thread } = latest.current;
      show({ conversations: merge(known, conversations, (conversation) => conversation.last_at) });
      if (thread && thread.id === rest.id)
        show({ thread: { ...thread, ...rest, messages: merge(thread.messages, messages, (message) => message.position) } });
    },
    [show],
  );

  const ask = useCallback(
    async (signal: AbortSignal) => {
      const { conversations, thread } = latest.current;
      if (!conversations || thread?.id !== openId) {
        show({
          conversations: conversations ?? (await listConversations(signal)),
          thread: openId ? await openThread(openId, signal) : undefined,
        });
        return;
      }
      const [newest] = conversations;
      const query = { since: newest?.last_at, thread: openId, thread_since: thread?.since };
      const news = await perene.getNews({ query, signal });
      const isWhole = !news.more && (!newest || news.conversations.some(({ id }) => id === newest.id));
      if (!isWhole) show({ conversations: await listConversations(signal) });
      if (openId && news.thread?.next) show({ thread: await openThread(openId, signal) }); // too much is new
      else put({ conversations: news.conversations, id: openId, ...news.thread });
    },
    [openId, put, show],
  );

  return { ...shown, put, failure: usePulse(ask, ASK_MS) };
}

async function listConversations(signal: AbortSignal): Promise<ConversationView[]> {
  return (await perene.listConversations({ query: { limit: 100 }, signal })).conversations;
}

async function openThread(id: string, signal: AbortSignal): Promise<Thread> {
  return { id, ...(await perene.listMessages({ path: { id }, signal })) };
}

/** Put new versions in the place of old ones, and order all, the highest first. */
function merge<Item extends { id: string }>(known: Item[], news: Item[], order: (item: Item) => number): Item[] {
  const byId = new Map([...known, ...news].map((item) => [item.id, item]));
  return [...byId.values()].sort((one, other) => order(other) - order(one));
}
