// Show the pieces that several kinds of messages share: words, places, facts.

import { html } from "../../lib.js";
import { Icon } from "../../ui/index.js";
import { kindWord } from "./words.js";

const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])/;

/** Show a text with its line breaks, and with its web addresses as links. */
export const Words = ({ text }) => html`<p class="words" dir="auto">${text
  .split(ADDRESS)
  .map((part, at) => (at % 2 ? html`<a href=${part} dir="auto" target="_blank" rel="noopener noreferrer nofollow">${part}</a>` : part))}</p>`;

export function Place({ kind, place }) {
  const words = [place?.name, place?.address].filter(Boolean).join(" · ");
  if (!place) return html`<p class="piece"><${Icon} name="map-pin" />${kindWord(kind)}</p>`;
  const at = `${place.latitude},${place.longitude}`;
  return html`<div class="piece"><${Icon} name="map-pin" /><div><strong dir="auto">${words || kindWord(kind)}</strong>
    <p class="small"><a class="tabular" href=${`geo:${at}`}>${at}</a></p></div></div>`;
}

/** Show pairs of a name and a value; pairs without a value aren't shown. */
export function Facts({ facts }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (!known.length) return null;
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}
