// Frame every view: navigation, account, and the state of the connection.

import { html, useCallback, useErrorBoundary, useRef } from "../lib.js";
import { brand } from "../config.js";
import { connection, checkConnection } from "../connection.js";
import { t } from "../i18n/index.js";
import { fallenLines } from "../lines.js";
import { unread } from "../news.js";
import { Link, Redirect, Route, Switch, useLocation } from "../router.js";
import { isOperator, session } from "../session.js";
import { shortCount } from "../title.js";
import { Button, EmptyState, Icon, Toasts, View } from "../ui/index.js";
import { home, VIEWS } from "../views/index.js";
import { Lazily } from "../views/Lazily.js";
import { Account } from "./Account.js";
import { AlertsDialog, AlertsQuestion, isChoosing } from "./Alerts.js";
import { Expired, Logo } from "./Doors.js";
import { useWatch } from "./watch.js";

export function Shell() {
  const main = useRef(null);
  useWatch();
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`<div class="shell">
    <a class="skip" href="#main" onClick=${skip}>${t("shell.skip")}</a>
    <main id="main" ref=${main} tabindex="-1"><${Banner} /><${Views} /></main>
    <${Rail} />
    ${isChoosing.value && html`<${AlertsDialog} />`}
    <${Toasts} />
  </div>`;
}

function Views() {
  const [location] = useLocation();
  return html`<${ErrorBoundary} key=${location.split("/")[1]}><${CurrentView} /><//>`;
}

/** Contain a view that fails to render, so that the frame stays. */
function ErrorBoundary({ children }) {
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  if (!broken) return children;
  return html`<${View} title=${t("shell.broken.title")}>
    <${EmptyState} icon="triangle-alert" tone="bad" title=${t("shell.broken.title")} text=${t("shell.broken.text")}>
      <${Button} onClick=${reset}>${t("shell.tryAgain")}<//>
    <//>
  <//>`;
}

function CurrentView() {
  if (session.value.state === "expired") return html`<div class="view"><${Expired} /></div>`;
  return html`<${Switch}>
    <${Route} path="/"><${Redirect} to=${home(isOperator())} replace /><//>
    ${allowedViews().map((view) => html`<${Route} path=${view.path} nest><${LoadedView} key=${view.name} view=${view} /><//>`)}
    <${Route}><${NotFound} /><//>
  <//>`;
}

const allowedViews = () => VIEWS.filter((view) => !view.operators || isOperator());

/** Load a view on its own page, which has its title already. */
function LoadedView({ view }) {
  const frame = useCallback(({ children }) => html`<${View} title=${t(`shell.views.${view.name}`)}>${children}<//>`, [view]);
  return html`<${Lazily} view=${view} frame=${frame} />`;
}

const NotFound = () => html`<${View} title=${t("shell.notFound.title")}>
  <${EmptyState} icon="search-x" title=${t("shell.notFound.title")} text=${t("shell.notFound.text")}>
    <${Button} to="/" kind="primary">${t("shell.notFound.home")}<//>
  <//>
<//>`;

function Rail() {
  const [location] = useLocation();
  return html`<header class="rail">
    <${Link} to="/" class="brand" title=${brand().name}><${Logo} /><span class="name cut">${brand().name}</span><//>
    <nav aria-label=${t("shell.navigation")}><ul role="list">
      ${allowedViews().map((view) => {
        const here = location === view.path || location.startsWith(`${view.path}/`);
        return html`<li><${Link} to=${view.path} class="place" title=${t(`shell.views.${view.name}`)} aria-current=${here ? "page" : undefined}>
          <${Icon} name=${view.icon} /><span class="name">${t(`shell.views.${view.name}`)}</span><${Badge} view=${view.name} />
        <//></li>`;
      })}
    </ul></nav>
    <div class="end"><${Account} /></div>
  </header>`;
}

/** Show beside a view's name what waits there: unread conversations, or lines that fell. */
function Badge({ view }) {
  const n = { conversations: unread.value.total, lines: fallenLines.value.length }[view];
  if (!n) return null;
  return html`<span class=${`count ${view}`}><span aria-hidden="true">${shortCount(n)}</span><span class="unseen">${t(`shell.badges.${view}`, { n })}</span></span>`;
}

function Banner() {
  const state = connection.value;
  const [location] = useLocation();
  return html`<div role="status">${
    state !== "online" &&
    html`<div class="banner"><${Icon} name="wifi-off" /><span>${t(`shell.connection.${state}`)}</span>
      <${Button} small kind="quiet" onClick=${checkConnection}>${t("shell.tryAgain")}<//></div>`
  }${location.startsWith("/conversations") && html`<${AlertsQuestion} />`}</div>`;
}
