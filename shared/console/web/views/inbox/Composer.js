// Write and send a message, with the number it leaves through; or say why the line can't send.

import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../../lib.js";
import { BASE } from "../../config.js";
import { ApiError, sentence } from "../../api.js";
import { formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { remember, recall } from "../../memory.js";
import { Button, Icon, Notice, NumberChip } from "../../ui/index.js";
import { addFiles, kindOf } from "./attach.js";
import { EmojiPicker } from "./EmojiPicker.js";
import { dispatch } from "./outbox.js";
import { Popup } from "./Popup.js";
import { canRecord, Recorder } from "./Recorder.js";
import { RepliesDialog, useReplies } from "./Replies.js";
import { Tray } from "./Tray.js";
import { authorName, contactName, summarize } from "./words.js";

export const draftName = (conversation) => `draft.${conversation}`;

/**
 * `quoted` is the message that is answered, `editing` the one that is changed (`onEdited` is awaited with its new text, `onEdit`
 * ends it, `onEditLast` begins it with the last one). `files` are attached; the conversation around this adds to them.
 */
export function Composer({ id, conversation, line, mute, stranger, ready, quoted, onQuote, find, input, files, onFiles, editing, onEdit, onEditLast, onEdited }) {
  const [text, write] = useState(() => recall(draftName(id))?.text ?? "");
  const [revised, setRevised] = useState(null);
  const revision = revised?.of === editing ? revised?.text : editing?.text;
  const revise = (next) => setRevised({ of: editing, text: next });
  const [trouble, complain] = useState(null);
  const [panel, show] = useState(null);
  const [busy, setBusy] = useState(false);
  const hint = useId();
  const form = useRef(null);
  const quotedId = useRef(recall(draftName(id))?.quoted);
  const why = mute ?? (line?.restricted_since && stranger() ? "restricted" : null);
  const isWritable = Boolean(conversation) && !why;
  const replies = useReplies(editing ? "" : text, { pick: (reply) => fill(reply), manage: () => show("replies") });

  useEffect(() => {
    if (!ready || !quotedId.current) return;
    onQuote(find(quotedId.current) ?? null);
    quotedId.current = null;
  }, [ready]);
  useEffect(() => {
    const answers = quoted?.id ?? quotedId.current ?? undefined;
    remember(draftName(id), text || answers ? { text, quoted: answers } : null);
  }, [text, quoted]);
  useEffect(() => {
    if (isWritable && matchMedia("(hover: hover)").matches) input.current?.focus({ preventScroll: true });
  }, [isWritable]);
  useEffect(() => {
    complain(null);
    if (editing) input.current?.focus();
  }, [editing]);
  useEffect(() => void (files.length && input.current?.focus()), [files]);
  const wasRecording = useRef(false);
  useEffect(() => {
    if (wasRecording.current && panel !== "recorder") input.current?.focus();
    wasRecording.current = panel === "recorder";
  }, [panel]);
  useFloor(form, isWritable);

  if (!conversation) return html`<div class="composer" aria-hidden="true" ref=${form}><div class="write"></div></div>`;
  if (why) return html`<${Mute} why=${why} conversation=${conversation} form=${form} />`;

  const value = editing ? revision ?? "" : text;
  const words = value.trim();
  const fill = (next) => {
    (editing ? revise : write)(next);
    complain(null);
    input.current?.focus();
  };
  const insert = (emoji) => {
    const { selectionStart: start, selectionEnd: end } = input.current;
    fill(value.slice(0, start) + emoji + value.slice(end));
    show(null);
    requestAnimationFrame(() => input.current?.setSelectionRange(start + emoji.length, start + emoji.length));
  };
  const take = (picked) => {
    const { files: next, trouble: reason } = addFiles(files, [...picked]);
    onFiles(next);
    complain(reason);
    input.current?.focus();
  };
  const dispatchFiles = (attached, caption) => {
    let rest = caption;
    for (const file of attached) {
      const isAudio = kindOf(file) === "audio";
      const answers = quoted && file === attached[0] ? { quoted: quoted.id } : {};
      dispatch(id, answers, { kind: kindOf(file), text: isAudio ? "" : rest, blob: file, file: { name: file.name, size: file.size } });
      if (!isAudio) rest = "";
    }
    return rest;
  };
  const send = (recording) => {
    const attached = recording ? [recording] : files;
    if (!words && !attached.length) return;
    let rest = "";
    if (attached.length) rest = dispatchFiles(attached, recording ? "" : words);
    else dispatch(id, { text: words, ...(quoted ? { quoted: quoted.id } : {}) }, { kind: "text", text: words });
    if (!recording) write(rest && value);
    onFiles([]);
    complain(null);
    onQuote(null);
    input.current?.focus();
  };
  const save = async () => {
    if (!words || busy) return;
    setBusy(true);
    complain(null);
    try {
      if (words !== editing.text) await onEdited(editing, words);
      onEdit(null);
      input.current?.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      complain(sentence(error));
    }
    setBusy(false);
  };
  const submit = () => (editing ? save() : send());
  const handleKey = (event) => {
    if (replies.press(event)) return;
    if (event.key === "Escape" && (quoted || editing)) {
      event.preventDefault();
      return editing ? onEdit(null) : onQuote(null);
    }
    if (event.key === "ArrowUp" && !value && !editing && onEditLast()) return event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };
  const handlePaste = (event) => {
    if (!event.clipboardData?.files.length || editing) return;
    event.preventDefault();
    take(event.clipboardData.files);
  };
  const isEmpty = !words && !files.length;

  return html`${panel === "replies" && html`<${RepliesDialog} onClose=${() => (show(null), input.current?.focus())} />`}
  <form class="composer" ref=${form} onSubmit=${(event) => (event.preventDefault(), submit())}>
    <p class="through" id=${hint}><span>${t("inbox.composer.through", { number: formatNumber(conversation.number) })} · <bdi>${lineName(conversation)}</bdi></span>
      <span class="keys" aria-hidden="true">${t("inbox.composer.hint")}</span></p>
    ${line?.restricted_since && html`<${Notice} tone="warn">${t("inbox.restricted")}<//>`}
    ${replies.list}
    ${editing && html`<${Above} icon="pen" title=${t("conversation.editing")} text=${editing.text} drop=${t("conversation.dropEdit")} onDrop=${() => onEdit(null)} />`}
    ${quoted && !editing && html`<${Above} icon="reply" title=${t("inbox.replying", { name: authorOf(quoted, conversation) })} text=${summarize(quoted)} drop=${t("inbox.dropReply")} onDrop=${() => (onQuote(null), input.current?.focus())} />`}
    ${files.length > 0 && !editing && html`<${Tray} files=${files} onDrop=${(file) => onFiles(files.filter((other) => other !== file))} />`}
    ${files.some((file) => kindOf(file) === "audio") && words && !editing && html`<p class="small muted">${t("inbox.composer.audio")}</p>`}
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${panel === "recorder"
      ? html`<${Recorder} onDone=${(file) => (show(null), send(file))} onCancel=${(reason) => (show(null), complain(reason))} />`
      : html`<div class="write">
      ${!editing && html`<${Picker} onPick=${take} />`}
      <${Button} kind="quiet" icon="face-slightly-smiling" label=${t("inbox.composer.emoji")} class="smile" onClick=${(event) => show({ emojiFor: event.currentTarget })} />
      <textarea class="input" rows="1" ref=${input} aria-label=${t("inbox.composer.label")} aria-describedby=${hint} aria-autocomplete="list" ...${replies.labels} maxlength="65536" dir="auto"
        placeholder=${t(files.length ? "inbox.composer.caption" : "inbox.composer.placeholder")} value=${value}
        onInput=${(event) => (editing ? revise : write)(event.currentTarget.value)} onKeyDown=${handleKey} onPaste=${handlePaste}></textarea>
      ${isEmpty && !editing && canRecord()
        ? html`<${Button} kind="quiet" icon="mic" label=${t("conversation.record.title")} onClick=${() => (complain(null), show("recorder"))} />`
        : html`<${Button} kind="primary" icon=${editing ? "check" : "send"} busy=${busy} label=${t(editing ? "conversation.saveEdit" : "inbox.composer.send")} disabled=${isEmpty ? t("inbox.composer.nothing") : false} onClick=${submit} />`}
    </div>`}
    ${panel?.emojiFor && html`<${Popup} anchor=${panel.emojiFor} label=${t("inbox.composer.emoji")} onClose=${() => show(null)}><${EmojiPicker} onPick=${insert} /><//>`}
  </form>`;
}

/** Tell the page how high the composer is, so that toasts stay above it. */
function useFloor(form, key) {
  useLayoutEffect(() => {
    const root = document.documentElement;
    if (!form.current) return undefined;
    const watch = new ResizeObserver(([{ target }]) => root.style.setProperty("--floor", `${target.offsetHeight}px`));
    watch.observe(form.current);
    return () => {
      watch.disconnect();
      root.style.removeProperty("--floor");
    };
  }, [key]);
}

function Picker({ onPick }) {
  const picker = useRef(null);
  const handleChange = (event) => {
    const files = [...event.currentTarget.files];
    event.currentTarget.value = "";
    if (files.length) onPick(files);
  };
  return html`<input type="file" hidden multiple ref=${picker} onChange=${handleChange} />
    <${Button} kind="quiet" icon="paperclip" label=${t("inbox.composer.attach")} onClick=${() => picker.current.click()} />`;
}

const authorOf = (message, conversation) => (message.from_me ? t("inbox.you") : message.author ? authorName(message.author) : contactName(conversation.contact));

const Above = ({ icon, title, text, drop, onDrop }) => html`<div class="above"><${Icon} name=${icon} />
    <span class="what"><strong class="cut" dir="auto">${title}</strong><span class="cut small" dir="auto">${text}</span></span>
    <${Button} small kind="quiet" icon="x" label=${drop} onClick=${onDrop} /></div>`;

function Mute({ why, conversation, form }) {
  const { line, label, number } = conversation;
  return html`<div class="composer mute" ref=${form}>
    <p class="through"><${NumberChip} line=${line} label=${label} number=${number} /></p>
    <div class="why"><${Icon} name="lock" /><p>${t(`inbox.mute.${why}`, { line: lineName(conversation), number: formatNumber(number) })}</p>
      ${["closed", "conflict"].includes(why) && html`<${Button} small to=${`~${BASE}/lines`}>${t("inbox.mute.lines")}<//>`}</div>
  </div>`;
}
