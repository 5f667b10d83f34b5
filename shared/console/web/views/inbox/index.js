// Show the conversations of all lines: the list, and beside it (on a phone: over it) the open one.

import { html, useCallback, useEffect, useMemo, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { lines as shared, loadLines } from "../../lines.js";
import { Redirect, Route, Switch, useLocation, useSearchParams } from "../../router.js";
import { EmptyState, View } from "../../ui/index.js";
import { archive, markUnread } from "./changes.js";
import { useConversations } from "./conversations.js";
import { List } from "./List.js";
import { NewDialog } from "./NewDialog.js";
import { useShortcuts } from "./shortcuts.js";
import { ShortcutsDialog } from "./ShortcutsDialog.js";
import { Thread } from "./Thread.js";

/** Decode a part of an address; a malformed one becomes the id of no conversation. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "-";
  }
}

export default function Inbox() {
  const [params] = useSearchParams();
  const filters = useMemo(() => filtersIn(params), [params.toString()]);
  const list = useConversations(filters);
  const lines = { ...shared.value, reload: () => loadLines().catch(() => {}) };
  const [reading, read] = useState(null);
  const [selected, select] = useState(null);
  const [dialog, setDialog] = useState(null);
  const [place, go] = useLocation();
  const chosen = /^\/([^/?]+)$/.exec(place)?.[1];
  const id = chosen && decode(chosen);
  const query = params.toString();
  const open = useCallback((other) => go(`/${encodeURIComponent(other)}${query && `?${query}`}`), [query]);
  const leave = useCallback(() => {
    const row = document.querySelector(".inbox .row[aria-current]");
    go(query ? `/?${query}` : "/");
    row?.focus();
  }, [query]);
  const summary = list.items.find((item) => item.id === id);
  const acts = shortcuts({ list, summary, open, leave, setDialog });
  useShortcuts(acts);

  useEffect(() => {
    if (!id) read(null);
  }, [id]);
  useEffect(() => select(null), [JSON.stringify(filters)]);

  return html`<${View} title=${t("inbox.title")} full>
    <div class=${`inbox${id ? " open" : ""}`}>
      <${List} list=${list} filters=${filters} lines=${lines.data?.lines} chosen=${id} reading=${reading} selected=${selected} onSelect=${select} acts=${acts} />
      <${Switch}>
        <${Route} path="/:id">
          ${() => html`<${Thread} key=${id} id=${id} summary=${summary} lines=${lines} onPatch=${list.patch} onReload=${list.reload} onReading=${read} onLeave=${leave} />`}
        <//>
        <${Route} path="/"><section class="thread none"><${EmptyState} icon="messages-square" title=${t("inbox.unselected.title")} text=${t("inbox.unselected.text")} /></section><//>
        <${Route}><${Redirect} to="/" replace /><//>
      <//>
    </div>
    ${dialog === "create" && html`<${NewDialog} lines=${lines.data?.lines} onCreated=${open} onClose=${() => setDialog(null)} />`}
    ${dialog === "help" && html`<${ShortcutsDialog} onClose=${() => setDialog(null)} />`}
  <//>`;
}

/** Return what each shortcut does now; without an open conversation some do nothing. */
function shortcuts({ list, summary, open, leave, setDialog }) {
  const at = list.items.indexOf(summary);
  const step = (by) => {
    const next = list.items[at < 0 && by < 0 ? -1 : at + by];
    if (next) open(next.id);
  };
  return {
    search: () => document.querySelector(".inbox .list input[type=search]")?.focus(),
    next: () => step(1),
    previous: () => step(-1),
    create: () => setDialog("create"),
    help: () => setDialog("help"),
    ...(summary && {
      archive: () => archive([summary], !summary.archived, list),
      unread: () => {
        leave();
        markUnread(summary, list);
      },
    }),
  };
}

function filtersIn(params) {
  const filters = {};
  if (/^[a-z0-9-]{1,32}$/.test(params.get("line") ?? "")) filters.line = params.get("line");
  for (const name of ["unread", "archived", "from_ad"]) if (params.get(name) === "true") filters[name] = "true";
  const search = (params.get("search") ?? "").trim().slice(0, 60);
  if (search) filters.search = search;
  if (params.get("label")) filters.label = params.get("label").slice(0, 40);
  if (params.get("assignee")) filters.assignee = params.get("assignee").slice(0, 80);
  return filters;
}
