// List a tenant's lines with their states, and everything that can be done with one.

import { html, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { recall, remember } from "../../memory.js";
import { useGet } from "../../resource.js";
import { useLocation, useRoute } from "../../router.js";
import { isOperator } from "../../session.js";
import { Button, EmptyState, ErrorState, Notice, ofNoTenant, OperatorsEmpty, SkeletonRows, View } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { chooseId } from "./changes.js";
import { ConnectSheet } from "./ConnectSheet.js";
import { Deleting, Disconnecting, LeavingWithoutMedia, Linking, Naming, Releasing, Renaming } from "./dialogs.js";
import { Line } from "./Line.js";

const EVERY_MS = 10_000;
const ACTIVITY_MS = 60_000;

export default function Lines() {
  const { data, error, loading, reload } = useGet("instances", { every: EVERY_MS });
  const activity = useGet("instances", { query: { activity: true }, every: ACTIVITY_MS });
  const [dialog, setDialog] = useState(null);
  const [connecting, params] = useRoute("/:line/connect");
  const [, go] = useLocation();
  const [labels, keepLabel] = useLabels();
  const lines = joinActivity(data?.lines ?? [], activity.data?.lines ?? []);
  const room = data ? lines.length < data.max_lines : false;
  const connect = (line) => {
    setDialog(null);
    go(`/${line}/connect`);
  };
  const begin = (label) => {
    const ids = lines.map((existing) => existing.line);
    const line = ids.includes("default") ? chooseId(label, ids) : "default";
    keepLabel(line, label);
    connect(line);
  };
  const actions = data && lines.length > 0 && html`<${Button} icon="plus" disabled=${room ? false : t("lines.new.full", { n: data.max_lines })}
    onClick=${() => setDialog({ kind: "new" })}>${t("lines.new.action")}<//>`;
  const known = (line) => line === "default" || labels[line] || lines.some((existing) => existing.line === line);
  return html`<${View} title=${t("lines.title")} actions=${actions}>
    ${error && data && html`<${Notice} tone="warn">${sentence(error)}<//>`}
    ${data
      ? lines.length
        ? html`<ul class="lines" role="list">${lines.map(
            (line) => html`<${Line} key=${line.line} line=${line} ask=${(kind) => setDialog({ kind, line })} connect=${() => connect(line.line)} />`,
          )}</ul>
            ${!room && html`<p class="plan muted small">${t("lines.new.full", { n: data.max_lines })}</p>`}`
        : html`<${First} connect=${() => connect("default")} />`
      : error && isOperator() && ofNoTenant(error)
        ? html`<${OperatorsEmpty} icon="smartphone" title=${t("lines.empty.title")} />`
        : error
          ? html`<${ErrorState} error=${error} onRetry=${reload} />`
          : loading && html`<${SkeletonRows} rows=${2} height="8rem" />`}
    ${dialog && html`<${DIALOGS[dialog.kind]} line=${dialog.line} onClose=${() => setDialog(null)} onNamed=${begin} onWaiting=${reload}
      onDone=${() => (dialog.kind === "release" ? (keepLabel(dialog.line.line, dialog.line.label), connect(dialog.line.line)) : reload())} />`}
    ${connecting && data && known(params.line) && html`<${ConnectSheet} key=${params.line} line=${params.line} label=${labels[params.line]} onChange=${reload}
      onClose=${() => (go(""), reload())} />`}
  <//>`;
}

const DIALOGS = { new: Naming, rename: Renaming, disconnect: Disconnecting, release: Releasing, delete: Deleting, without: LeavingWithoutMedia, link: Linking };

/** Add to each line what went through it; the lines' own poll doesn't ask for it. */
const joinActivity = (lines, activities) =>
  lines.map((line) => {
    const { last_message_at, conversations_today } = activities.find((other) => other.line === line.line) ?? {};
    return { ...line, last_message_at, conversations_today };
  });

/** Keep the names of lines that don't exist yet: a line may fail to be made, and be tried again. */
function useLabels() {
  const [labels, setLabels] = useState(() => recall("labels", "session") ?? {});
  const keepLabel = (line, label) => {
    const all = { ...labels, [line]: label };
    setLabels(all);
    remember("labels", all, "session");
  };
  return [labels, keepLabel];
}

/** Show one thing to do to who has no line yet. */
function First({ connect }) {
  const button = (kind) => html`<${Button} kind=${kind} icon="qr-code" onClick=${connect}>${t("lines.empty.connect")}<//>`;
  if (isOperator()) return html`<${OperatorsEmpty} icon="smartphone" title=${t("lines.empty.title")}>${button("")}<//>`;
  return html`<${EmptyState} icon="smartphone" title=${t("lines.empty.title")} text=${t("lines.empty.text")}>${button("primary")}<//>`;
}
