// List dead letters, the events that couldn't be processed: read one, replay it, or discard it.

import { html, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Age, Button, Dialog, EmptyState, ErrorState, Notice, Sheet, SkeletonRows, toast } from "../../ui/index.js";
import { usePages } from "./pages.js";
import { word } from "./words.js";

const pathOf = (letter) => `fleet/dead-letters/${encodeURIComponent(letter.id)}`;

export function Letters() {
  const { items, error, reload, more, busy } = usePages("fleet/dead-letters", "letters", { limit: 50 });
  const [reading, read] = useState(null);
  const [discarding, discard] = useState(null);
  if (!items) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<${SkeletonRows} />`;
  return html`<div class="fleet-letters"><p class="muted">${t("operator.letters.intro")}</p>
    ${items.length
      ? html`<ul role="list" class="card fleet-list rows">${items.map((letter) => html`<${Letter} key=${letter.id} letter=${letter} reload=${reload} onRead=${() => read(letter)} onDiscard=${() => discard(letter)} />`)}</ul>`
      : html`<${EmptyState} icon="inbox" title=${t("operator.letters.none")} text=${t("operator.letters.none_text")} />`}
    ${more && html`<p class="fleet-more"><${Button} busy=${busy} onClick=${more}>${t("fleet.runs.more")}<//></p>`}
    ${reading && html`<${Reading} letter=${reading} onClose=${() => read(null)} />`}
    ${discarding && html`<${Discarding} letter=${discarding} onClose=${() => discard(null)} onDone=${reload} />`}
  </div>`;
}

function Letter({ letter, reload, onRead, onDiscard }) {
  const [busy, setBusy] = useState(false);
  const replay = async () => {
    setBusy(true);
    try {
      const { data } = await api.post(`${pathOf(letter)}/replay`);
      toast(t(`operator.letters.outcomes.${data.outcome}`));
      reload();
    } catch (failure) {
      toast(sentence(failure));
    }
    setBusy(false);
  };
  const button = (name, icon, run, more) => html`<${Button} small icon=${icon} onClick=${run} label=${`${t(`operator.letters.${name}`)}: ${letter.instance}`} ...${more}>${t(`operator.letters.${name}`)}<//>`;
  return html`<li><div class="fleet-grow"><p><strong>${t("operator.letters.unreadable")}</strong>: ${word("operator.letters.reasons", letter.reason)}</p>
      <p class="small muted"><code>${letter.instance}</code> · <${Age} at=${letter.at} /> · ${formatBytes(letter.bytes)} · ${t("operator.letters.attempts", { n: letter.attempts })}</p></div>
    ${button("read", "eye", onRead)}
    ${button("replay", "rotate-ccw", replay, { busy, disabled: letter.cut ? t("operator.letters.cut") : false })}
    ${button("discard", "trash", onDiscard)}</li>`;
}

function Reading({ letter, onClose }) {
  const { data, error, reload } = useGet(pathOf(letter));
  return html`<${Sheet} title=${t("operator.letters.title")} onClose=${onClose}>
    ${data
      ? html`<p class="muted small">${t("operator.letters.shape")}</p><pre class="fleet-content" tabindex="0">${data.content}</pre>`
      : error
        ? html`<${ErrorState} error=${error} onRetry=${reload} />`
        : html`<${SkeletonRows} rows=${4} />`}
  <//>`;
}

function Discarding({ letter, onClose, onDone }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const discard = async () => {
    setBusy(true);
    try {
      await api.delete(pathOf(letter));
      toast(t("operator.letters.discarded"));
      onDone();
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="danger" busy=${busy} onClick=${discard}>${t("operator.letters.discard")}<//>`;
  return html`<${Dialog} title=${t("operator.letters.discard_title")} onClose=${onClose} foot=${foot}><p>${t("operator.letters.discard_text")}</p>
    ${error && html`<${Notice} tone="bad">${sentence(error)}<//>`}<//>`;
}
