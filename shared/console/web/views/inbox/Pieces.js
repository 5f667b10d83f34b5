// Show the pieces that several kinds of messages share: places, facts.

import { html } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { kindWord } from "./words.js";

/** A map that opens in a browser, and on a phone in its own app. Only followed by a person, never loaded. */
const MAP = "https://www.google.com/maps/search/?api=1&query=";

export function Place({ kind, place }) {
  const words = [place?.name, place?.address].filter(Boolean).join(" · ");
  if (!place) return html`<p class="piece"><${Icon} name="map-pin" />${kindWord(kind)}</p>`;
  const at = `${place.latitude},${place.longitude}`;
  return html`<div class="piece"><${Icon} name="map-pin" /><div><strong dir="auto">${words || kindWord(kind)}</strong>
    <p class="small"><a href=${MAP + encodeURIComponent(at)} title=${at} target="_blank" rel="noopener noreferrer nofollow">${t("conversation.openMap")}</a></p></div></div>`;
}

/** Show pairs of a name and a value; pairs without a value aren't shown. */
export function Facts({ facts }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (!known.length) return null;
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}
