// Filter the conversations: a search, and one row of choices.

import { html, useEffect, useId } from "../../lib.js";
import { formatNumber, lineName } from "../../format.js";
import { t } from "../../i18n/index.js";
import { fallenLines } from "../../lines.js";
import { usePulse } from "../../pace.js";
import { Search } from "../../ui/index.js";
import { desk, loadDesk } from "./desk.js";

const DESK_MS = 5 * 60_000;

/** `set(name, value)` changes one filter in the address; a falsy value removes it. */
export function Filters({ filters, lines, set }) {
  useEffect(() => void loadDesk().catch(() => undefined), []);
  usePulse(loadDesk, DESK_MS);
  return html`<div role="search" aria-label=${t("inbox.filters")}>
    <${Search} label=${t("inbox.search")} value=${filters.search ?? ""} delay=${300} maxlength="60" onInput=${(value) => set("search", value.trim())} />
    <div class="choices">
      ${(lines?.length > 1 || filters.line) && html`<${Choose} label=${t("inbox.line")} all=${t("inbox.allLines")} value=${filters.line} options=${lineOptions(lines, filters.line)} onChange=${(value) => set("line", value)} />`}
      <${Toggle} on=${filters.unread} onToggle=${(on) => set("unread", on && "true")}>${t("inbox.unreadOnly")}<//>
      <${ChooseName} label=${t("inbox.label")} all=${t("inbox.allLabels")} value=${filters.label} names=${desk.value?.labels} onChange=${(value) => set("label", value)} />
      <${ChooseName} label=${t("inbox.assignee")} all=${t("inbox.allAssignees")} value=${filters.assignee} names=${desk.value?.assignees} onChange=${(value) => set("assignee", value)} />
      <${Toggle} on=${filters.archived} onToggle=${(on) => set("archived", on && "true")}>${t("inbox.archivedOnly")}<//>
      <${Toggle} on=${filters.from_ad} onToggle=${(on) => set("from_ad", on && "true")}>${t("inbox.fromAdOnly")}<//>
    </div>
  </div>`;
}

const Toggle = ({ on, onToggle, children }) =>
  html`<button type="button" class="toggle" aria-pressed=${String(Boolean(on))} onClick=${() => onToggle(!on)}>${children}</button>`;

/** Choose one of several, or all: [[value, words]]. It looks like a toggle. */
function Choose({ label, all, value, options, onChange }) {
  const id = useId();
  return html`<span class="choose"><label class="unseen" for=${id}>${label}</label>
    <select id=${id} class=${`toggle${value ? " on" : ""}`} value=${value ?? ""} onChange=${(event) => onChange(event.currentTarget.value)}>
      <option value="" selected=${!value}>${all}</option>
      ${options.map(([key, words]) => html`<option value=${key} selected=${key === value}>${words}</option>`)}
    </select></span>`;
}

/** Choose one of the names that are in use; nothing while there are none. */
function ChooseName({ value, names = [], ...rest }) {
  const offered = value && !names.includes(value) ? [...names, value] : names;
  return offered.length > 0 && html`<${Choose} value=${value} options=${offered.map((name) => [name, name])} ...${rest} />`;
}

function lineOptions(lines, current) {
  const fallen = new Set(fallenLines.value.map(({ line }) => line));
  const options = (lines ?? []).map((line) => {
    const words = [lineName(line), formatNumber(line.number), fallen.has(line.line) && t("inbox.fallen.mark")];
    return [line.line, words.filter(Boolean).join(" · ")];
  });
  return current && !options.some(([line]) => line === current) ? [...options, [current, current]] : options;
}
