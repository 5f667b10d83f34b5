// Show whose conversation it is and over which number, and what can be done with it.

import { html } from "../../lib.js";
import { ApiError, api, sentence } from "../../api.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Chip, NumberChip, Skeleton, toast } from "../../ui/index.js";
import { Face } from "./List.js";

export function ThreadHead({ conversation, name, patch, onReload, onLeave, onPanel, onJump }) {
  const back = html`<${Button} kind="quiet" icon="arrow-left" label=${t("inbox.back")} class="back" onClick=${onLeave} />`;
  if (!conversation) return html`<header class="head">${back}<span class="face"></span><div class="who-is"><${Skeleton} width="10rem" /></div></header>`;
  const { contact, line, label, number, archived, labels = [], assignee } = conversation;
  const more = contact.name && contact.number ? formatNumber(contact.number) : contact.group ? t("inbox.group") : "";
  return html`<header class="head">
    ${back}<button type="button" class="who" onClick=${onPanel}><${Face} contact=${contact} />
      <span class="who-is"><h2 class="cut" dir="auto">${name}</h2>
        <span class="under"><${NumberChip} line=${line} label=${label} number=${number} />${more && html`<span class="muted small cut">${more}</span>`}</span></span>
      <span class="unseen">${t("conversation.panel.open")}</span></button>
    ${(assignee || labels.length > 0) && html`<p class="marks">${assignee && html`<${Chip} icon="user">${assignee}<//>`}${labels.map((word) => html`<${Chip} icon="tag">${word}<//>`)}</p>`}
    <${Button} kind="quiet" icon="calendar" label=${t("conversation.jumpTo.title")} class="wide-only" onClick=${onJump} />
    <${Button} kind="quiet" icon="circle" label=${t("inbox.markUnread")} class="wide-only" onClick=${() => markUnread(conversation.id, patch, onLeave)} />
    <${Button} kind="quiet" icon=${archived ? "archive-restore" : "archive"} label=${t(archived ? "inbox.unarchive" : "inbox.archive")}
      onClick=${() => archive(conversation.id, !archived, patch, onReload)} />
    <${Button} kind="quiet" icon="info" label=${t("conversation.panel.title")} onClick=${onPanel} />
  </header>`;
}

/** Mark the conversation as unread and leave it: on show it would be read again. */
export async function markUnread(id, patch, onLeave) {
  onLeave();
  try {
    const { data } = await api.patch(`conversations/${encodeURIComponent(id)}`, { read: false });
    patch({ unread: data.unread });
  } catch (error) {
    if (error instanceof ApiError) toast(sentence(error));
  }
}

/** Archive the conversation, or take it back; a toast undoes it, until it is undone otherwise. */
async function archive(id, archived, patch, onReload, undoing) {
  patch({ archived });
  const about = `archive/${id}`;
  try {
    await api.patch(`conversations/${encodeURIComponent(id)}`, { archived });
    onReload();
    const undo = { label: t("inbox.undo"), run: () => archive(id, !archived, patch, onReload, true) };
    toast(undoing ? "" : t(archived ? "inbox.archived" : "inbox.unarchived"), { action: undo, about });
  } catch (error) {
    patch({ archived: !archived });
    if (error instanceof ApiError) toast(sentence(error), { about });
  }
}
