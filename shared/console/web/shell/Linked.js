// Show the page of a pairing link: its holder connects one line without signing in.

import { html, useEffect, useMemo, useState } from "../lib.js";
import { postWithoutSession, sentence } from "../api.js";
import { brand } from "../config.js";
import { lineName } from "../format.js";
import { speak, t } from "../i18n/index.js";
import { remember, recall } from "../memory.js";
import { Button, EmptyState, Icon, Notice } from "../ui/index.js";
import { Pairing } from "../views/lines/Pairing.js";
import { usePairing } from "../views/lines/pairing.js";
import { loadStylesheet } from "../views/index.js";
import { Door, Logo } from "./Doors.js";

const PATH = "ensure-instance/link";

/** Load the page's words and styles, and move the link's token from the address into this tab's storage. */
export async function prepare() {
  const token = location.hash.slice(1);
  if (token) {
    remember("link", { token }, "session");
    history.replaceState(null, "", location.pathname);
  }
  await Promise.all([speak("lines"), loadStylesheet("views/lines/lines.css")]);
}

export function Linked() {
  const [link] = useState(() => recall("link", "session") ?? {});
  const [going, go] = useState(Boolean(link.session));
  if (!link.token && !link.session)
    return html`<${Door} title=${t("lines.linked.title")}><${EmptyState} level=${1} icon="unlink" tone="warn" title=${t("lines.linked.none.title")} text=${t("lines.linked.none.text")} /><//>`;
  return html`<${Door} title=${t("lines.linked.title")}>
    ${going
      ? html`<${Connecting} link=${link} />`
      : html`<${Welcome} go=${() => go(true)} />`}
  <//>`;
}

/** Say who sent the link, and what it is for. */
function Welcome({ go }) {
  const { name, logo, isOurs } = brand();
  const text = isOurs ? t("lines.linked.welcome") : t("lines.linked.welcomeOf", { brand: name });
  return html`<div class="state">${logo ? html`<${Logo} />` : html`<${Icon} name="smartphone" />`}
    ${!isOurs && html`<p class="agency">${name}</p>`}<h1>${t("lines.linked.title")}</h1><p>${text}</p>
    <div class="actions"><${Button} kind="primary" icon="qr-code" onClick=${go}>${t("lines.linked.go")}<//></div></div>`;
}

function Connecting({ link }) {
  const source = useMemo(() => sessionOf(link), []);
  const pairing = usePairing(source);
  const isOver = ["link-used", "link-expired", "link-unknown", "line-unknown"].includes(pairing.error?.problem);
  useEffect(() => {
    if (isOver || pairing.step === "open") remember("link", null, "session");
  }, [isOver, pairing.step]);
  if (isOver)
    return html`<${EmptyState} level=${1} icon="unlink" tone="bad" title=${t("lines.linked.failed")} text=${sentence(pairing.error)} />`;
  const label = pairing.line ? lineName(pairing.line) : "";
  return html`<div class="linked"><header><${Logo} /><div><p class="agency">${brand().name}</p><h1>${t("lines.linked.title")}</h1></div></header>
    <div class="card"><div class="inside">
      ${label && html`<p class="muted">${t("lines.linked.line", { label })}</p>`}
      <${Pairing} pairing=${pairing} label=${label} />
      ${pairing.step === "open" && html`<${Notice} tone="good">${t("lines.linked.over")}<//>`}
    </div></div></div>`;
}

/** Return the source for usePairing: the link opens a session, which a reloaded page goes on with. */
function sessionOf({ token, session }) {
  let current = session;
  const ask = async (more) => {
    const { data } = await postWithoutSession(PATH, { ...(current ? { session: current } : { link: token }), ...more });
    current = data.session;
    remember("link", { session: current }, "session");
    return data;
  };
  return { ensure: (number) => ask(number ? { number } : {}), look: () => ask({ look: true }) };
}
