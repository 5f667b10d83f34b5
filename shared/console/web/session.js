// Sign a person in: OpenID Connect, authorization code with PKCE, at the deployment's issuer.

import { signal } from "./lib.js";
import { BASE, ROOT, deployment } from "./config.js";
import { locale } from "./i18n/index.js";
import { forgetPerson, remember, recall } from "./memory.js";

const EARLY_SECONDS = 30;
const DISCOVERY_MS = 10_000;

/**
 * The session: {state, claims?, error?}. state is "starting", "unconfigured" (missing: variables), "out", "in", "expired",
 * "failed" (error: why signing in didn't work).
 */
export const session = signal({ state: "starting" });

/** Tell whether the person is an operator, by their token; the functions check it again. */
export const isOperator = () => hasClaim(session.value.claims, settings?.operator_claim);
export const tenantName = () => claim(session.value.claims, settings?.tenant_claim ?? "sub");

let settings = null;
let tokens = null;
let refreshing = null;
let alarm = 0;

/** Find the session. Returns the address to show if the browser comes back from signing in. */
export async function start() {
  settings = await deployment();
  if (!settings.sign_in) {
    session.value = { state: "unconfigured", missing: settings.missing };
    return null;
  }
  if (location.pathname === `${BASE}/signed-in`) return finishSignIn();
  await resumeSession();
  return null;
}

/** Resume this tab's session, if it has one. */
async function resumeSession() {
  tokens = recall("tokens", "session");
  if (!tokens) session.value = { state: "out" };
  else if (isValid()) enter();
  else await token().catch(() => session.value.state === "starting" && expire());
}

/** Return a valid token for the functions. Rejects with SessionExpired if there is none any more. */
export async function token() {
  if (tokens && isValid()) return bearer();
  if (!tokens?.refresh) throw expire();
  refreshing ??= refresh().finally(() => (refreshing = null));
  await refreshing;
  return bearer();
}

/** Send the browser to the issuer; it comes back to the current address. */
export async function signIn() {
  const oauth = await library();
  const issuer = await discover(oauth);
  const attempt = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    back: here(),
  };
  remember("asked", attempt, "session");
  const url = new URL(issuer.authorization_endpoint);
  const { client_id, scopes, audience, token: which } = settings.sign_in;
  const query = {
    client_id,
    redirect_uri: redirect(),
    response_type: "code",
    scope: scopes,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: "S256",
    ui_locales: locale(),
    ...(which === "access" ? { audience } : {}),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Remove the session, in every tab and, if the issuer supports it, at the issuer. */
export async function signOut() {
  const hint = tokens?.id;
  forget();
  forgetPerson();
  others?.postMessage("out");
  session.value = { state: "starting" };
  const issuer = await library().then(discover).catch(() => null);
  if (!issuer?.end_session_endpoint) return location.assign(ROOT);
  const url = new URL(issuer.end_session_endpoint);
  url.searchParams.set("client_id", settings.sign_in.client_id);
  url.searchParams.set("post_logout_redirect_uri", ROOT);
  if (hint) url.searchParams.set("id_token_hint", hint);
  return location.assign(url);
}

/** The other tabs of this browser: signing out in one signs out in all. */
const others = typeof BroadcastChannel === "function" ? new BroadcastChannel("perene") : null;
others?.addEventListener("message", () => {
  forget();
  location.assign(ROOT);
});

export class SessionExpired extends Error {}

/** End the session because its token was refused or is too old: the person has to sign in again. */
export function expire() {
  const claims = session.value.claims ?? (tokens ? readClaims() : {});
  forget();
  session.value = { state: "expired", claims };
  return new SessionExpired("expired");
}

async function finishSignIn() {
  const attempt = recall("asked", "session");
  remember("asked", null, "session");
  try {
    if (!attempt) throw new Error("nobody asked");
    const oauth = await library();
    const issuer = await discover(oauth);
    const client = { client_id: settings.sign_in.client_id };
    const answer = oauth.validateAuthResponse(issuer, client, new URL(location.href), attempt.state);
    const response = await oauth.authorizationCodeGrantRequest(
      issuer,
      client,
      oauth.None(),
      answer,
      redirect(),
      attempt.verifier,
      insecure(oauth),
    );
    const grant = await oauth.processAuthorizationCodeResponse(issuer, algorithm(issuer, client), response, {
      expectedNonce: attempt.nonce,
      requireIdToken: true,
    });
    storeTokens(grant);
    enter();
  } catch (error) {
    await resumeSession(); // a forged or stale answer must not end a session
    if (session.value.state !== "in")
      session.value = { state: "failed", error: String(error.error ?? error.code ?? error.message) };
  }
  return attempt?.back ?? "/";
}

async function refresh() {
  const mine = tokens;
  const oauth = await library();
  const client = { client_id: settings.sign_in.client_id };
  const issuer = await discover(oauth);
  const response = await oauth.refreshTokenGrantRequest(
    issuer,
    client,
    oauth.None(),
    tokens.refresh,
    insecure(oauth),
  );
  const grant = await oauth.processRefreshTokenResponse(issuer, algorithm(issuer, client), response).catch(() => null);
  if (tokens !== mine) throw new SessionExpired("left"); // the person signed out meanwhile
  if (!grant) throw expire(); // the issuer answered and refused
  storeTokens(grant);
  enter();
}

function storeTokens(grant) {
  tokens = {
    access: grant.access_token,
    id: grant.id_token ?? tokens?.id,
    refresh: grant.refresh_token ?? tokens?.refresh,
    expires: 0,
  };
  tokens.expires = payload(bearer())?.exp ?? Date.now() / 1000 + (grant.expires_in ?? 300);
  remember("tokens", tokens, "session");
}

function enter() {
  const claims = readClaims();
  const who = `${claims.sub} ${claim(claims, settings.tenant_claim)}`;
  if (recall("who") !== who) forgetPerson(["tokens"]);
  remember("who", who);
  session.value = { state: "in", claims };
  clearTimeout(alarm);
  const remaining = (tokens.expires - EARLY_SECONDS) * 1000 - Date.now();
  alarm = setTimeout(() => token().catch(() => {}), Math.min(remaining, 2 ** 31 - 1));
}

function forget() {
  clearTimeout(alarm);
  tokens = null;
  remember("tokens", null, "session");
}

const readClaims = () => ({ ...payload(tokens.id), ...payload(bearer()) });
const isValid = () => tokens.expires - EARLY_SECONDS > Date.now() / 1000;
const bearer = () => (settings.sign_in.token === "id" ? tokens.id : tokens.access);
const redirect = () => new URL("signed-in", ROOT).href;
const library = () => import("./vendor/oauth4webapi/oauth4webapi.js");

let discovered = null;

async function discover(oauth) {
  discovered ??= ask(oauth).catch((error) => {
    discovered = null;
    throw error;
  });
  return discovered;
}

async function ask(oauth) {
  const issuer = new URL(settings.sign_in.issuer);
  const signal = AbortSignal.timeout(DISCOVERY_MS);
  const response = await oauth.discoveryRequest(issuer, { ...insecure(oauth), signal });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** Allow plain http for an issuer on this machine only. */
function insecure(oauth) {
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(settings.sign_in.issuer).hostname);
  return { [oauth.allowInsecureRequests]: local };
}

/** Choose the ID token's algorithm: the issuer sends it over TLS, so any algorithm that it declares will do. */
function algorithm(issuer, client) {
  const declared = issuer.id_token_signing_alg_values_supported ?? ["RS256"];
  return declared.includes("RS256") ? client : { ...client, id_token_signed_response_alg: declared[0] };
}

function here() {
  const path = location.pathname.slice(BASE.length).replace(/^\/*/, "/");
  return path.startsWith("/signed-in") ? "/" : path + location.search;
}

function payload(jwt) {
  try {
    const part = jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (character) => character.charCodeAt(0))));
  } catch {
    return null;
  }
}

function claim(claims, name) {
  if (!claims || !name) return undefined;
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split(".").reduce((at, key) => at?.[key], claims);
}

function hasClaim(claims, rule) {
  if (!rule) return false;
  const [name, expected] = rule.split(/=(.*)/s);
  const value = claim(claims, name);
  if (expected === undefined) return value === true;
  return Array.isArray(value) ? value.includes(expected) : value === expected;
}
