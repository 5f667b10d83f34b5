/** Does the line exist? Then the right button, the code to scan, and "connected". */

import type { LineView, State } from "perene";
import { useCallback, useState } from "react";
import { explain, formatNumber, perene } from "./perene";
import { usePulse } from "./usePulse";

const LINE = "default"; // every tenant has this one; more, if its plan allows
const LOOK_MS = 5_000;
const STATES: Record<State, string> = {
  creating: "Preparando a conexão…",
  pairing: "Falta ler o QR code.",
  open: "WhatsApp conectado ✅",
  closed: "WhatsApp desconectado.",
  conflict: "Este número está em uso em outra linha.",
  missing: "A conexão se perdeu. Gere um novo QR code.",
  releasing: "Desconectando…",
};

export function Connection() {
  const [line, setLine] = useState<LineView | null>(); // undefined: nobody looked yet; null: there is none
  const [link, setLink] = useState("");
  const [failure, setFailure] = useState("");

  const look = useCallback(async (signal?: AbortSignal) => {
    const { lines } = await perene.listLines({ signal });
    show(lines.find((one) => one.line === LINE) ?? null);
  }, []);
  const notSeen = usePulse(look, LOOK_MS);

  function show(seen: LineView | null) {
    setLine(seen);
    if (seen?.state === "open") setLink("");
  }

  async function act(work: () => Promise<unknown>) {
    setFailure(await work().then(() => "", explain));
  }

  /** Create, adopt, heal or reuse, whatever it needs: there is never a second instance. */
  async function connect() {
    const ensured = await perene.ensureLine({ body: { line: LINE, label: "WhatsApp" } });
    show(ensured);
    if (ensured.state !== "open") setLink((await perene.createLink({ path: { line: LINE } })).url);
  }

  async function release() {
    if (!confirm("Desconectar este número e apagar a sua instância? As conversas continuam aqui.")) return;
    await perene.releaseLine({ path: { line: LINE } });
    await look();
  }

  if (line === undefined) return <main className="card">{notSeen || "Verificando…"}</main>;
  return (
    <main className="card">
      <h1>WhatsApp</h1>
      <p role="status">{line ? STATES[line.state] : "Você ainda não conectou um WhatsApp."}</p>
      <p role="alert">{failure || notSeen}</p>
      {link && (
        <perene-connect
          link={link}
          lang="pt-BR"
          onopen={() => act(look)}
          onerror={({ detail }) => ["link-used", "link-expired"].includes(detail.problem) && act(connect)}
        />
      )}
      {!line && (
        <button className="main" onClick={() => act(connect)}>
          Criar e conectar WhatsApp
        </button>
      )}
      {line && line.state !== "open" && !link && (
        <button className="main" onClick={() => act(connect)}>
          Gerar QR Code
        </button>
      )}
      {line?.state === "open" && (
        <>
          <p>{line.number && formatNumber(line.number)}</p>
          <button onClick={() => act(release)}>Trocar de número…</button>
        </>
      )}
    </main>
  );
}
