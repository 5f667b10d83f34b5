// Show operators the fleet. What its parts share is fetched once, here.

import { html, useEffect, useRef } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { Link, Redirect, Route, Switch, useLocation } from "../../router.js";
import { View } from "../../ui/index.js";
import { Lazily } from "../Lazily.js";
import { Overview } from "./Overview.js";

const EVERY_MS = 30_000;
const OTHERS = { name: "fleet-others", words: ["review", "operator"], styles: [], load: () => import("./others.js") };
const PLACES = [
  ["overview", "/"],
  ["instances", "/instances"],
  ["clients", "/clients"],
  ["endpoints", "/endpoints"],
  ["review", "/review"],
  ["report", "/report"],
  ["letters", "/letters"],
  ["history", "/history"],
  ["audit", "/audit"],
];

export default function Fleet() {
  const fleet = useGet("fleet", { every: EVERY_MS });
  const part = (name) => html`<${View} title=${t(name === "overview" ? "fleet.title" : `fleet.places.${name}`)}>
    <${Places} awaiting=${fleet.data?.awaiting_approval} violations=${fleet.data?.invariants?.count} />
    ${name === "overview" ? html`<${Overview} fleet=${fleet} />` : html`<${Lazily} key=${name} view=${OTHERS} name=${name} fleet=${fleet} />`}
  <//>`;
  return html`<${Switch}>
    ${PLACES.map(([name, path]) => html`<${Route} path=${path}>${part(name)}<//>`)}
    <${Route}><${Redirect} to="/" replace /><//>
  <//>`;
}

function Places({ awaiting, violations }) {
  const [location] = useLocation();
  const place = useRef(null);
  useEffect(() => {
    const [row, here] = [place.current, place.current.querySelector("[aria-current]")].map((element) => element?.getBoundingClientRect());
    if (here) place.current.scrollLeft += here.left + here.width / 2 - (row.left + row.width / 2);
  }, [location, awaiting, violations]); // the counts make the row longer
  const counted = { review: awaiting, report: violations };
  return html`<nav class="fleet-places" ref=${place} aria-label=${t("fleet.places.label")}><ul role="list">
    ${PLACES.map(
      ([name, path]) => html`<li><${Link} to=${path} aria-current=${location === path ? "page" : undefined}>
        ${t(`fleet.places.${name}`)}${counted[name] ? html`<span class="fleet-count">${counted[name]}</span>` : null}
      <//></li>`,
    )}
  </ul></nav>`;
}
