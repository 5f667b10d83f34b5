// Show all that is known of a contact, and what people here say of them: name, labels, who answers, notes.

import { html, useId, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatDate, formatNumber, formatMoment } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Link } from "../../router.js";
import { Button, Notice, NumberChip, Sheet, toast } from "../../ui/index.js";
import { Ad } from "./Happenings.js";
import { Face } from "./Face.js";
import { Marks } from "./Marks.js";
import { Document, Media } from "./Media.js";
import { Notes } from "./Notes.js";
import { Facts } from "./Pieces.js";

const LONGEST_NAME = 100;
const SHOWN_FILES = 30;
const OTHERS = 10;

export function Panel({ conversation, name, messages, patch, onUnread, onJump, onClose }) {
  const { id, contact, first_ad: first, last_ad: last } = conversation;
  const { next } = messages.shown.value;
  const oldest = messages.all[0];
  const number = contact.number && formatNumber(contact.number);
  return html`<${Sheet} calm title=${t("conversation.panel.title")} onClose=${onClose}>
    <div class="panel">
      <div class="whom"><${Face} contact=${contact} /><div><h3 class="big" dir="auto">${name}</h3>${number && number !== name && html`<p class="tabular">${number}</p>`}</div></div>
      <p class="row-of">${number && html`<${Button} small icon="copy" onClick=${() => copy(contact.number)}>${t("conversation.panel.copy")}<//>`}
        <${Button} small icon="calendar" onClick=${onJump}>${t("conversation.jumpTo.title")}<//>
        <${Button} small icon="circle" onClick=${onUnread}>${t("inbox.markUnread")}<//></p>
      <${Facts} facts=${[
        [t("conversation.panel.since"), oldest && (next ? t("conversation.panel.before", { day: formatDate(oldest.at) }) : formatMoment(oldest.at))],
        [t("inbox.line"), html`<${NumberChip} line=${conversation.line} label=${conversation.label} number=${conversation.number} />`],
      ]} />
      ${contact.number && html`<${Others} conversation=${conversation} onClose=${onClose} />`}
      ${first && html`<section><h3>${t("conversation.panel.ad")}</h3><${Ad} origin=${first} /><p class="muted small">${formatMoment(first.at)}</p>
        ${last && last.message !== first.message && html`<${Ad} origin=${last} /><p class="muted small">${formatMoment(last.at)}</p>`}</section>`}
      <${NameForm} conversation=${conversation} onNamed=${(named) => patch({ contact: named })} />
      <${Marks} conversation=${conversation} patch=${patch} />
      <${Notes} id=${id} />
      <${Files} messages=${messages} conversation=${conversation} />
    </div>
  <//>`;
}

const copy = (text) => navigator.clipboard.writeText(`+${text}`).then(() => toast(t("conversation.copied")), () => toast(t("shell.link.not_copied")));

/** Name a contact: the name stays, whatever the contact calls themself; `onNamed` gets the contact as it is now. */
function NameForm({ conversation, onNamed }) {
  const { id, contact } = conversation;
  const [name, setName] = useState(contact.name ?? "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const field = useId();
  const save = async (event, given = name.trim() || null) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await api.patch(`conversations/${encodeURIComponent(id)}`, { name: given });
      onNamed(data.contact);
      setName(data.contact.name ?? "");
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return html`<form class="field" onSubmit=${save}>
    <label for=${field}>${t("inbox.name.label")}</label>
    <div class="row-of"><input id=${field} class="input" dir="auto" autocomplete="off" maxlength=${LONGEST_NAME} value=${name} onInput=${(event) => setName(event.currentTarget.value)} />
      <${Button} busy=${busy} onClick=${save}>${t("inbox.name.save")}<//></div>
    <span class="hint">${t("inbox.name.hint")}</span>
    ${contact.given && html`<div><${Button} small kind="quiet" onClick=${(event) => save(event, null)}>${t("inbox.name.remove")}<//></div>`}
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
  </form>`;
}

/** List the contact's conversations over other lines and numbers. */
function Others({ conversation, onClose }) {
  const { data } = useGet("conversations", { query: { search: conversation.contact.number, limit: OTHERS } });
  const others = (data?.conversations ?? []).filter(({ id, contact }) => id !== conversation.id && contact.key === conversation.contact.key);
  if (!others.length) return null;
  return html`<section><h3>${t("conversation.panel.others")}</h3><ul role="list">${others.map(
    (other) => html`<li><${Link} to=${`/${encodeURIComponent(other.id)}`} class="other" onClick=${onClose}><${NumberChip} line=${other.line} label=${other.label} number=${other.number} />
      <span class="muted small">${formatDate(other.last_at)}</span><//></li>`,
  )}</ul></section>`;
}

/** Show the files among the loaded messages, newest first. */
function Files({ messages, conversation }) {
  const withFile = messages.all.filter(({ media, revoked }) => media && !revoked).reverse();
  const pictures = withFile.filter(({ kind }) => kind === "image").slice(0, SHOWN_FILES);
  const documents = withFile.filter(({ kind }) => kind === "document").slice(0, SHOWN_FILES);
  if (!pictures.length && !documents.length) return null;
  return html`<section><h3>${t("conversation.panel.files")}</h3>${messages.shown.value.next && html`<p class="muted small">${t("conversation.panel.loadedOnly")}</p>`}
    ${pictures.length > 0 && html`<ul role="list" class="grid">${pictures.map((message) => html`<li key=${message.id}><${Media} message=${message} conversation=${conversation} /></li>`)}</ul>`}
    ${documents.length > 0 && html`<ul role="list">${documents.map((message) => html`<li key=${message.id}><${Document} message=${message} conversation=${conversation} /></li>`)}</ul>`}
  </section>`;
}
