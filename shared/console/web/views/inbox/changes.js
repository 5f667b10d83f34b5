// Change conversations, one or several: each is shown as changed at once, and a toast takes it back.

import { ApiError, api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { toast } from "../../ui/index.js";
import { settleReading } from "./reading.js";

const AT_ONCE = 4;

/** Archive conversations, or take them back. `list` is from useConversations. */
export async function archive(conversations, archived, list, isUndoing = false) {
  const changed = await changeAll(conversations, { archived }, list, (one) => ({ archived: one.archived }));
  list.reload();
  const about = `archive/${changed.map(({ id }) => id)}`;
  if (isUndoing || !changed.length) return toast("", { about });
  const undo = { label: t("inbox.undo"), run: () => archive(changed, !archived, list, true) };
  toast(t(archived ? "inbox.archived" : "inbox.unarchived", { n: changed.length }), { action: undo, about });
}

/** Mark conversations as read. */
export async function markRead(conversations, list) {
  const unread = conversations.filter((conversation) => conversation.unread > 0);
  const changed = await changeAll(unread, { read: true }, list, ({ unread }) => ({ unread }), { unread: 0 });
  if (changed.length) toast(t("inbox.read", { n: changed.length }));
}

/** Mark a conversation as unread, until it is read or answered. */
export async function markUnread(conversation, list) {
  await settleReading(conversation.id);
  await changeAll([conversation], { read: false }, list, ({ unread }) => ({ unread }), { unread: Math.max(1, conversation.unread) });
}

/** Patch each, a few at once; what fails is shown as `before` says, and its reason is told. Resolves to those that changed. */
async function changeAll(conversations, change, list, before, shown = change) {
  const waiting = [...conversations];
  const changed = [];
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      list.patch(one.id, shown);
      try {
        await api.patch(`conversations/${encodeURIComponent(one.id)}`, change);
        changed.push(one);
      } catch (error) {
        list.patch(one.id, before(one));
        if (error instanceof ApiError) toast(sentence(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return changed;
}
