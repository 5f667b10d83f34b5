// Show one conversation: its contact and number, its messages, and the composer.

import { html, useCallback, useEffect, useMemo, useRef, useState } from "../../lib.js";
import { ApiError, api, sentence } from "../../api.js";
import { formatNumber } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Button, EmptyState, ErrorState, NumberChip, Skeleton, toast } from "../../ui/index.js";
import { Composer } from "./Composer.js";
import { Face } from "./List.js";
import { Log } from "./Log.js";
import { Messages } from "./messages.js";
import { NameDialog } from "./NameDialog.js";
import { attempts, onOutcome, resumeAttempts } from "./outbox.js";
import { usePulse } from "../../pace.js";
import { contactName, muteReason } from "./words.js";

const POLL_MS = 2_500;
const LINE_PROBLEMS = new Set(["line-not-open", "line-released", "line-in-conflict", "number-changed", "line-restricted"]);

export function Thread({ id, summary, lines, onPatch, onReload, onReading, onLeave }) {
  const messages = useMemo(() => new Messages(id), [id]);
  const [quoted, quote] = useState(null);
  const composer = useRef(null);
  const resource = useGet(summary ? null : `conversations/${encodeURIComponent(id)}`);
  const [changes, setChanges] = useState({});
  const source = summary ?? resource.data;
  const conversation = source && { ...source, ...(summary ? {} : changes) };
  const absent = resource.error?.problem === "conversation-unknown" || messages.shown.value.error?.problem === "conversation-unknown";

  useEffect(() => {
    messages.open();
    resumeAttempts();
    const off = onOutcome(({ conversation, message, problem }) => {
      if (message && conversation === id) messages.add(message);
      if (LINE_PROBLEMS.has(problem)) lines.reload();
    });
    return () => {
      off();
      messages.close();
      onReading(null);
    };
  }, [messages]);

  usePulse(() => (absent ? undefined : messages.poll()), POLL_MS, id);

  const patch = useCallback((news) => {
    setChanges((before) => ({ ...before, ...news }));
    onPatch(id, news);
  }, []);

  const atEnd = useRead({ id, conversation, messages, patch, onReading });
  useEffect(() => {
    if (!summary && messages.shown.value.news) resource.reload();
  }, [messages.shown.value.news]);

  const reply = useCallback((message) => {
    quote(message);
    composer.current?.focus();
  }, []);
  const on = useMemo(() => ({ reply, atEnd }), [reply, atEnd]);

  if (absent)
    return html`<section class="thread none"><${EmptyState} icon="search-x" title=${t("inbox.absent.title")} text=${t("inbox.absent.text")}>
      <${Button} kind="primary" onClick=${onLeave}>${t("inbox.absent.back")}<//><//></section>`;
  if (resource.error && !conversation) return html`<section class="thread none"><${ErrorState} error=${resource.error} onRetry=${resource.reload} /></section>`;

  const name = conversation ? contactName(conversation.contact) : "";
  const mute = conversation && muteReason(conversation, lines.data?.lines);
  const line = lines.data?.lines.find((candidate) => candidate.line === conversation?.line);
  const back = (event) => event.key === "Escape" && !event.defaultPrevented && onLeave();
  return html`<section class="thread" aria-label=${t("inbox.messages", { name })} onKeyDown=${back}>
    <${Head} conversation=${conversation} name=${name} patch=${patch} onReload=${onReload} onLeave=${onLeave} />
    <${Log} messages=${messages} conversation=${conversation} name=${name} on=${on} mute=${mute}
      sending=${attempts.value.filter((attempt) => attempt.conversation === id)} />
    <${Composer} id=${id} conversation=${conversation} line=${line} mute=${mute} stranger=${() => stranger(messages)} ready=${!messages.shown.value.loading} quoted=${quoted} onQuote=${quote} find=${(one) => messages.find(one)} input=${composer} />
  </section>`;
}

/** Tell whether the contact surely never wrote: everything is loaded, and nothing is theirs. */
function stranger(messages) {
  const { chunks, loading, next } = messages.shown.value;
  return !loading && !next && chunks.every((chunk) => chunk.messages.every((message) => message.from_me));
}

/** Mark the conversation read while its end is seen; returns a function to call when that changes. */
function useRead({ id, conversation, messages, patch, onReading }) {
  const [sight, setSight] = useState({ end: false, visible: document.visibilityState === "visible" });
  const busy = useRef(false);
  useEffect(() => {
    const look = () => setSight((before) => ({ ...before, visible: document.visibilityState === "visible" }));
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const reads = sight.end && sight.visible && !messages.shown.value.loading;
  const unread = conversation?.unread ?? 0;
  useEffect(() => onReading(reads ? id : null), [reads, id]);
  useEffect(() => {
    if (!reads || !unread || busy.current) return;
    busy.current = true;
    api
      .patch(`conversations/${encodeURIComponent(id)}`, { read: true })
      .then(() => patch({ unread: 0 }), () => undefined) // the next news marks it read again
      .finally(() => (busy.current = false));
  }, [reads, unread, messages.shown.value.news]);
  return useCallback((end) => setSight((before) => (before.end === end ? before : { ...before, end })), []);
}

function Head({ conversation, name, patch, onReload, onLeave }) {
  const [naming, setNaming] = useState(false);
  const back = html`<${Button} kind="quiet" icon="arrow-left" label=${t("inbox.back")} class="back" onClick=${onLeave} />`;
  if (!conversation) return html`<header class="head">${back}<span class="face"></span><div class="who-is"><${Skeleton} width="10rem" /></div></header>`;
  const { contact, line, label, number, archived } = conversation;
  const more = contact.name && contact.number ? formatNumber(contact.number) : contact.group ? t("inbox.group") : "";
  return html`<header class="head">
    ${back}<${Face} contact=${contact} />
    <div class="who-is"><h2 class="cut" dir="auto">${name}</h2>
      <p><${NumberChip} line=${line} label=${label} number=${number} />${more && html`<span class="muted small cut">${more}</span>`}</p></div>
    <${Button} kind="quiet" icon="pen" label=${t("inbox.name.title")} onClick=${() => setNaming(true)} />
    <${Button} kind="quiet" icon="circle" label=${t("inbox.markUnread")} onClick=${() => markUnread(conversation.id, patch, onLeave)} />
    <${Button} kind="quiet" icon=${archived ? "archive-restore" : "archive"} label=${t(archived ? "inbox.unarchive" : "inbox.archive")}
      onClick=${() => archive(conversation.id, !archived, patch, onReload)} />
    ${naming && html`<${NameDialog} conversation=${conversation} onNamed=${(contact) => patch({ contact })} onClose=${() => setNaming(false)} />`}
  </header>`;
}

/** Mark the conversation as unread and leave it: on show it would be read again. */
async function markUnread(id, patch, onLeave) {
  onLeave();
  try {
    const { data } = await api.patch(`conversations/${encodeURIComponent(id)}`, { read: false });
    patch({ unread: data.unread });
  } catch (error) {
    if (error instanceof ApiError) toast(sentence(error));
  }
}

/** Archive the conversation, or take it back; a toast undoes it. */
async function archive(id, archived, patch, onReload, undoing) {
  patch({ archived });
  try {
    await api.patch(`conversations/${encodeURIComponent(id)}`, { archived });
    onReload();
    const undo = { label: t("inbox.undo"), run: () => archive(id, !archived, patch, onReload, true) };
    if (!undoing) toast(t(archived ? "inbox.archived" : "inbox.unarchived"), { action: undo });
  } catch (error) {
    patch({ archived: !archived });
    if (error instanceof ApiError) toast(sentence(error));
  }
}
