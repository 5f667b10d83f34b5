// Jump to a date in a conversation.

import { html, useId, useState } from "../../lib.js";
import { sentence } from "../../api.js";
import { now } from "../../clock.js";
import { formatDate } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button, Dialog, Notice } from "../../ui/index.js";

/** Write a moment's day as an input of type date wants it. */
const dayOf = (moment) => {
  const at = new Date(moment);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};

/** Return the first moment of a day here, in epoch ms. */
const startOf = (day) => new Date(`${day}T00:00:00`).getTime();

export function JumpDialog({ messages, onClose }) {
  const [day, choose] = useState(dayOf(now()));
  const [progress, tell] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const field = useId();
  const isBusy = progress !== null;
  const jump = async (event) => {
    event.preventDefault();
    if (!day || isBusy) return;
    setOutcome(null);
    tell(t("conversation.jumpTo.searching"));
    try {
      const reached = await messages.jumpTo(startOf(day), (at) => tell(t("conversation.jumpTo.at", { day: formatDate(at) })));
      if (reached) return onClose();
      setOutcome(t("conversation.jumpTo.far"));
    } catch (error) {
      setOutcome(sentence(error));
    }
    tell(null);
  };
  const foot = html`<${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="primary" busy=${isBusy} onClick=${jump}>${t("conversation.jumpTo.act")}<//>`;
  return html`<${Dialog} title=${t("conversation.jumpTo.title")} onClose=${onClose} foot=${foot}>
    <form class="field" onSubmit=${jump}>
      <label for=${field}>${t("conversation.jumpTo.day")}</label>
      <input id=${field} class="input" type="date" max=${dayOf(now())} value=${day} onInput=${(event) => choose(event.currentTarget.value)} />
      <p class="hint" role="status">${progress}</p>
      ${outcome && html`<${Notice} tone="warn">${outcome}<//>`}
    </form>
  <//>`;
}
