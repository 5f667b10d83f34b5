import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { EmptyState, View } from "../../ui/index.js";

export default function Fleet() {
  return html`<${View} title=${t("fleet.title")}>
    <${EmptyState} icon="layout-dashboard" title=${t("fleet.empty.title")} text=${t("fleet.empty.text")} />
  <//>`;
}
