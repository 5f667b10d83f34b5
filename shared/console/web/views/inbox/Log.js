// Show a conversation's messages, oldest first. Chunks far out of sight keep only their height, and the message in view
// stays in its place, whatever is added above or below.

import { html, useCallback, useEffect, useState } from "../../lib.js";
import { language, t } from "../../i18n/index.js";
import { Button, ErrorState, Icon, Notice, Skeleton } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { Attempt } from "./Attempt.js";
import { Chunk } from "./Chunk.js";
import { pairEchoes } from "./echoes.js";
import { usePlace } from "./place.js";
import { moveThroughMessages, useOneStop } from "./stops.js";
import { authorName, summarize } from "./words.js";

export function Log({ messages, conversation, name, on, sending, mute }) {
  const { chunks, loading, error, next, older, news, target } = messages.shown.value;
  const [jumpTo, setJumpTo] = useState(null);
  const [announcement, announce] = useState("");
  const place = usePlace({ on, onTop: () => older === false && messages.older(), ready: !loading, loads: chunks.length });
  useOneStop(place.scroller);
  const paired = pairEchoes(sending, messages.recent);
  const unpaired = sending.filter((attempt) => !paired.has(attempt.key));

  useEffect(() => {
    if (!news) return;
    const theirs = news.filter((message) => !message.from_me);
    if (theirs.length) place.arrived(theirs.length);
    const last = theirs.at(-1);
    if (last) announce(t("inbox.arrived", { name: last.author ? authorName(last.author) : name, text: summarize(last) }));
  }, [news]);
  const newest = sending.at(-1)?.key;
  useEffect(() => {
    if (newest) place.toEnd();
  }, [newest]);
  useEffect(() => {
    if (!jumpTo) return;
    place.show(place.scroller.current.querySelector(`[data-id="${CSS.escape(jumpTo.id)}"]`), jumpTo.block);
  }, [jumpTo]);
  useEffect(() => {
    if (target) setJumpTo({ ...target, block: "start" });
  }, [target]);

  const jump = useCallback((id) => setJumpTo({ id }), []);
  const acts = { ...on, jump };
  return html`<div class="log-frame">
    <div class="log" role="log" aria-live="off" aria-label=${t("inbox.messages", { name })} tabindex="0" ref=${place.scroller} onScroll=${place.scrolled}
      onKeyDown=${(event) => moveThroughMessages(event, place.scroller.current)}>
      <div class="log-inner" ref=${place.inner}>
        ${loading ? html`<${SkeletonLog} />` : error ? html`<${ErrorState} error=${error} onRetry=${() => messages.open()} />` : html`<${Top} next=${next} older=${older} chunks=${chunks} messages=${messages} />`}
        ${chunks.map(
          (chunk, at) => html`<${Chunk} key=${chunk.id} chunk=${chunk} before=${chunks[at - 1]?.messages.at(-1)} root=${place.scroller} acts=${acts}
            messages=${messages} conversation=${conversation} name=${name} speech=${language.value} jumpTo=${jumpTo} mute=${mute} />`,
        )}
        ${!loading && unpaired.map((attempt) => html`<${Attempt} key=${attempt.key} attempt=${attempt} />`)}
      </div>
    </div>
    <p class="unseen" role="status" aria-live="polite">${announcement}</p>
    ${!place.atEnd &&
    html`<div class="to-end"><${Button} small icon="arrow-down" label=${place.news ? undefined : t("inbox.toEnd")} class=${place.news ? "primary" : ""} onClick=${() => place.toEnd()}>
      ${place.news ? t("inbox.news", { n: place.news }) : null}<//></div>`}
  </div>`;
}

function Top({ next, older, chunks, messages }) {
  if (!chunks.length) return html`<p class="beginning">${t("inbox.noMessages")}</p>`;
  if (!next) return html`<p class="beginning">${t("inbox.beginning")}</p>`;
  if (!older?.kind) return html`<p class="beginning" role="status"><${Icon} name="loader-circle" spin=${older === true} /><span>${t("inbox.older")}</span></p>`;
  return html`<div class="beginning"><${Notice} tone="bad">${t("inbox.olderFailed")} ${sentence(older)}<//>
    <${Button} small kind="quiet" icon="refresh-cw" onClick=${() => messages.older()}>${t("shell.tryAgain")}<//></div>`;
}

const SkeletonLog = () => html`<div role="status" class="skeleton-log"><span class="unseen">${t("shell.loading")}</span>
  ${["55%", "40%", "62%", "30%", "48%", "58%"].map((width, at) => html`<div class=${`ghost${at % 3 === 1 ? " mine" : ""}`}><${Skeleton} width=${width} height=${at % 2 ? "2.4rem" : "3.6rem"} /></div>`)}
</div>`;
