// List what a person should look at, the worst first, with the one thing to do about it.

import { html, useState } from "../../lib.js";
import { sentence, api } from "../../api.js";
import { BASE } from "../../config.js";
import { t } from "../../i18n/index.js";
import { Age, Button, Chip, Dialog, Icon, Skeleton, toast } from "../../ui/index.js";
import { Reconnect } from "./Reconnect.js";
import { causeOf, FLEET, word } from "./words.js";

const SHOWN = 6;
const KINDS = ["capacity", "orphans"];
const STOPPABLE = new Set(["server_filling"]); // a full one takes no new lines anyway
const RECONNECTABLE = new Set(["lines_disconnected"]);
const endpointsOf = ({ subject }) =>
  subject === FLEET ? ["own_endpoints", `~${BASE}/integrations`] : ["endpoints", `/endpoints?tenant=${encodeURIComponent(subject)}`];
const LINKS = {
  server_down: ({ subject }) => ["server_lines", `/instances?server=${encodeURIComponent(subject)}`],
  server_key_refused: ({ subject }) => ["server_lines", `/instances?server=${encodeURIComponent(subject)}`],
  server_not_licensed: ({ subject }) => ["server_lines", `/instances?server=${encodeURIComponent(subject)}`],
  server_full: () => ["reclaim", "/review"],
  server_filling: () => ["reclaim", "/review"],
  lines_disconnected: ({ subject }) => ["tenant_lines", `/instances?tenant=${encodeURIComponent(subject)}&state=off`],
  lines_banned: ({ subject }) => ["tenant_lines", `/instances?tenant=${encodeURIComponent(subject)}&state=off`],
  sweep_braked: () => ["review", "/review"],
  sweep_overdue: () => ["runs", "/history"],
  approval_awaited: () => ["review", "/review"],
  violations: () => ["report", "/report"],
  wrong_number: ({ subject }) => ["tenant_lines", `/instances?tenant=${encodeURIComponent(subject)}`],
  endpoints_failed: endpointsOf,
  endpoints_late: endpointsOf,
  messages_may_be_lost: ({ subject }) => ["server_lines", `/instances?server=${encodeURIComponent(subject)}`],
};

/** Show the troubles; `fleet` is undefined while it is loading. */
export function Attention({ fleet, reload }) {
  const [all, showAll] = useState(false);
  if (!fleet) return html`<section class="card fleet-attention" aria-busy="true"><div class="fleet-calm"><${Skeleton} width="60%" height="2.5rem" /></div></section>`;
  const troubles = fleet.attention;
  if (!troubles.length) return html`<${Calm} sweeps=${fleet.sweeps} />`;
  const worst = troubles[0].severity;
  const rest = troubles.length - SHOWN;
  return html`<section class=${`card fleet-attention ${worst}`} aria-labelledby="fleet-attention">
    <h2 id="fleet-attention"><${Icon} name="triangle-alert" />${t("fleet.attention.title")}<span class="fleet-count">${troubles.length}</span></h2>
    <${AsOf} sweeps=${fleet.sweeps} />
    <ul role="list">${(all ? troubles : troubles.slice(0, SHOWN)).map(
      (trouble) => html`<${Trouble} key=${trouble.cause + trouble.subject} trouble=${trouble} fleet=${fleet} reload=${reload} />`,
    )}</ul>
    ${rest > 0 && html`<p class="fleet-more"><${Button} kind="quiet" small aria-expanded=${String(all)} onClick=${() => showAll(!all)}>
      ${all ? t("fleet.attention.fewer") : t("fleet.attention.more", { n: rest })}<//></p>`}
  </section>`;
}

/** Show that nothing is wrong, or that no sweep has ended yet: only sweeps find troubles. */
function Calm({ sweeps }) {
  const unknown = !sweeps.some((run) => run.ended_at);
  return html`<section class=${`card fleet-attention${unknown ? "" : " calm"}`}><div class="fleet-calm"><${Icon} name=${unknown ? "clock" : "circle-check"} />
    <div><h2>${t(unknown ? "fleet.attention.unknown" : "fleet.attention.calm")}</h2>
      <p class="muted">${t(unknown ? "fleet.attention.unknown_text" : "fleet.attention.calm_text")}</p>${!unknown && html`<${AsOf} sweeps=${sweeps} />`}</div>
  </div></section>`;
}

/** Show how old the findings are: every kind of sweep finds troubles of its own. */
function AsOf({ sweeps }) {
  const ended = KINDS.map((kind) => sweeps.find((run) => run.kind === kind && run.ended_at)).filter(Boolean);
  if (!ended.length) return html`<p class="fleet-as-of muted small">${t("fleet.attention.none_ended")}</p>`;
  return html`<p class="fleet-as-of muted small">${t("fleet.attention.as_of")} ${ended.map(
    ({ kind, ended_at: at }, index) => html`${index > 0 && " · "}${word("fleet.kinds", kind)} <${Age} at=${at} />`,
  )}</p>`;
}

function Trouble({ trouble, fleet, reload }) {
  const critical = trouble.severity === "critical";
  const text = causeOf(trouble, fleet.servers);
  const server = STOPPABLE.has(trouble.cause) && fleet.servers.find((candidate) => candidate.server === trouble.subject);
  return html`<li class=${`fleet-trouble ${trouble.severity}`}>
    <${Chip} tone=${critical ? "bad" : "warn"} icon=${critical ? "circle-alert" : "triangle-alert"}>${word("fleet.attention.severity", trouble.severity)}<//>
    <p><strong>${text}</strong> <span class="muted small nowrap"><${Age} at=${trouble.since} /></span></p>
    <div class="fleet-ways">${RECONNECTABLE.has(trouble.cause) && html`<${Reconnect} tenant=${trouble.subject} about=${text} />`}
      ${server && server.accepting ? html`<${Stop} server=${server} fleet=${fleet} reload=${reload} about=${text} />` : html`<${Way} trouble=${trouble} about=${text} />`}</div>
  </li>`;
}

function Way({ trouble, about }) {
  if (!LINKS[trouble.cause]) return null;
  const [name, to] = LINKS[trouble.cause](trouble);
  const label = t(`fleet.actions.${name}`);
  return html`<${Button} to=${to} label=${`${label}: ${about}`}>${label}<//>`;
}

function Stop({ server, fleet, reload, about }) {
  const placing = usePlacing(server, fleet, reload);
  const label = t("fleet.actions.stop");
  return html`<${Button} icon="pause" busy=${placing.busy} label=${`${label}: ${about}`} onClick=${placing.flip}>${label}<//>${placing.warning}`;
}

/** Let new lines go to a server or not: {busy, flip, warning}. Stopping the last server that takes them is confirmed. */
export function usePlacing(server, fleet, reload) {
  const [busy, setBusy] = useState(false);
  const [warned, warn] = useState(false);
  const place = async () => {
    warn(false);
    setBusy(true);
    await accept(server.server, !server.accepting, reload);
    setBusy(false);
  };
  const flip = () => busy || (isLastPlace(server, fleet.servers) ? warn(true) : place());
  const close = () => warn(false);
  const foot = html`<${Button} onClick=${close}>${t("shell.cancel")}<//><${Button} kind="danger" onClick=${place}>${t("fleet.servers.stop_anyway")}<//>`;
  const warning = warned && html`<${Dialog} title=${t("fleet.servers.last_title", { server: server.server })} onClose=${close} foot=${foot}><p>${t("fleet.servers.last_text")}</p><//>`;
  return { busy, flip, warning };
}

/** Tell whether no other server would take new lines. */
export const isLastPlace = (server, servers) => server.accepting && !servers.some((other) => other.accepting && other.server !== server.server);

async function accept(server, accepting, reload) {
  try {
    await api.put(`fleet/servers/${encodeURIComponent(server)}`, { accepting });
    const undo = { label: t("fleet.servers.undo"), run: () => accept(server, !accepting, reload) };
    toast(t(accepting ? "fleet.servers.resumed" : "fleet.servers.stopped", { server }), { action: undo });
    await reload();
  } catch (error) {
    toast(sentence(error));
  }
}
