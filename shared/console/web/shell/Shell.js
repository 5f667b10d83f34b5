// The frame around every view: navigation, who is signed in, the connection.

import { html, useEffect, useErrorBoundary, useRef, useState } from "../lib.js";
import { connection, lookAgain } from "../connection.js";
import { t } from "../i18n/index.js";
import { Link, Redirect, Route, Switch, useLocation } from "../router.js";
import { isOperator, session } from "../session.js";
import { Button, EmptyState, Icon, SkeletonRows, Toasts, View } from "../ui/index.js";
import { home, loadView, VIEWS } from "../views/index.js";
import { Account } from "./Account.js";
import { Expired } from "./Doors.js";

const asset = (name) => new URL(`../${name}`, import.meta.url).href;

export function Shell() {
  const main = useRef(null);
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>${t("shell.skip")}</a>
    <main id="main" ref=${main} tabindex="-1"><${Banner} /><${Views} /></main>
    <${Rail} />
    <${Toasts} />
  </div>`;
}

function Views() {
  const [location] = useLocation();
  return html`<${Sound} key=${location.split("/")[1]}><${Chosen} /><//>`;
}

/** What breaks in a view leaves the frame around it whole. */
function Sound({ children }) {
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  if (!broken) return children;
  return html`<${View} title=${t("shell.broken.title")}>
    <${EmptyState} icon="triangle-alert" tone="bad" title=${t("shell.broken.title")} text=${t("shell.broken.text")}>
      <${Button} onClick=${mend}>${t("shell.tryAgain")}<//>
    <//>
  <//>`;
}

function Chosen() {
  if (session.value.state === "expired") return html`<div class="view"><${Expired} /></div>`;
  return html`<${Switch}>
    <${Route} path="/"><${Redirect} to=${home(isOperator())} replace /><//>
    ${mine().map((view) => html`<${Route} path=${view.path} nest><${Lazily} key=${view.name} view=${view} /><//>`)}
    <${Route}><${NotFound} /><//>
  <//>`;
}

const mine = () => VIEWS.filter((view) => !view.operators || isOperator());

function Lazily({ view }) {
  const [found, setFound] = useState({});
  const load = () => {
    setFound({});
    loadView(view).then(
      (component) => setFound({ component }),
      (error) => setFound({ error }),
    );
  };
  useEffect(load, [view]);
  if (found.component) return html`<${found.component} />`;
  return html`<${View} title=${t(`shell.views.${view.name}`)}>
    ${found.error ? html`<${Outdated} onRetry=${load} />` : html`<${SkeletonRows} />`}
  <//>`;
}

/** A part of the page couldn't be had: no network, or a newer console than this page has been deployed. */
const Outdated = ({ onRetry }) => html`<${EmptyState} icon="refresh-cw" tone="warn" title=${t("shell.part.title")} text=${t("shell.part.text")}>
  <${Button} kind="primary" icon="refresh-cw" onClick=${() => (navigator.onLine ? location.reload() : onRetry())}>${t("shell.tryAgain")}<//>
<//>`;

const NotFound = () => html`<${View} title=${t("shell.notFound.title")}>
  <${EmptyState} icon="search-x" title=${t("shell.notFound.title")} text=${t("shell.notFound.text")}>
    <${Button} to="/" kind="primary">${t("shell.notFound.home")}<//>
  <//>
<//>`;

function Rail() {
  const [location] = useLocation();
  return html`<header class="rail">
    <${Link} to="/" class="brand"><img src=${asset("mark.svg")} alt="" width="28" height="28" />Perene<//>
    <nav aria-label=${t("shell.navigation")}><ul role="list">
      ${mine().map((view) => {
        const here = location === view.path || location.startsWith(`${view.path}/`);
        return html`<li><${Link} to=${view.path} class="place" aria-current=${here ? "page" : undefined}>
          <${Icon} name=${view.icon} /><span>${t(`shell.views.${view.name}`)}</span>
        <//></li>`;
      })}
    </ul></nav>
    <div class="end"><${Account} /></div>
  </header>`;
}

function Banner() {
  const state = connection.value;
  return html`<div role="status">${
    state !== "online" &&
    html`<div class="banner"><${Icon} name="wifi-off" /><span>${t(`shell.connection.${state}`)}</span>
      <${Button} small kind="quiet" onClick=${lookAgain}>${t("shell.tryAgain")}<//></div>`
  }</div>`;
}
