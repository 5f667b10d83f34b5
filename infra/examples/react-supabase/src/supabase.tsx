/** Sign in with Supabase Auth. Perene accepts its tokens as they are. */

import { createClient } from "@supabase/supabase-js";
import { useState, type FormEvent } from "react";
import type { Auth } from "./auth";

const supabase = createClient(import.meta.env.VITE_SUPABASE_URL, import.meta.env.VITE_SUPABASE_ANON_KEY);

export const auth: Auth = {
  watch(tell) {
    const { data } = supabase.auth.onAuthStateChange((_, session) => tell(session ? (session.user.email ?? "") : null));
    return () => data.subscription.unsubscribe();
  },
  async token() {
    const { data } = await supabase.auth.getSession(); // renews it, if it has to be
    return data.session?.access_token;
  },
  leave: () => void supabase.auth.signOut(),
  SignIn,
};

function SignIn() {
  const [failure, setFailure] = useState("");

  async function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { error } = await supabase.auth.signInWithPassword({
      email: String(form.get("email")),
      password: String(form.get("password")),
    });
    setFailure(error ? "E-mail ou senha incorretos." : "");
  }

  return (
    <main className="card">
      <h1>Entrar</h1>
      <form onSubmit={enter}>
        <label>
          E-mail <input name="email" type="email" autoComplete="username" required />
        </label>
        <label>
          Senha <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <p role="alert">{failure}</p>
        <button className="main">Entrar</button>
      </form>
    </main>
  );
}
