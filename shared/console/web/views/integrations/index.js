// List where events go: each endpoint with its state, how late it is, and everything that can be done with it.

import { html, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { isOperator } from "../../session.js";
import { Button, EmptyState, ErrorState, Notice, SkeletonRows, View } from "../../ui/index.js";
import { whose } from "./calls.js";
import { Adding, Deleting, Disabling, Replaying, Rotating } from "./dialogs.js";
import { Endpoint } from "./Endpoint.js";

const EVERY_MS = 10_000;
const DIALOGS = { add: Adding, rotate: Rotating, disable: Disabling, replay: Replaying, delete: Deleting };

export default function Integrations() {
  const { data, error, loading, reload } = useGet("endpoints", { query: whose(), every: EVERY_MS });
  const [dialog, setDialog] = useState(null);
  const Open = dialog && DIALOGS[dialog.kind];
  const endpoints = data?.endpoints ?? [];
  const isFull = data && endpoints.length >= data.most;
  const add = (kind) => html`<${Button} kind=${kind} icon="plus" disabled=${isFull ? t("integrations.full", { n: data.most }) : false}
    onClick=${() => setDialog({ kind: "add" })}>${t("integrations.add.action")}<//>`;
  return html`<${View} title=${t("integrations.title")} actions=${endpoints.length > 0 && add("")}>
    ${error && data && html`<${Notice} tone="warn">${sentence(error)}<//>`}
    ${data
      ? endpoints.length
        ? html`<p class="integrations-lead muted">${t(isOperator() ? "integrations.leadEverybody" : "integrations.lead")}</p>
            <ul class="integrations-list" role="list">${endpoints.map(
              (endpoint) => html`<${Endpoint} key=${endpoint.id} endpoint=${endpoint} open=${(kind) => setDialog({ kind, endpoint })} reload=${reload} />`,
            )}</ul>`
        : html`<${EmptyState} icon="plug" title=${t("integrations.empty.title")}
            text=${t(isOperator() ? "integrations.empty.textEverybody" : "integrations.empty.text")}>${add("primary")}<//>`
      : error
        ? html`<${ErrorState} error=${error} onRetry=${reload} />`
        : loading && html`<${SkeletonRows} rows=${2} height="9rem" />`}
    ${Open && html`<${Open} endpoint=${dialog.endpoint} reload=${reload} onClose=${() => setDialog(null)} />`}
  <//>`;
}
