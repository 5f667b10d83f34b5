/**
 * ONLY FOR `make run`: the local stack's own sign-in, without a password, in the place of Supabase.
 *
 * A build with VITE_SUPABASE_URL doesn't contain this file. In an app of yours, delete it.
 */

import type { Auth } from "./auth";

const ISSUER = `${import.meta.env.VITE_PERENE_URL}/local`;
const SIMULATOR = "http://localhost:8081/simulator";
const CLIENT = { client_id: "perene-console", redirect_uri: `${location.origin}/` };

let tellOthers = (_: string | null) => {};
const arrival = exchangeCode();

export const auth: Auth = {
  watch(tell) {
    tellOthers = tell;
    arrival.finally(() => tell(readToken() ? "ambiente local" : null));
    return () => (tellOthers = () => {});
  },
  async token() {
    const token = readToken();
    if (!token) auth.leave();
    return token;
  },
  leave() {
    sessionStorage.clear();
    tellOthers(null);
  },
  SignIn: () => (
    <main className="card">
      <h1>Entrar</h1>
      <p>Sem senha, pelo ambiente local desta máquina. Com um projeto do Supabase, aqui se pede e-mail e senha.</p>
      <p>
        O celular também é simulado: quem lê o QR code é o de <a href={SIMULATOR} target="_blank">{SIMULATOR}</a>, não o seu.
      </p>
      <button className="main" onClick={leaveForSignIn}>
        Entrar
      </button>
    </main>
  ),
};

function readToken(): string | undefined {
  const isOver = Number(sessionStorage.getItem("expires")) < Date.now();
  return isOver ? undefined : (sessionStorage.getItem("token") ?? undefined);
}

async function leaveForSignIn() {
  const verifier = encode(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem("verifier", verifier);
  const challenge = encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  const query = { ...CLIENT, response_type: "code", code_challenge: challenge, code_challenge_method: "S256" };
  location.assign(`${ISSUER}/authorize?${new URLSearchParams(query)}`);
}

async function exchangeCode() {
  const code = new URLSearchParams(location.search).get("code");
  if (!code) return;
  history.replaceState(null, "", "/");
  const grant = { grant_type: "authorization_code", code, code_verifier: sessionStorage.getItem("verifier") ?? "" };
  const answer = await fetch(`${ISSUER}/token`, { method: "POST", body: new URLSearchParams({ ...CLIENT, ...grant }) });
  if (!answer.ok) return;
  const { access_token: token, expires_in: seconds } = await answer.json();
  sessionStorage.setItem("token", token);
  sessionStorage.setItem("expires", String(Date.now() + 1000 * seconds));
}

const encode = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
