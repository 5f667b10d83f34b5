// The page of a link: one line is connected by whoever opens it, who signs in nowhere.

import { html, useEffect, useMemo, useState } from "../lib.js";
import { openly, sentence } from "../api.js";
import { lineName } from "../format.js";
import { speak, t } from "../i18n/index.js";
import { remember, remembered } from "../memory.js";
import { Button, EmptyState, Notice } from "../ui/index.js";
import { Pairing } from "../views/lines/Pairing.js";
import { usePairing } from "../views/lines/pairing.js";
import { stylesheet } from "../views/index.js";
import { Door } from "./Doors.js";

const PATH = "ensure-instance/link";

/** Its words, styles, and the link's token: out of the address at once, kept for this tab only. */
export async function prepare() {
  const token = location.hash.slice(1);
  if (token) {
    remember("link", { token }, "session");
    history.replaceState(null, "", location.pathname);
  }
  await Promise.all([speak("lines"), stylesheet("views/lines/lines.css")]);
}

export function Linked() {
  const [link] = useState(() => remembered("link", "session") ?? {});
  const [going, go] = useState(Boolean(link.session));
  if (!link.token && !link.session)
    return html`<${Door} title=${t("lines.linked.title")}><${EmptyState} level=${1} icon="unlink" tone="warn" title=${t("lines.linked.none.title")} text=${t("lines.linked.none.text")} /><//>`;
  return html`<${Door} title=${t("lines.linked.title")}>
    ${going
      ? html`<${Connecting} link=${link} />`
      : html`<${EmptyState} level=${1} icon="smartphone" title=${t("lines.linked.title")} text=${t("lines.linked.welcome")}>
          <${Button} kind="primary" icon="qr-code" onClick=${() => go(true)}>${t("lines.linked.go")}<//><//>`}
  <//>`;
}

function Connecting({ link }) {
  const source = useMemo(() => sessionOf(link), []);
  const pairing = usePairing(source);
  const gone = ["link-used", "link-expired", "link-unknown", "line-unknown"].includes(pairing.error?.problem);
  useEffect(() => {
    if (gone || pairing.step === "open") remember("link", null, "session");
  }, [gone, pairing.step]);
  if (gone)
    return html`<${EmptyState} level=${1} icon="unlink" tone="bad" title=${t("lines.linked.failed")} text=${sentence(pairing.error)} />`;
  const label = pairing.line ? lineName(pairing.line) : "";
  return html`<div class="linked"><h1>${t("lines.linked.title")}</h1>
    <div class="card"><div class="inside">
      ${label && html`<p class="muted">${t("lines.linked.line", { label })}</p>`}
      <${Pairing} pairing=${pairing} label=${label} first=${onPhone() ? "code" : "qr"} />
      ${pairing.step === "open" && html`<${Notice} tone="good">${t("lines.linked.over")}<//>`}
    </div></div></div>`;
}

/** A phone can't scan what it shows itself. */
const onPhone = () => matchMedia("(pointer: coarse)").matches;

/** The link opens a session, and the session asks on; a page that is loaded again goes on with it. */
function sessionOf({ token, session }) {
  let known = session;
  const ask = async (more) => {
    const { data } = await openly(PATH, { ...(known ? { session: known } : { link: token }), ...more });
    known = data.session;
    remember("link", { session: known }, "session");
    return data;
  };
  return { ensure: (number) => ask(number ? { number } : {}), look: () => ask({ look: true }) };
}
