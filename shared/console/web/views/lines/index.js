import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { EmptyState, View } from "../../ui/index.js";

export default function Lines() {
  return html`<${View} title=${t("lines.title")}>
    <${EmptyState} icon="smartphone" title=${t("lines.empty.title")} text=${t("lines.empty.text")} />
  <//>`;
}
