// Show whose conversation it is and over which number, and what can be done with it.

import { html } from "../../lib.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Chip, NumberChip, Skeleton } from "../../ui/index.js";
import { archive } from "./changes.js";
import { Face } from "./Face.js";
import { viaOf } from "./Row.js";

export function ThreadHead({ conversation, name, lines, list, onLeave, onUnread, onPanel, onJump }) {
  const back = html`<${Button} kind="quiet" icon="arrow-left" label=${t("inbox.back")} class="back" onClick=${onLeave} />`;
  if (!conversation) return html`<header class="head">${back}<span class="face"></span><div class="who-is"><${Skeleton} width="10rem" /></div></header>`;
  const { contact, archived, labels = [], assignee } = conversation;
  const via = viaOf(conversation, lines);
  const more = contact.name && contact.number ? formatNumber(contact.number) : contact.group ? t("inbox.group") : "";
  return html`<header class="head">
    ${back}<button type="button" class="who" onClick=${onPanel}><${Face} contact=${contact} />
      <span class="who-is"><h2 class="cut" dir="auto">${name}</h2>
        <span class="under">${more && html`<span class="muted small cut">${more}</span>`}${via && html`<${NumberChip} ...${via} />`}</span></span>
      <span class="unseen">${t("conversation.panel.open")}</span></button>
    ${(assignee || labels.length > 0) && html`<p class="marks">${assignee && html`<${Chip} icon="user">${assignee}<//>`}${labels.map((word) => html`<${Chip} icon="tag">${word}<//>`)}</p>`}
    <${Button} kind="quiet" icon="calendar" label=${t("conversation.jumpTo.title")} class="wide-only" onClick=${onJump} />
    <${Button} kind="quiet" icon="circle" label=${t("inbox.markUnread")} class="wide-only" onClick=${onUnread} />
    <${Button} kind="quiet" icon=${archived ? "archive-restore" : "archive"} label=${t(archived ? "inbox.unarchive" : "inbox.archive")}
      onClick=${() => archive([conversation], !archived, list)} />
    <${Button} kind="quiet" icon="info" label=${t("conversation.panel.title")} onClick=${onPanel} />
  </header>`;
}
