// Show how full the fleet was, day by day. The chart's library is loaded only when it is shown.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { formatCount, formatDate } from "../../format.js";
import { locale, t } from "../../i18n/index.js";
import { useGet } from "../../resource.js";
import { theme } from "../../theme.js";
import { EmptyState, ErrorState, Skeleton } from "../../ui/index.js";
import { loadStylesheet } from "../index.js";
import { forecastOf, signed } from "./words.js";

const DAYS = 60;
const EPOCH = 719_163; // 1970-01-01, in days since the year 1
const ENOUGH = 7; // days, for a forecast
const HEIGHT = 190;
const NEAR = 0.5; // draw the limit from this share of it on; else the days would be a flat line

/** Sum the servers into one row a day: {at, used, open, limit}. */
const sumDays = (days) =>
  days.map(({ day, used, open, limit }) => ({ at: (day - EPOCH) * 86_400, used: sum(used), open: sum(open), limit: sum(limit) }));
const sum = (counts) => Object.values(counts ?? {}).reduce((all, n) => all + n, 0);
const dateOf = (row) => formatDate(new Date((row.at + 43_200) * 1000));

export function Trend({ fleet }) {
  const { data, error, reload } = useGet("fleet/days", { query: { days: DAYS } });
  if (!data) return error ? html`<${ErrorState} error=${error} onRetry=${reload} />` : html`<div class="fleet-chart" aria-busy="true"><${Skeleton} height="12rem" /></div>`;
  const rows = sumDays(data.days);
  if (!rows.length) return html`<${EmptyState} level=${3} icon="chart-line" title=${t("fleet.trend.none")} text=${t("fleet.trend.none_text")} />`;
  const last = rows.at(-1);
  const text = t("fleet.trend.chart", { from: dateOf(rows[0]), to: dateOf(last), used: last.used, open: last.open, limit: last.limit });
  const withLimit = rows.some((row) => row.used >= row.limit * NEAR);
  return html`
    <p class="fleet-pace">${pace(fleet?.trend, rows.length)}</p>
    ${rows.length > 1 && html`<${Chart} rows=${rows} withLimit=${withLimit} label=${text} />`}
    <ul role="list" class="fleet-legend" aria-hidden="true">
      <li><span class="fleet-key used"></span>${t("fleet.trend.used")}</li><li><span class="fleet-key open"></span>${t("fleet.trend.open")}</li>
      ${withLimit && html`<li><span class="fleet-key limit"></span>${t("fleet.trend.limit")}</li>`}
    </ul>
    <details class="fleet-table"><summary>${t("fleet.trend.table")}</summary><div class="table-scroll" tabindex="0" role="region" aria-label=${t("fleet.trend.table")}><table class="table tabular">
      <thead><tr>${["day", "used", "open", "limit"].map((name) => html`<th scope="col">${t(`fleet.trend.${name}`)}</th>`)}</tr></thead>
      <tbody>${[...rows].reverse().map(
        (row) => html`<tr><th scope="row">${dateOf(row)}</th><td>${formatCount(row.used)}</td><td>${formatCount(row.open)}</td><td>${formatCount(row.limit)}</td></tr>`,
      )}</tbody></table></div></details>`;
}

function pace(forecast, days) {
  const trend = forecast?.trend;
  if (!trend) return days < ENOUGH ? t("fleet.trend.short", { n: days }) : t("fleet.forecast.unknown");
  const [sentence, sure] = forecastOf(forecast);
  const text = t("fleet.trend.pace", { a_day: signed(trend.a_day), low: signed(trend.low), high: signed(trend.high) });
  return html`<strong>${sentence}</strong>${sure && ` (${sure})`}. <span class="muted">${text}</span>`;
}

function Chart({ rows, withLimit, label }) {
  const place = useRef(null);
  const [failed, fail] = useState(false);
  const [scheme, setScheme] = useState(0);
  const themeName = theme.value;
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setScheme((n) => n + 1);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  useEffect(() => {
    let chart = null;
    let isDisposed = false;
    const resized = new ResizeObserver(() => chart?.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    Promise.all([import("../../vendor/uplot/uplot.js"), loadStylesheet("vendor/uplot/uplot.css")]).then(
      ([{ default: Plot }]) => {
        if (isDisposed) return;
        chart = drawChart(Plot, place.current, rows, withLimit);
        resized.observe(place.current);
      },
      () => fail(true),
    );
    return () => {
      isDisposed = true;
      resized.disconnect();
      chart?.destroy();
    };
  }, [rows.length, rows.at(-1).used, rows.at(-1).open, withLimit, scheme, themeName, locale()]);
  return html`<div class="fleet-chart" role="img" aria-label=${label} ref=${place}>${failed && html`<p class="muted">${label}</p>`}</div>`;
}

function drawChart(Plot, place, rows, withLimit) {
  const ink = (name) => colour(place, name);
  const day = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", timeZone: "UTC" });
  const axis = { stroke: ink("--ink-2"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const line = (name, label, more) => ({ label, stroke: ink(name), width: 2, points: { show: false }, ...more });
  const series = [{}, line("--busy", "used", { fill: ink("--busy-soft") }), line("--good", "open"), ...(withLimit ? [line("--bad", "limit", { dash: [6, 5], width: 1.5 })] : [])];
  const data = [rows.map((row) => row.at), rows.map((row) => row.used), rows.map((row) => row.open)];
  if (withLimit) data.push(rows.map((row) => row.limit));
  const most = Math.max(...data.slice(1).flat(), 4);
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: [0, most * 1.08] } },
    axes: [
      { ...axis, grid: { show: false }, size: 30, space: 90, values: (_, marks) => marks.map((mark) => day.format(mark * 1000)) },
      { ...axis, size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000], values: (_, marks) => marks.map((mark) => formatCount(mark)) },
    ],
    series,
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
  };
  return new Plot(options, data, place);
}

/** Resolve a custom property to a colour, since a canvas doesn't know var(). */
function colour(place, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
