// Show the conversations: what to do with them, the filters (as the address says), and the rows.

import { html, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useSearchParams } from "../../router.js";
import { Button } from "../../ui/index.js";
import { archive, markRead } from "./changes.js";
import { Fallen } from "./Fallen.js";
import { Filters } from "./Filters.js";
import { Rows } from "./Rows.js";

/** `acts` are the inbox's: {create, help}. `selected` is a Set of ids while several are chosen, else null. */
export function List({ list, filters, lines, chosen, reading, selected, onSelect, acts }) {
  const [params, setParams] = useSearchParams();
  const query = params.toString();
  const set = (name, value) => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    setParams(next, { replace: true });
  };
  const toggle = (id) => {
    const ids = new Set(selected);
    if (!ids.delete(id)) ids.add(id);
    onSelect(ids.size || selected ? ids : null);
  };
  return html`<section class="list" aria-label=${t("inbox.list")}>
    <div class="top">
      ${selected
        ? html`<${Selection} list=${list} selected=${selected} isArchive=${Boolean(filters.archived)} onSelect=${onSelect} />`
        : html`<header class="head-of-list"><h2 class="title" aria-hidden="true">${t("inbox.title")}</h2>
            <${Count} list=${list} />
            <${Button} kind="quiet" icon="keyboard" label=${t("inbox.shortcuts.title")} class="keys" onClick=${acts.help} />
            <${Button} kind="quiet" icon="check" label=${t("inbox.select.start")} disabled=${list.items.length ? false : t("inbox.empty.title")} onClick=${() => onSelect(new Set())} />
            <${Button} kind="quiet" icon="plus" label=${t("inbox.create.title")} onClick=${acts.create} /></header>`}
      <${Filters} filters=${filters} lines=${lines} set=${set} />
    </div>
    <${Fallen} />
    <${Rows} list=${list} filters=${filters} clear=${() => setParams({}, { replace: true })} lines=${lines} chosen=${chosen} reading=${reading} query=${query}
      selected=${selected} onToggle=${toggle} />
  </section>`;
}

const Count = ({ list: { items, loading, error, next } }) => html`<span class="count" role="status">${
  (loading || error) && !items.length ? "" : next ? t("inbox.countMore", { n: items.length }) : t("inbox.count", { n: items.length })
}</span>`;

/** Offer what can be done with the selected conversations. */
function Selection({ list, selected, isArchive, onSelect }) {
  const [busy, setBusy] = useState("");
  const conversations = list.items.filter((item) => selected.has(item.id));
  const act = async (name, change) => {
    setBusy(name);
    await change();
    onSelect(null);
  };
  const nothing = conversations.length ? false : t("inbox.select.none");
  const all = () => onSelect(new Set(conversations.length === list.items.length ? [] : list.items.map((item) => item.id)));
  return html`<header class="head-of-list selecting">
    <${Button} kind="quiet" icon="x" label=${t("inbox.select.end")} onClick=${() => onSelect(null)} />
    <span class="count" role="status">${t("inbox.select.count", { n: conversations.length })}</span>
    <${Button} kind="quiet" small onClick=${all}>${t("inbox.select.all")}<//>
    <${Button} kind="quiet" icon="check-check" label=${t("inbox.markRead")} busy=${busy === "read"} disabled=${nothing} onClick=${() => act("read", () => markRead(conversations, list))} />
    <${Button} kind="quiet" icon=${isArchive ? "archive-restore" : "archive"} label=${t(isArchive ? "inbox.unarchive" : "inbox.archive")} busy=${busy === "archive"} disabled=${nothing}
      onClick=${() => act("archive", () => archive(conversations, !isArchive, list))} />
  </header>`;
}
