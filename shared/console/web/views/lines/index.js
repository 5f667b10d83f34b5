// List a tenant's lines with their states, and everything that can be done with one.

import { html, useState } from "../../lib.js";
import { formatDay, formatNumber, lineName } from "../../format.js";
import { has, t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { useLocation, useRoute } from "../../router.js";
import { isOperator } from "../../session.js";
import { Age, Button, EmptyState, ErrorState, Notice, NumberChip, ofNoTenant, OperatorsEmpty, SkeletonRows, StateChip, toast, View } from "../../ui/index.js";
import { sentence } from "../../api.js";
import { chooseId, restart } from "./changes.js";
import { ConnectSheet } from "./ConnectSheet.js";
import { Disconnecting, Linking, Naming, Releasing } from "./dialogs.js";

const EVERY_MS = 10_000;

export default function Lines() {
  const { data, error, loading, reload } = useGet("instances", { every: EVERY_MS });
  const [dialog, setDialog] = useState(null);
  const [connecting, params] = useRoute("/:line/connect");
  const [, go] = useLocation();
  const [labels, setLabels] = useState({});
  const lines = data?.lines ?? [];
  const room = data ? lines.length < data.max_lines : false;
  const close = () => {
    setDialog(null);
    reload();
  };
  const connect = (line) => {
    setDialog(null);
    go(`/${line}/connect`);
  };
  const begin = (label) => {
    const line = lines.some((existing) => existing.line === "default") ? chooseId(label, lines.map((existing) => existing.line)) : "default";
    setLabels({ ...labels, [line]: label });
    connect(line);
  };
  const actions = data && lines.length > 0 && html`<${Button} icon="plus" disabled=${room ? false : t("lines.new.full", { n: data.max_lines })}
    onClick=${() => setDialog({ kind: "new" })}>${t("lines.new.action")}<//>`;
  return html`<${View} title=${t("lines.title")} actions=${actions}>
    ${error && data && html`<${Notice} tone="warn">${sentence(error)}<//>`}
    ${data
      ? lines.length
        ? html`<ul class="lines" role="list">${lines.map((line) => html`<${Line} key=${line.line} line=${line} setDialog=${setDialog} connect=${connect} />`)}</ul>
            ${!room && html`<p class="plan muted small">${t("lines.new.full", { n: data.max_lines })}</p>`}`
        : html`<${Empty} connect=${() => setDialog({ kind: "new" })} />`
      : error && isOperator() && ofNoTenant(error)
        ? html`<${OperatorsEmpty} icon="smartphone" title=${t("lines.empty.title")} />`
      : error
        ? html`<${ErrorState} error=${error} onRetry=${reload} />`
        : loading && html`<${SkeletonRows} rows=${2} height="8rem" />`}
    ${dialog?.kind === "new" && html`<${Naming} onClose=${() => setDialog(null)} onNamed=${begin} />`}
    ${dialog?.kind === "disconnect" && html`<${Disconnecting} line=${dialog.line} onClose=${close} onDone=${reload} />`}
    ${dialog?.kind === "release" && html`<${Releasing} line=${dialog.line} onClose=${() => setDialog(null)}
      onDone=${() => (setLabels({ ...labels, [dialog.line.line]: dialog.line.label }), connect(dialog.line.line))} />`}
    ${dialog?.kind === "link" && html`<${Linking} line=${dialog.line} onClose=${() => setDialog(null)} />`}
    ${connecting && data && (params.line === "default" || labels[params.line] || lines.some((existing) => existing.line === params.line)) && html`<${ConnectSheet} key=${params.line} line=${params.line} label=${labels[params.line]} onChange=${reload}
      onClose=${() => (go(""), reload())} />`}
  <//>`;
}

function Empty({ connect }) {
  const button = (kind) => html`<${Button} kind=${kind} icon="qr-code" onClick=${connect}>${t("lines.connect")}<//>`;
  if (isOperator()) return html`<${OperatorsEmpty} icon="smartphone" title=${t("lines.empty.title")}>${button("")}<//>`;
  return html`<${EmptyState} icon="smartphone" title=${t("lines.empty.title")} text=${t("lines.empty.text")}>${button("primary")}<//>`;
}

function Line({ line, setDialog, connect }) {
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    try {
      await restart(line.line);
      toast(t("lines.restarting", { label: lineName(line) }));
    } catch (failure) {
      toast(sentence(failure));
    }
    setBusy(false);
  };
  const open = line.state === "open";
  const reason = `lines.reasons.${line.state}.${line.reason ?? "none"}`;
  const calm = ["releasing", "creating"].includes(line.state);
  return html`<li class="card line"><div class="inside">
    <div class="who-and-how">
      <h2 dir="auto">${lineName(line)}</h2>
      <${StateChip} state=${line.state}>${t(`lines.states.${line.state}`)}<//>
      <span class="muted small"><${Age} at=${line.since} /></span>
    </div>
    ${line.number
      ? html`<p><${NumberChip} line=${line.line} number=${line.number} /></p>`
      : html`<p class="muted">${t("lines.noNumber")}</p>`}
    ${has(reason) && html`<p class="why">${t(reason, { number: formatNumber(line.number) })}</p>`}
    ${line.restricted_since && html`<${Notice} tone="warn">${t("lines.restricted", { when: formatDay(line.restricted_since) })}<//>`}
    <div class="actions">
      ${!open && line.state !== "conflict" && html`<${Button} kind="primary" icon="qr-code" disabled=${line.state === "releasing" ? t("lines.states.releasing") : false}
        onClick=${() => connect(line.line)}>${t("lines.connect")}<//>
        <${Button} icon="link" onClick=${() => setDialog({ kind: "link", line })}>${t("lines.link.action")}<//>`}
      ${open && html`<${Button} icon="rotate-ccw" busy=${busy} onClick=${again}>${t("lines.restart")}<//>`}
      ${(open || line.state === "conflict") && html`<${Button} icon="unplug" onClick=${() => setDialog({ kind: "disconnect", line })}>${t("lines.disconnect.action")}<//>`}
      ${!calm && html`<${Button} kind="quiet" icon="phone" onClick=${() => setDialog({ kind: "release", line })}>${t("lines.release.action")}<//>`}
    </div>
  </div></li>`;
}
