// Say which lines fell, since when, and lead to where they are connected again: one banner for all.

import { BASE } from "../../config.js";
import { html } from "../../lib.js";
import { formatSince, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { fallenLines } from "../../lines.js";
import { Button, Icon } from "../../ui/index.js";

const NAMED = 2;

export function Fallen() {
  const fallen = fallenLines.value;
  if (!fallen.length) return null;
  return html`<div class="fallen" role="status"><${Icon} name="unplug" />
    <p>${tell(fallen)}</p>
    <${Button} small to=${`~${BASE}${placeToReconnect(fallen)}`}>${t(fallen.length > 1 ? "inbox.fallen.lines" : "inbox.fallen.reconnect")}<//></div>`;
}

function tell(fallen) {
  if (fallen.length === 1) return t("inbox.fallen.one", { line: lineName(fallen[0]), since: formatSince(fallen[0].since) });
  const names = fallen.slice(0, NAMED).map(lineName).join(", ");
  const rest = fallen.length - NAMED;
  return t(rest > 0 ? "inbox.fallen.many" : "inbox.fallen.several", { n: fallen.length, names, rest, since: formatSince(fallen[0].since) });
}

/** Return the address where the lines are connected again; a code doesn't help a number that is in use elsewhere, or banned. */
export function placeToReconnect([line, ...others]) {
  const needsMore = others.length > 0 || line.state === "conflict" || line.reason === "banned";
  return needsMore ? "/lines" : `/lines/${line.line}/connect`;
}
