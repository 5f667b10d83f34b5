// Watch over the tenant's lines and conversations wherever the person is, and tell them, also when they are elsewhere.

import { effect, useEffect } from "../lib.js";
import { chime, chooseNews, alerts, isWatched, notify } from "../alerts.js";
import { straight } from "../direction.js";
import { formatNumber } from "../format.js";
import { t } from "../i18n/index.js";
import { fallenLines, forgetLines, lines, loadLines } from "../lines.js";
import { recall, remember } from "../memory.js";
import { isTenantless, onNews, unread, useNews } from "../news.js";
import { usePulse } from "../pace.js";
import { useLocation } from "../router.js";
import { isOperator, session, tenantName } from "../session.js";
import { tellTab } from "../title.js";

const LINES_MS = 30_000;

/** Keep the lines and the news fresh, and tell the tab, the desktop and the ear of them. */
export function useWatch() {
  const [place, go] = useLocation();
  const who = session.value.state === "in" && tenantName() ? `${session.value.claims.sub} ${tenantName()}` : null;
  const isOnlyOperator = isOperator() && lines.value.data?.lines.length === 0;
  const look = () => (who === null || isTenantless.value ? undefined : loadLines());
  useNews(isOnlyOperator ? null : who);
  usePulse(look, LINES_MS, who, { hidden: true });
  useEffect(forgetLines, [who]);
  useEffect(() => void Promise.resolve(look()).catch(() => {}), [who, roomOf(place)]); // a line may have been connected there
  useEffect(() => effect(() => tellTab({ unread: unread.value.total, fallen: fallenLines.value.length })), []);
  useEffect(() => onNews((news) => tell(news, go)), []);
}

/** Return the part of an address after which lines may be other than before: all conversations are one. */
const roomOf = (place) => place.replace(/^\/conversations.*/, "/conversations");

/** Tell of news that nobody sees, once in all tabs of this browser. */
function tell({ conversations, since }, go) {
  if (isWatched()) return;
  const news = chooseNews(conversations, Math.max(since, recall("told") ?? 0), alerts.value.muted);
  if (!news.length) return;
  remember("told", news[0].last_at);
  chime();
  const [{ id, contact, last }] = news;
  const name = straight(contact.name) || (contact.number && formatNumber(contact.number)) || t("shell.alerts.unknown");
  if (news.length > 1) notify({ title: t("shell.alerts.several", { n: news.length }), body: name, tag: "news", onClick: () => go("/conversations") });
  else notify({ title: name, body: straight(last?.text) || t("shell.alerts.message"), tag: id, onClick: () => go(`/conversations/${encodeURIComponent(id)}`) });
}
