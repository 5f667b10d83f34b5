// Hold what the tenant's people share: labels, people to assign to, quick replies. Fetched when it is needed first.

import { signal } from "../../lib.js";
import { api } from "../../api.js";

const PATH = "conversations/desk";

/** {labels, assignees, replies: [{name, text}], me}, or null until it is loaded. */
export const desk = signal(null);

let loading = null;

/** Load the desk again. Rejects with ApiError. */
export function loadDesk() {
  loading ??= api
    .get(PATH)
    .then(({ data }) => (desk.value = data))
    .finally(() => (loading = null));
  return loading;
}

/** Keep a text under a name, to be written by `/name`. Rejects with ApiError. */
export async function putReply(name, text) {
  const { data } = await api.put(`${PATH}/replies/${encodeURIComponent(name)}`, { text });
  desk.value = data;
}

/** Forget a quick reply. Rejects with ApiError. */
export async function deleteReply(name) {
  await api.delete(`${PATH}/replies/${encodeURIComponent(name)}`);
  desk.value = { ...desk.value, replies: desk.value.replies.filter((reply) => reply.name !== name) };
}

/** Choose the replies for what was typed: "/bo" finds those whose name begins so, then those that have it anywhere. */
export function findReplies(text, replies) {
  const typed = /^\/([a-z0-9_-]*)$/.exec(text)?.[1];
  if (typed === undefined) return null;
  const fitting = replies.filter(({ name }) => name.includes(typed));
  return fitting.sort((one, other) => other.name.startsWith(typed) - one.name.startsWith(typed) || one.name.localeCompare(other.name));
}
