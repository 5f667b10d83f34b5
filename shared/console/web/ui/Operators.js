import { html } from "../lib.js";
import { BASE } from "../config.js";
import { t } from "../i18n/index.js";
import { Button } from "./Button.js";
import { EmptyState } from "./States.js";

/** What an operator sees where nothing of their own is: what clients have is in the fleet. */
export const OperatorsEmpty = ({ icon, title, children }) => html`<${EmptyState} icon=${icon} title=${title} text=${t("shell.operators.text")}>
  <${Button} kind="primary" icon="layout-dashboard" to=${`~${BASE}/fleet`}>${t("shell.operators.go")}<//>${children}
<//>`;

/** Whether their token names no client at all. */
export const ofNoTenant = (error) => error?.problem === "tenant-unusable";
