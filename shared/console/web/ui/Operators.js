import { html } from "../lib.js";
import { BASE } from "../config.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";
import { EmptyState } from "./States.js";

/** Point an operator, who has no lines of their own, to the fleet. */
export const OperatorsEmpty = ({ icon, title, children }) => html`<${EmptyState} icon=${icon} title=${title} text=${t("shell.operators.text")}>
  <${Button} kind="primary" icon="layout-dashboard" to=${`~${BASE}/fleet`}>${t("shell.operators.go")}<//>${children}
<//>`;

/** Tell whether a call failed because the token names no tenant. */
export const ofNoTenant = (error) => error?.problem === "tenant-unusable";
