// Offer quick replies while `/` and a name are typed, and keep them.

import { html, useEffect, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Icon, Notice } from "../../ui/index.js";
import { deleteReply, desk, findReplies, loadDesk, putReply } from "./desk.js";

const NAME = /^[a-z0-9_-]{1,32}$/;
const LONGEST = 2_000;

/**
 * Follow what is typed: {offers, chosen, press, list, manages}; offers is null unless it begins with `/`. `press(event)` handles a key
 * and tells whether it did; `pick(text)` gets the reply that was chosen, `manage` opens the dialog.
 */
export function useReplies(text, { pick, manage }) {
  const [at, setAt] = useState(0);
  const [dropped, drop] = useState(null);
  const id = useId();
  const isAsked = /^\/[a-z0-9_-]*$/.test(text);
  useEffect(() => {
    if (isAsked && !desk.value) loadDesk().catch(() => undefined); // the list says that there are none
  }, [isAsked]);
  useEffect(() => setAt(0), [text]);
  const replies = isAsked && dropped !== text ? findReplies(text, desk.value?.replies ?? []) : null;
  const count = replies ? replies.length + 1 : 0;
  const take = (index) => (index < replies.length ? pick(replies[index].text) : manage());
  const press = (event) => {
    if (!replies || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + count) % count);
    else if (event.key === "Escape") drop(text);
    else if ((event.key === "Enter" && !event.shiftKey) || (event.key === "Tab" && replies.length)) take(at);
    else return false;
    event.preventDefault();
    return true;
  };
  const option = (index) => `${id}-${index}`;
  const list =
    replies &&
    html`<ul role="listbox" id=${id} class="replies" aria-label=${t("conversation.replies.title")}>
      ${[...replies.map(({ name, text: words }) => html`<strong>/${name}</strong><span class="cut" dir="auto">${words}</span>`), html`<${Icon} name="pen" /><span>${t("conversation.replies.manage")}</span>`].map(
        (inside, index) => html`<li role="option" id=${option(index)} aria-selected=${String(index === at)} onPointerDown=${(event) => event.preventDefault()} onClick=${() => take(index)}>${inside}</li>`,
      )}
    </ul>`;
  const labels = replies ? { "aria-controls": id, "aria-activedescendant": option(at) } : {};
  return { press, list, labels };
}

/** Keep the quick replies: add, change, delete. */
export function RepliesDialog({ onClose }) {
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [fieldName, fieldText] = [useId(), useId()];
  useEffect(() => void loadDesk().catch(setError), []);
  const run = async (act) => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const isNamed = NAME.test(name);
  const save = (event) => {
    event.preventDefault();
    if (!isNamed || !text.trim() || busy) return;
    run(async () => {
      await putReply(name, text.trim());
      setName("");
      setText("");
    });
  };
  const change = (reply) => {
    setName(reply.name);
    setText(reply.text);
  };
  const replies = desk.value?.replies ?? [];
  return html`<${Dialog} title=${t("conversation.replies.title")} onClose=${onClose} foot=${html`<${Button} onClick=${onClose}>${t("conversation.replies.done")}<//>`}>
    <div class="replies-kept">
      <p class="muted">${t("conversation.replies.about")}</p>
      <form class="field" onSubmit=${save}>
        <label for=${fieldName}>${t("conversation.replies.name")}</label>
        <input id=${fieldName} class="input" autocomplete="off" autocapitalize="off" maxlength="32" value=${name} onInput=${(event) => setName(event.currentTarget.value.toLowerCase().replace(/[^a-z0-9_-]/g, ""))} />
        <label for=${fieldText}>${t("conversation.replies.text")}</label>
        <textarea id=${fieldText} class="input" rows="3" dir="auto" maxlength=${LONGEST} value=${text} onInput=${(event) => setText(event.currentTarget.value)}></textarea>
        ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}
        <div><${Button} kind="primary" busy=${busy} disabled=${isNamed && text.trim() ? false : t("conversation.replies.needed")} onClick=${save}>${t("conversation.replies.save")}<//></div>
      </form>
      <ul role="list">${replies.map(
        (reply) => html`<li key=${reply.name}><span class="what"><strong>/${reply.name}</strong><span class="cut small" dir="auto">${reply.text}</span></span>
          <${Button} small kind="quiet" icon="pen" label=${t("conversation.replies.change", { name: reply.name })} onClick=${() => change(reply)} />
          <${Button} small kind="quiet" icon="trash" label=${t("conversation.replies.delete", { name: reply.name })} onClick=${() => run(() => deleteReply(reply.name))} /></li>`,
      )}</ul>
    </div>
  <//>`;
}
