import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { EmptyState, View } from "../../ui/index.js";

export default function Inbox() {
  return html`<${View} title=${t("inbox.title")}>
    <${EmptyState} icon="messages-square" title=${t("inbox.empty.title")} text=${t("inbox.empty.text")} />
  <//>`;
}
