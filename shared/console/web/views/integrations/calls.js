// Call the endpoints' function: a tenant's own endpoints, or for operators those of all tenants.

import { api } from "../../api.js";
import { isOperator } from "../../session.js";

/** What every call says about whose endpoints are meant. */
export const whose = () => (isOperator() ? { everybody: "true" } : {});

const one = (id, tail = "") => `endpoints/${id}${tail}`;
const post = async (path, body) => (await api.post(path, body, { query: whose() })).data;

export const create = (wanted) => post("endpoints", wanted);
export const rotate = (id) => post(one(id, "/rotate"));
export const test = (id) => post(one(id, "/test"));
export const replay = (id, span) => post(one(id, "/replay"), span);
export const change = async (id, fields) => (await api.patch(one(id), fields, { query: whose() })).data;
export const remove = (id) => api.delete(one(id), { query: whose() });
