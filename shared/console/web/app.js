// Start the console.

import { html, render, signal, useErrorBoundary } from "./lib.js";
import { BASE, deployment } from "./config.js";
import { locale, speak, t } from "./i18n/index.js";
import { Router } from "./router.js";
import { session, start } from "./session.js";
import { SignIn, Unconfigured, Unreachable } from "./shell/Doors.js";
import { Shell } from "./shell/Shell.js";
import { Button, EmptyState } from "./ui/index.js";

const reachable = signal(true);
const linkPage = signal(null);

const linked = [`${BASE}/connect`, `${BASE}/connect/`].includes(location.pathname);
if (linked) addEventListener("hashchange", () => location.reload());

async function begin() {
  reachable.value = true;
  try {
    if (linked) {
      const [{ Linked, prepare }] = await Promise.all([import("./shell/Linked.js"), deployment()]);
      await prepare();
      linkPage.value = Linked;
      return;
    }
    const back = await start();
    if (back) history.replaceState(null, "", BASE + back);
  } catch {
    reachable.value = false;
  }
}

function App() {
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  if (broken) return html`<${Broken} onRetry=${reset} />`;
  if (!reachable.value) return html`<${Unreachable} onRetry=${begin} />`;
  if (linked) return linkPage.value && html`<${linkPage.value} />`;
  switch (session.value.state) {
    case "starting":
      return null;
    case "unconfigured":
      return html`<${Unconfigured} />`;
    case "out":
    case "failed":
      return html`<${SignIn} />`;
    default:
      return html`<${Router}><${Shell} /><//>`;
  }
}

const Broken = ({ onRetry }) => html`<main class="door"><${EmptyState} level=${1} tone="bad" icon="triangle-alert" title=${t("shell.broken.title")} text=${t("shell.broken.text")}>
  <${Button} kind="primary" onClick=${() => location.reload()}>${t("shell.broken.reload")}<//><${Button} onClick=${onRetry}>${t("shell.tryAgain")}<//>
<//></main>`;

async function show() {
  await Promise.all([speak("shell"), begin()]);
  const place = document.getElementById("app");
  place.replaceChildren();
  render(html`<${App} />`, place);
}

document.documentElement.lang = locale();
show();
