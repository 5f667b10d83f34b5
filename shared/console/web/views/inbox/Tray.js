// Show the files that are about to be sent.

import { html, useEffect, useMemo } from "../../lib.js";
import { straight } from "../../direction.js";
import { formatBytes } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Icon } from "../../ui/index.js";
import { kindOf } from "./attach.js";
import { kindIcon } from "./words.js";

export const Tray = ({ files, onDrop }) => html`<ul role="list" class="tray" aria-label=${t("inbox.composer.attached")}>
  ${files.map((file) => html`<li key=${file} class="above"><${Small} file=${file} /><span class="what"><span class="cut" dir="auto">${straight(file.name)}</span><span class="muted small">${formatBytes(file.size)}</span></span>
    <${Button} small kind="quiet" icon="x" label=${t("inbox.composer.detach", { name: file.name })} onClick=${() => onDrop(file)} /></li>`)}
</ul>`;

function Small({ file }) {
  const url = useMemo(() => (kindOf(file) === "image" ? URL.createObjectURL(file) : null), [file]);
  useEffect(() => () => url && URL.revokeObjectURL(url), [url]);
  return url ? html`<img src=${url} alt="" />` : html`<${Icon} name=${kindIcon(kindOf(file))} />`;
}
