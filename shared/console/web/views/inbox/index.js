// Show the conversations of all lines: the list, and beside it (on a phone: over it) the open one.

import { html, useCallback, useEffect, useMemo, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Redirect, Route, Switch, useLocation, useSearchParams } from "../../router.js";
import { EmptyState, View } from "../../ui/index.js";
import { useConversations } from "./conversations.js";
import { List } from "./List.js";
import { Thread } from "./Thread.js";

/** Decode a part of an address; a malformed one becomes the id of no conversation. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "-";
  }
}

const LINES_MS = 15_000;

export default function Inbox() {
  const [params] = useSearchParams();
  const filters = useMemo(() => filtersIn(params), [params.toString()]);
  const list = useConversations(filters);
  const lines = useGet("instances", { every: LINES_MS });
  const [reading, read] = useState(null);
  const [place, go] = useLocation();
  const chosen = /^\/([^/?]+)$/.exec(place)?.[1];
  const id = chosen && decode(chosen);
  const query = params.toString();
  const leave = useCallback(() => {
    const row = document.querySelector(".inbox .row[aria-current]");
    go(query ? `/?${query}` : "/");
    row?.focus();
  }, [query]);

  const unread = list.items.reduce((sum, item) => sum + (item.id === reading ? 0 : item.unread), 0);
  const title = unread ? t("inbox.titleUnread", { n: unread }) : t("inbox.title");
  const summary = list.items.find((item) => item.id === id);

  useEffect(() => {
    if (!id) read(null);
  }, [id]);

  return html`<${View} title=${title} full>
    <div class=${`inbox${id ? " open" : ""}`}>
      <${List} list=${list} filters=${filters} lines=${lines.data?.lines} chosen=${id} reading=${reading} />
      <${Switch}>
        <${Route} path="/:id">
          ${() => html`<${Thread} key=${id} id=${id} summary=${summary} lines=${lines} onPatch=${list.patch} onReload=${list.reload} onReading=${read} onLeave=${leave} />`}
        <//>
        <${Route} path="/"><section class="thread none"><${EmptyState} icon="messages-square" title=${t("inbox.unselected.title")} text=${t("inbox.unselected.text")} /></section><//>
        <${Route}><${Redirect} to="/" replace /><//>
      <//>
    </div>
  <//>`;
}

function filtersIn(params) {
  const filters = {};
  if (/^[a-z0-9-]{1,32}$/.test(params.get("line") ?? "")) filters.line = params.get("line");
  if (params.get("unread") === "true") filters.unread = "true";
  if (params.get("archived") === "true") filters.archived = "true";
  if (params.get("from_ad") === "true") filters.from_ad = "true";
  const search = (params.get("search") ?? "").trim().slice(0, 60);
  if (search) filters.search = search;
  return filters;
}
