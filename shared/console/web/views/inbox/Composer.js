// Write and send a message, with the number it leaves through; or say why the line can't send.

import { html, useEffect, useId, useRef, useState } from "../../lib.js";
import { BASE } from "../../config.js";
import { straight } from "../../direction.js";
import { formatBytes, formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { remember, recall } from "../../memory.js";
import { Button, Icon, Notice, NumberChip } from "../../ui/index.js";
import { buildBody, kindOf, tooLarge } from "./attach.js";
import { dispatch } from "./outbox.js";
import { authorName, contactName, summarize, kindIcon } from "./words.js";

export const draftName = (conversation) => `draft.${conversation}`;

export function Composer({ id, conversation, line, mute, stranger, ready, quoted, onQuote, find, input }) {
  const [text, write] = useState(() => recall(draftName(id))?.text ?? "");
  const [file, attach] = useState(null);
  const [trouble, complain] = useState(null);
  const hint = useId();
  const sending = useRef(false);
  const quotedId = useRef(recall(draftName(id))?.quoted);
  useEffect(() => {
    if (!ready || !quotedId.current) return;
    onQuote(find(quotedId.current) ?? null);
    quotedId.current = null;
  }, [ready]);
  useEffect(() => {
    const answers = quoted?.id ?? quotedId.current ?? undefined;
    remember(draftName(id), text || answers ? { text, quoted: answers } : null);
  }, [text, quoted]);

  if (!conversation) return html`<div class="composer" aria-hidden="true"><div class="write"></div></div>`;
  const why = mute ?? (line?.restricted_since && stranger() ? "restricted" : null);
  if (why) return html`<${Mute} why=${why} conversation=${conversation} />`;

  const words = text.trim();
  const take = (pick) => {
    const reason = pick && tooLarge(pick);
    complain(reason || null);
    attach(reason ? null : pick);
    input.current?.focus();
  };
  const send = async () => {
    if ((!words && !file) || sending.current) return;
    sending.current = true;
    const isAudio = file && kindOf(file) === "audio";
    try {
      const body = file ? await buildBody(file, words) : { text: words };
      if (quoted) body.quoted = quoted.id;
      dispatch(id, body, {
        kind: file ? kindOf(file) : "text",
        text: isAudio ? "" : words,
        file: file && { name: file.name, size: file.size },
      });
      remember(draftName(id), null);
    } catch {
      return complain(t("inbox.composer.unreadable"));
    } finally {
      sending.current = false;
    }
    if (!isAudio) write("");
    attach(null);
    complain(null);
    onQuote(null);
    input.current?.focus();
  };
  const handleKey = (event) => {
    if (event.key === "Escape" && quoted) {
      event.preventDefault();
      onQuote(null);
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const handlePaste = (event) => {
    const pick = event.clipboardData?.files?.[0];
    if (!pick) return;
    event.preventDefault();
    take(pick);
  };

  return html`<form class="composer" onSubmit=${(event) => (event.preventDefault(), send())}>
    <p class="through" id=${hint}><span>${t("inbox.composer.through", { number: formatNumber(conversation.number) })} · <bdi>${lineName(conversation)}</bdi></span>
      <span class="keys" aria-hidden="true">${t("inbox.composer.hint")}</span></p>
    ${line?.restricted_since && html`<${Notice} tone="warn">${t("inbox.restricted")}<//>`}
    ${quoted && html`<${Reply} quoted=${quoted} conversation=${conversation} onDrop=${() => (onQuote(null), input.current?.focus())} />`}
    ${file && html`<${Attached} file=${file} onDrop=${() => take(null)} />`}
    ${file && kindOf(file) === "audio" && words && html`<p class="small muted">${t("inbox.composer.audio")}</p>`}
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    <div class="write">
      <${Picker} onPick=${take} />
      <textarea class="input" rows="1" ref=${input} aria-label=${t("inbox.composer.label")} aria-describedby=${hint} maxlength="65536" dir="auto"
        placeholder=${t(file ? "inbox.composer.caption" : "inbox.composer.placeholder")} value=${text}
        onInput=${(event) => write(event.currentTarget.value)} onKeyDown=${handleKey} onPaste=${handlePaste}></textarea>
      <${Button} kind="primary" icon="send" label=${t("inbox.composer.send")} disabled=${words || file ? false : t("inbox.composer.nothing")} onClick=${send} />
    </div>
  </form>`;
}

function Picker({ onPick }) {
  const picker = useRef(null);
  const handleChange = (event) => {
    const [file] = event.currentTarget.files;
    event.currentTarget.value = "";
    if (file) onPick(file);
  };
  return html`<input type="file" hidden ref=${picker} onChange=${handleChange} />
    <${Button} kind="quiet" icon="paperclip" label=${t("inbox.composer.attach")} onClick=${() => picker.current.click()} />`;
}

const Attached = ({ file, onDrop }) => html`<div class="above">
  <${Icon} name=${kindIcon(kindOf(file))} /><span class="cut" dir="auto">${straight(file.name)}</span><span class="muted small nowrap">${formatBytes(file.size)}</span>
  <${Button} small kind="quiet" icon="x" label=${t("inbox.composer.detach")} onClick=${onDrop} />
</div>`;

function Reply({ quoted, conversation, onDrop }) {
  const name = quoted.from_me ? t("inbox.you") : quoted.author ? authorName(quoted.author) : contactName(conversation.contact);
  return html`<div class="above reply-to"><${Icon} name="reply" />
    <span class="what"><strong class="cut" dir="auto">${t("inbox.replying", { name })}</strong><span class="cut small" dir="auto">${summarize(quoted)}</span></span>
    <${Button} small kind="quiet" icon="x" label=${t("inbox.dropReply")} onClick=${onDrop} /></div>`;
}

function Mute({ why, conversation }) {
  const { line, label, number } = conversation;
  return html`<div class="composer mute">
    <p class="through"><${NumberChip} line=${line} label=${label} number=${number} /></p>
    <div class="why"><${Icon} name="lock" /><p>${t(`inbox.mute.${why}`, { line: lineName(conversation), number: formatNumber(number) })}</p>
      ${["closed", "conflict"].includes(why) && html`<${Button} small to=${`~${BASE}/lines`}>${t("inbox.mute.lines")}<//>`}</div>
  </div>`;
}
