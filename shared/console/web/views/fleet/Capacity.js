// Show how full every server is: a bar, its warnings, and whether new lines may go there.

import { html, useId } from "../../lib.js";
import { formatPercent } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Link } from "../../router.js";
import { Icon, Skeleton } from "../../ui/index.js";
import { usePlacing } from "./Attention.js";
import { forecastOf, moment, share, used } from "./words.js";

const SEGMENTS = ["open", "pairing", "closed", "never_paired", "quarantined"];
const ALWAYS = new Set(["open", "closed"]);
const WARN = 0.8;
const RED = 0.9;

/** List the servers, the fullest first. */
export function Capacity({ fleet, reload }) {
  if (!fleet) return html`<div class="fleet-servers">${[1, 2].map(() => html`<article class="card fleet-server" aria-busy="true">
    <${Skeleton} width="40%" height="1.5rem" /><${Skeleton} height="3.4rem" /><${Skeleton} height="4.5rem" /></article>`)}</div>`;
  const servers = [...fleet.servers].sort((one, other) => share(other) - share(one));
  return html`<ul role="list" class="fleet-servers">${servers.map(
    (server) => html`<li key=${server.server} class=${`card fleet-server ${level(server)}`}><${Server} server=${server} fleet=${fleet} reload=${reload} /></li>`,
  )}</ul>`;
}

const level = (server) => (share(server) >= RED ? "red" : share(server) >= WARN ? "filling" : "");

function Server({ server, fleet, reload }) {
  const { census } = server;
  const [sentence, sure] = forecastOf(server.forecast);
  return html`
    <header><h3><${Icon} name=${server.failed_since ? "server-off" : "server"} /><${Link} to=${`/instances?server=${encodeURIComponent(server.server)}`}
        title=${t("fleet.servers.instances", { server: server.server })}>${server.server}<//></h3>
      <p class="tabular"><strong class="fleet-percent">${formatPercent(share(server))}</strong>
        <span class="muted"> ${t("fleet.servers.slots", { used: used(server), limit: server.limit })}</span></p></header>
    <${Bar} server=${server} />
    <${Warning} server=${server} />
    <ul role="list" class="fleet-facts">
      ${!census && html`<li>${t("fleet.servers.never")}</li>`}
      <li><${Icon} name="chart-line" />${sentence}${sure && html` <span class="muted">(${sure})</span>`}</li>
      ${server.memory_gb != null && html`<li><${Icon} name="gauge" />${t("fleet.servers.memory", { n: server.memory_gb })}</li>`}
    </ul>
    <footer><${Switch} server=${server} fleet=${fleet} reload=${reload} />
      ${census && !server.failed_since && html`<span class="muted small">${t("fleet.as_of", { when: moment(census.at) })}</span>`}</footer>`;
}

/** Draw a server's bar with marks at 80 % and 90 %, its text for screen readers, and a legend. */
function Bar({ server }) {
  const { limit, census } = server;
  const parts = SEGMENTS.map((name) => [name, census?.[name] ?? 0]);
  const occupied = parts.reduce((sum, [, n]) => sum + n, 0);
  parts.push(["reserved", Math.max(server.reserved - occupied, 0)]);
  const slots = used(server);
  const whole = Math.max(limit, slots, 1);
  parts.push(["free", Math.max(limit - slots, 0)]);
  const present = parts.filter(([, n]) => n > 0);
  const words = present.map(([name, n]) => t(`fleet.segments.${name}`, { n }));
  const label = t("fleet.servers.bar", { server: server.server, percent: formatPercent(share(server)), parts: words.join(", ") });
  const at = (mark) => ({ insetInlineStart: `${((mark * limit) / whole) * 100}%` });
  return html`<div class="fleet-capacity">
    <div class="fleet-bar" role="img" aria-label=${label}>
      ${present.map(([name, n]) => html`<span key=${name} class=${`fleet-segment ${name}`} style=${{ flexGrow: n / whole }}></span>`)}
      ${[WARN, RED].map((mark) => html`<span class=${`fleet-mark ${mark === RED ? "red" : ""}`} style=${at(mark)}></span>`)}
    </div>
    <div class="fleet-marks" aria-hidden="true">${[WARN, RED].map((mark) => html`<span style=${at(mark)}>${formatPercent(mark)}</span>`)}</div>
    <ul role="list" class="fleet-legend" aria-hidden="true">${parts.filter(([name, n]) => n > 0 || (census && ALWAYS.has(name))).map(
      ([name, n]) => html`<li><span class=${`fleet-key ${name}`}></span>${t(`fleet.segments.${name}`, { n })}</li>`,
    )}</ul>
  </div>`;
}

function Warning({ server }) {
  const { failed_since: since, census } = server;
  const full = share(server) >= 1 ? "full" : share(server) >= RED ? "red" : share(server) >= WARN ? "filling" : null;
  return html`
    ${since && html`<p class="fleet-warning bad"><${Icon} name="server-off" />${
      census ? t("fleet.servers.down", { since: moment(since), at: moment(census.at) }) : t("fleet.servers.down_blind", { since: moment(since) })
    }</p>`}
    ${full && html`<p class=${`fleet-warning ${full === "filling" ? "warn" : "bad"}`}><${Icon} name="triangle-alert" />${t(`fleet.servers.${full}`)}</p>`}
    ${!server.accepting && html`<p class="fleet-warning warn"><${Icon} name="pause" />${t("fleet.servers.refusing")}</p>`}
    ${census?.foreign ? html`<p class="fleet-warning"><${Icon} name="info" />${t("fleet.servers.foreign", { n: census.foreign })}</p>` : null}`;
}

function Switch({ server, fleet, reload }) {
  const { busy, flip, warning } = usePlacing(server, fleet, reload);
  const id = useId();
  return html`<span class="fleet-switch"><button type="button" role="switch" id=${id} aria-checked=${String(server.accepting)} aria-disabled=${busy ? "true" : undefined}
      aria-label=${t("fleet.servers.accepts", { server: server.server })} onClick=${flip}><span></span></button>
    <label for=${id}>${t("fleet.servers.accepting")}</label>${warning}</span>`;
}
