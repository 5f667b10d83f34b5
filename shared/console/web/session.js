// Who is signed in: OpenID Connect, authorization code with PKCE, at the issuer that the deployment names.

import { signal } from "./lib.js";
import { BASE, ROOT, deployment } from "./config.js";
import { locale } from "./i18n/index.js";
import { forgetPerson, remember, remembered } from "./memory.js";

const EARLY_SECONDS = 30;
const DISCOVERY_MS = 10_000;

/**
 * {state, claims?, error?}: "starting", "unconfigured" (missing: variables), "out", "in", "expired",
 * "failed" (error: why signing in didn't work).
 */
export const session = signal({ state: "starting" });

/** What the person is in the console: their token says so, and the functions check it again. */
export const isOperator = () => holds(session.value.claims, settings?.operator_claim);
export const tenantName = () => claim(session.value.claims, settings?.tenant_claim ?? "sub");

let settings = null;
let tokens = null;
let refreshing = null;
let alarm = 0;

/** The session is known. Returns the address to show, when a sign-in has just come back. */
export async function start() {
  settings = await deployment();
  if (!settings.sign_in) {
    session.value = { state: "unconfigured", missing: settings.missing };
    return null;
  }
  if (location.pathname === `${BASE}/signed-in`) return comeBack();
  await goOn();
  return null;
}

/** The session that this tab had, if it had one. */
async function goOn() {
  tokens = remembered("tokens", "session");
  if (!tokens) session.value = { state: "out" };
  else if (alive()) enter();
  else await token().catch(() => session.value.state === "starting" && expire());
}

/** A token that the functions take. Rejects with SessionExpired when there is none any more. */
export async function token() {
  if (tokens && alive()) return bearer();
  if (!tokens?.refresh) throw expire();
  refreshing ??= refresh().finally(() => (refreshing = null));
  await refreshing;
  return bearer();
}

/** The browser leaves for the issuer, and comes back to this very address. */
export async function signIn() {
  const oauth = await library();
  const issuer = await discover(oauth);
  const asked = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    back: here(),
  };
  remember("asked", asked, "session");
  const url = new URL(issuer.authorization_endpoint);
  const { client_id, scopes, audience, token: which } = settings.sign_in;
  const query = {
    client_id,
    redirect_uri: redirect(),
    response_type: "code",
    scope: scopes,
    state: asked.state,
    nonce: asked.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(asked.verifier),
    code_challenge_method: "S256",
    ui_locales: locale(),
    ...(which === "access" ? { audience } : {}),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Nothing of the session stays here, and the issuer is told where it can be told. */
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

/** Who leaves in one tab has left in all. */
const others = typeof BroadcastChannel === "function" ? new BroadcastChannel("perene") : null;
others?.addEventListener("message", () => {
  forget();
  location.assign(ROOT);
});

export class SessionExpired extends Error {}

/** The functions didn't take the token, or it is too old: the person has to sign in again. */
export function expire() {
  const claims = session.value.claims ?? (tokens ? whose() : {});
  forget();
  session.value = { state: "expired", claims };
  return new SessionExpired("expired");
}

async function comeBack() {
  const asked = remembered("asked", "session");
  remember("asked", null, "session");
  try {
    if (!asked) throw new Error("nobody asked");
    const oauth = await library();
    const issuer = await discover(oauth);
    const client = { client_id: settings.sign_in.client_id };
    const answer = oauth.validateAuthResponse(issuer, client, new URL(location.href), asked.state);
    const response = await oauth.authorizationCodeGrantRequest(
      issuer,
      client,
      oauth.None(),
      answer,
      redirect(),
      asked.verifier,
      insecure(oauth),
    );
    const granted = await oauth.processAuthorizationCodeResponse(issuer, algorithm(issuer, client), response, {
      expectedNonce: asked.nonce,
      requireIdToken: true,
    });
    keep(granted);
    enter();
  } catch (error) {
    await goOn(); // an answer that makes no sense ends nobody's session
    if (session.value.state !== "in")
      session.value = { state: "failed", error: String(error.error ?? error.code ?? error.message) };
  }
  return asked?.back ?? "/";
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
  const granted = await oauth.processRefreshTokenResponse(issuer, algorithm(issuer, client), response).catch(() => null);
  if (tokens !== mine) throw new SessionExpired("left"); // the person signed out meanwhile
  if (!granted) throw expire(); // it answered, and it was a refusal
  keep(granted);
  enter();
}

function keep(granted) {
  tokens = {
    access: granted.access_token,
    id: granted.id_token ?? tokens?.id,
    refresh: granted.refresh_token ?? tokens?.refresh,
    expires: 0,
  };
  tokens.expires = payload(bearer())?.exp ?? Date.now() / 1000 + (granted.expires_in ?? 300);
  remember("tokens", tokens, "session");
}

function enter() {
  const claims = whose();
  const who = `${claims.sub} ${claim(claims, settings.tenant_claim)}`;
  if (remembered("who") !== who) forgetPerson(["tokens"]);
  remember("who", who);
  session.value = { state: "in", claims };
  clearTimeout(alarm);
  const left = (tokens.expires - EARLY_SECONDS) * 1000 - Date.now();
  alarm = setTimeout(() => token().catch(() => {}), Math.min(left, 2 ** 31 - 1));
}

function forget() {
  clearTimeout(alarm);
  tokens = null;
  remember("tokens", null, "session");
}

const whose = () => ({ ...payload(tokens.id), ...payload(bearer()) });
const alive = () => tokens.expires - EARLY_SECONDS > Date.now() / 1000;
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

/** Plain http is for this machine only. */
function insecure(oauth) {
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(settings.sign_in.issuer).hostname);
  return { [oauth.allowInsecureRequests]: local };
}

/** The ID token comes over TLS from the issuer itself; its algorithm has to be one that it declares. */
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
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (each) => each.charCodeAt(0))));
  } catch {
    return null;
  }
}

function claim(claims, name) {
  if (!claims || !name) return undefined;
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split(".").reduce((at, key) => at?.[key], claims);
}

function holds(claims, wanted) {
  if (!wanted) return false;
  const [name, expected] = wanted.split(/=(.*)/s);
  const value = claim(claims, name);
  if (expected === undefined) return value === true;
  return Array.isArray(value) ? value.includes(expected) : value === expected;
}
