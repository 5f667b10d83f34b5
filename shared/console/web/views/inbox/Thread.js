// Show one conversation: its contact and number, its messages, and the composer.

import { html, useCallback, useEffect, useMemo, useRef, useState } from "../../lib.js";
import { ApiError, api, sentence } from "../../api.js";
import { now } from "../../clock.js";
import { t } from "../../i18n/index.js";
import { joinNews } from "../../news.js";
import { usePulse } from "../../pace.js";
import { useGet } from "../../resource.js";
import { Button, EmptyState, ErrorState, toast } from "../../ui/index.js";
import { addFiles } from "./attach.js";
import { markUnread } from "./changes.js";
import { Composer } from "./Composer.js";
import { useDrop } from "./drop.js";
import { JumpDialog } from "./JumpDialog.js";
import { Log } from "./Log.js";
import { enlarged } from "./Media.js";
import { Menu, RemoveDialog } from "./Menu.js";
import { Messages } from "./messages.js";
import { attempts, onOutcome, react, resumeAttempts } from "./outbox.js";
import { Panel } from "./Panel.js";
import { useRead } from "./reading.js";
import { rightsOver } from "./rights.js";
import { ThreadHead } from "./ThreadHead.js";
import { Viewer } from "./Viewer.js";
import { contactName, muteReason } from "./words.js";

const RETRY_MS = 5_000;
const LINE_PROBLEMS = new Set(["line-not-open", "line-released", "line-in-conflict", "number-changed", "line-restricted"]);

export function Thread({ id, summary, lines, onPatch, onReload, onReading, onLeave }) {
  const messages = useMemo(() => new Messages(id), [id]);
  const [quoted, quote] = useState(null);
  const [editing, edit] = useState(null);
  const [files, setFiles] = useState([]);
  const [opened, open] = useState(null);
  const composer = useRef(null);
  const resource = useGet(summary ? null : `conversations/${encodeURIComponent(id)}`);
  const [changes, setChanges] = useState({});
  const source = summary ?? resource.data;
  const conversation = source && { ...source, ...(summary ? {} : changes) };
  const absent = resource.error?.problem === "conversation-unknown" || messages.shown.value.error?.problem === "conversation-unknown";

  useEffect(() => {
    messages.open();
    resumeAttempts();
    const off = onOutcome(({ conversation, message, send, problem }) => {
      if (conversation === id && message) messages.add(message);
      else if (conversation === id && send.said) messages.settleSends({ messages: [], sends: [send] });
      if (LINE_PROBLEMS.has(problem)) lines.reload();
    });
    return () => {
      off();
      messages.close();
      enlarged.value = null;
      onReading(null);
    };
  }, [messages]);

  const { loading, error } = messages.shown.value;
  useEffect(() => {
    if (absent || loading || error) return undefined;
    const fail = (failure) => messages.show({ error: failure });
    return joinNews({ id, since: () => messages.since, take: (page) => messages.take(page).catch(() => undefined), fail });
  }, [messages, absent, loading, Boolean(error)]);
  usePulse(() => (error && !absent ? messages.open() : undefined), RETRY_MS, id);

  const patch = useCallback((news) => {
    setChanges((before) => ({ ...before, ...news }));
    onPatch(id, news);
  }, []);

  const list = { patch: (_, news) => patch(news), reload: onReload };
  const atEnd = useRead({ id, conversation, messages, patch, onReading });
  useEffect(() => {
    if (!summary && messages.shown.value.news) resource.reload();
  }, [messages.shown.value.news]);

  const mute = conversation && muteReason(conversation, lines.data?.lines);
  const on = useMemo(() => ({ ...actsOn({ id, messages, quote, edit, open, composer }), atEnd }), [id, messages, atEnd]);
  const drop = useDrop((picked) => {
    const { files: next, trouble } = addFiles(files, picked);
    setFiles(next);
    if (trouble) toast(trouble);
  }, Boolean(conversation) && !mute && !editing);

  if (absent)
    return html`<section class="thread none"><${EmptyState} icon="search-x" title=${t("inbox.absent.title")} text=${t("inbox.absent.text")}>
      <${Button} kind="primary" onClick=${onLeave}>${t("inbox.absent.back")}<//><//></section>`;
  if (resource.error && !conversation) return html`<section class="thread none"><${ErrorState} error=${resource.error} onRetry=${resource.reload} /></section>`;

  const name = conversation ? contactName(conversation.contact) : "";
  const line = lines.data?.lines.find((candidate) => candidate.line === conversation?.line);
  const back = (event) => event.key === "Escape" && !event.defaultPrevented && !event.target.closest("dialog") && onLeave();
  const close = () => open(null);
  /** Mark it as unread and leave it: on show it would be read again. */
  const unread = () => {
    close();
    onLeave();
    markUnread(conversation, list);
  };
  const editLast = () => {
    const last = messages.recent.findLast((message) => rightsOver(message, { mute, now: now() }).edit);
    if (last) on.edit(last);
    return Boolean(last);
  };
  const pictures = () => messages.all.filter((message) => message.kind === "image" && !message.revoked && message.media);
  return html`<section class="thread" aria-label=${t("inbox.messages", { name })} onKeyDown=${back} ...${drop.handlers}>
    <${ThreadHead} conversation=${conversation} name=${name} lines=${lines.data?.lines} list=${list} onLeave=${onLeave} onUnread=${unread} onPanel=${() => open({ panel: true })} onJump=${() => open({ jump: true })} />
    <${Log} messages=${messages} conversation=${conversation} name=${name} on=${on} mute=${mute}
      sending=${attempts.value.filter((attempt) => attempt.conversation === id)} />
    <${Composer} id=${id} conversation=${conversation} line=${line} mute=${mute} stranger=${() => stranger(messages)} ready=${!messages.shown.value.loading} quoted=${quoted} onQuote=${quote} find=${(one) => messages.find(one)} input=${composer}
      files=${files} onFiles=${setFiles} editing=${editing} onEdit=${edit} onEditLast=${editLast} onEdited=${on.change} />
    ${opened?.message && html`<${Menu} key=${`${opened.message.id} ${opened.view}`} opened=${opened} mute=${mute} acts=${on} onClose=${close} />`}
    ${opened?.remove && html`<${RemoveDialog} message=${opened.remove} onRemove=${on.take} onClose=${close} />`}
    ${opened?.jump && html`<${JumpDialog} messages=${messages} onClose=${close} />`}
    ${opened?.panel && conversation && html`<${Panel} conversation=${conversation} name=${name} messages=${messages} patch=${patch} onUnread=${unread} onJump=${() => open({ jump: true })} onClose=${close} />`}
    ${enlarged.value && html`<${Viewer} pictures=${pictures()} conversation=${conversation} name=${name} />`}
    ${drop.isOver && html`<div class="drop" aria-hidden="true"><p>${t("inbox.composer.drop")}</p></div>`}
  </section>`;
}

/** What can be done with a message of the conversation. */
function actsOn({ id, messages, quote, edit, open, composer }) {
  const path = ({ send }) => `send-message/${encodeURIComponent(send)}`;
  return {
    open: (message, anchor, view = "menu") => open({ message, anchor, view }),
    reply(message) {
      edit(null);
      quote(message);
      composer.current?.focus();
    },
    edit,
    remove: (message) => open({ remove: message }),
    async copy({ text }) {
      await navigator.clipboard.writeText(text).then(
        () => toast(t("conversation.copied")),
        () => toast(t("shell.link.not_copied")),
      );
    },
    async react({ id: message, reactions }, emoji) {
      messages.patch(message, { reactions: { ...reactions, me: emoji } });
      try {
        await react(id, message, emoji);
      } catch (error) {
        messages.patch(message, { reactions: { ...messages.find(message)?.reactions, me: reactions?.me ?? "" } });
        if (error instanceof ApiError) toast(sentence(error));
      }
    },
    /** Give a message another text. Rejects with ApiError. */
    async change(message, text) {
      const { data } = await api.patch(path(message), { text });
      if (data.message) messages.add(data.message);
    },
    /** Take a message back. Rejects with ApiError. */
    async take(message) {
      const { data } = await api.delete(path(message));
      if (data.message) messages.add(data.message);
    },
  };
}

/** Tell whether the contact surely never wrote: everything is loaded, and nothing is theirs. */
function stranger(messages) {
  const { loading, next } = messages.shown.value;
  return !loading && !next && messages.all.every((message) => message.from_me);
}
