// List the shortcuts.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog } from "../../ui/index.js";
import { SHORTCUTS } from "./shortcuts.js";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const MAC_KEYS = { Ctrl: "⌘", Alt: "⌥" };

export const ShortcutsDialog = ({ onClose }) => html`<${Dialog} title=${t("inbox.shortcuts.title")} onClose=${onClose}
  foot=${html`<${Button} kind="primary" onClick=${onClose}>${t("shell.close")}<//>`}>
  <dl class="inbox-keys">${SHORTCUTS.map(
    ({ name, keys }) => html`<div><dt>${t(`inbox.shortcuts.${name}`)}</dt>
      <dd>${keys.map((key) => html`<kbd>${(MAC && MAC_KEYS[key]) || key}</kbd>`)}</dd></div>`,
  )}</dl>
<//>`;
