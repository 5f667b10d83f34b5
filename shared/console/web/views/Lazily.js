// Show a part of the page whose code comes when it is needed first.

import { html, useEffect, useState } from "../lib.js";
import { t } from "../i18n/index.js";
import { Button, EmptyState, SkeletonRows } from "../ui/index.js";
import { loadView } from "./index.js";

const Bare = ({ children }) => children;

/** Load `view` (as VIEWS has them) and render it with the other properties; until then, and if that fails, say so within `frame`. */
export function Lazily({ view, frame: Frame = Bare, ...rest }) {
  const [part, setPart] = useState({});
  const load = () => {
    setPart({});
    loadView(view).then(
      (component) => setPart({ component }),
      (error) => setPart({ error }),
    );
  };
  useEffect(load, [view]);
  if (part.component) return html`<${part.component} ...${rest} />`;
  return html`<${Frame}>${part.error ? html`<${Outdated} onRetry=${load} />` : html`<${SkeletonRows} />`}<//>`;
}

/** Explain a part of the page that didn't load: no network, or a newer console has been deployed. */
const Outdated = ({ onRetry }) => html`<${EmptyState} icon="refresh-cw" tone="warn" title=${t("shell.part.title")} text=${t("shell.part.text")}>
  <${Button} kind="primary" icon="refresh-cw" onClick=${() => (navigator.onLine ? location.reload() : onRetry())}>${t("shell.tryAgain")}<//>
<//>`;
