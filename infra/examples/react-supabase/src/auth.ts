/** Who is signed in: by Supabase, or on this machine by the local stack. */

import type { ComponentType } from "react";

export interface Auth {
  /** Tell who is signed in, now and whenever it changes: a name, or null. Returns what ends it. */
  watch(tell: (who: string | null) => void): () => void;
  /** Return the person's token, if it hasn't expired. */
  token(): Promise<string | undefined>;
  leave(): void;
  SignIn: ComponentType;
}

export const { auth }: { auth: Auth } = import.meta.env.VITE_SUPABASE_URL
  ? await import("./supabase")
  : await import("./localStack");
