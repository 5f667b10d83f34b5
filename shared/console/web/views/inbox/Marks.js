// Set a conversation's labels, and who answers it.

import { html, useEffect, useId, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, Icon, Notice } from "../../ui/index.js";
import { desk, loadDesk } from "./desk.js";

const MOST_LABELS = 10;
const LONGEST_LABEL = 40;
const LONGEST_PERSON = 80;

const clean = (text) => text.trim().replace(/\s+/g, " ");

export function Marks({ conversation, patch }) {
  const { id, labels = [], assignee } = conversation;
  const [error, setError] = useState(null);
  useEffect(() => void loadDesk().catch(setError), []);
  /** Show the change at once; a refusal takes it back. */
  const change = async (news) => {
    setError(null);
    const before = { labels, assignee };
    patch(news);
    try {
      const { data } = await api.patch(`conversations/${encodeURIComponent(id)}`, news);
      patch({ labels: data.labels ?? [], assignee: data.assignee });
      const isKnown = (news.labels ?? []).every((label) => desk.value?.labels.includes(label)) && (!news.assignee || desk.value?.assignees.includes(news.assignee));
      if (!isKnown) await loadDesk();
    } catch (failure) {
      patch(before);
      setError(failure);
    }
  };
  const { me } = desk.value ?? {};
  const add = (label) => !labels.includes(label) && change({ labels: [...labels, label] });
  return html`<section class="field">
    <h3>${t("conversation.labels.title")}</h3>
    ${labels.length > 0 && html`<ul role="list" class="labels">${labels.map(
      (label) => html`<li class="chip"><span class="cut" dir="auto">${label}</span><button type="button" aria-label=${t("conversation.labels.remove", { label })} onClick=${() => change({ labels: labels.filter((other) => other !== label) })}><${Icon} name="x" /></button></li>`,
    )}</ul>`}
    ${labels.length < MOST_LABELS && html`<${Entry} label=${t("conversation.labels.new")} act=${t("conversation.labels.add")} longest=${LONGEST_LABEL} known=${(desk.value?.labels ?? []).filter((label) => !labels.includes(label))} onEnter=${add} />`}
    <h3>${t("conversation.assignee.title")}</h3>
    <p class="row-of">${assignee
      ? html`<span class="person"><${Icon} name="user" /><bdi>${assignee}</bdi></span><${Button} small kind="quiet" onClick=${() => change({ assignee: null })}>${t("conversation.assignee.remove")}<//>`
      : html`<span class="muted">${t("conversation.assignee.nobody")}</span>`}
      ${me && me !== assignee && html`<${Button} small icon="user" onClick=${() => change({ assignee: me })}>${t("conversation.assignee.me")}<//>`}</p>
    <${Entry} label=${t("conversation.assignee.new")} act=${t("conversation.assignee.set")} longest=${LONGEST_PERSON} known=${(desk.value?.assignees ?? []).filter((person) => person !== assignee)} onEnter=${(person) => change({ assignee: person })} />
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
  </section>`;
}

/** Ask for a word, with those that are known to choose from. */
function Entry({ label, act, longest, known, onEnter }) {
  const [text, write] = useState("");
  const id = useId();
  const enter = (event) => {
    event.preventDefault();
    if (!clean(text)) return;
    onEnter(clean(text));
    write("");
  };
  return html`<form class="row-of" onSubmit=${enter}>
    <input class="input" list=${id} aria-label=${label} placeholder=${label} maxlength=${longest} autocomplete="off" dir="auto" value=${text} onInput=${(event) => write(event.currentTarget.value)} />
    <datalist id=${id}>${known.map((word) => html`<option value=${word}></option>`)}</datalist>
    <${Button} icon="plus" label=${act} disabled=${clean(text) ? false : label} onClick=${enter} />
  </form>`;
}
