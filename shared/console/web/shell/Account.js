// Show who is signed in, the language, the theme, and the way out.

import { html, useEffect, useRef } from "../lib.js";
import { initials } from "../format.js";
import { chooseLanguage, language, t } from "../i18n/index.js";
import { isOperator, session, signOut, tenantName } from "../session.js";
import { chooseTheme, theme, THEMES } from "../theme.js";
import { Button, Choice } from "../ui/index.js";
import { isChoosing } from "./Alerts.js";

export function Account() {
  const ref = useRef(null);
  useEffect(() => {
    const away = (event) => {
      if (event.type === "keydown" ? event.key === "Escape" : !ref.current.contains(event.target)) ref.current.open = false;
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", away);
    };
  }, []);
  const { claims = {} } = session.value;
  const name = claims.name || claims.email || claims.sub || "";
  return html`<details class="who" ref=${ref}>
    <summary>
      <span class="unseen">${t("shell.account.yours")}</span>
      <span class="face" aria-hidden="true">${initials(name)}</span>
      <span class="names"><strong class="cut">${name}</strong>
        <span class="tenant muted small cut">${isOperator() ? t("shell.account.operator") : tenantName()}</span></span>
    </summary>
    <div class="panel">
      <${Preferences} />
      <${Button} icon="bell" wide onClick=${() => (isChoosing.value = true)}>${t("shell.alerts.title")}<//>
      <${Button} icon="log-out" wide onClick=${signOut}>${t("shell.account.leave")}<//>
    </div>
  </details>`;
}

export const Preferences = () => html`<div><span class="label">${t("shell.language")}</span><${Languages} /></div>
  <div><span class="label">${t("shell.theme.label")}</span><${Themes} /></div>`;

export const Languages = () => html`<${Choice} label=${t("shell.language")} chosen=${language.value} onChoose=${chooseLanguage}
  options=${[{ id: "pt", label: "Português" }, { id: "en", label: "English" }]} />`;

export const Themes = () => html`<${Choice} label=${t("shell.theme.label")} chosen=${theme.value} onChoose=${chooseTheme}
  options=${THEMES.map((id) => ({ id, label: t(`shell.theme.${id}`) }))} />`;
