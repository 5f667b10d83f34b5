/** Perene, called as the person who is signed in; and its problems in Portuguese. */

import { createClient, PereneError, type ProblemName } from "perene";
import { auth } from "./auth";

export const perene = createClient({ baseUrl: import.meta.env.VITE_PERENE_URL, token: auth.token });

const SENTENCES: Partial<Record<ProblemName, string>> = {
  "line-busy": "A linha está sendo alterada agora. Tente em instantes.",
  "line-not-open": "O WhatsApp está desconectado. Conecte-o na página Conexão.",
  "line-restricted": "O WhatsApp restringiu este número: por enquanto, só contatos conhecidos.",
  "maximum-instances-reached": "Os servidores estão cheios. Fale com o suporte.",
  "maximum-lines-reached": "O seu plano não permite mais uma linha.",
  "number-changed": "Esta conversa é de outro número, que não está conectado. Ela só pode ser lida.",
  "sending-too-fast": "Mensagens demais em pouco tempo. Espere um instante.",
  "store-unavailable": "O serviço está fora do ar. Tente em instantes.",
  "tenant-cancelled": "A sua conta foi cancelada.",
  "tenant-suspended": "A sua conta está suspensa.",
  "token-expired": "A sua sessão acabou. Entre de novo.",
};

/** Say what failed. */
export function explain(error: unknown): string {
  if (!(error instanceof PereneError)) return "Algo falhou. Tente de novo.";
  if (error.problem.status === 0) return "Sem conexão com o servidor.";
  const name = error.problem.type.replace("urn:perene:problem:", "") as ProblemName;
  return SENTENCES[name] ?? `Algo falhou: ${error.problem.title}.`;
}

/** Write a phone number as Brazilians do. */
export const formatNumber = (number: string) =>
  number.replace(/^55(\d\d)(\d{4,5})(\d{4})$/, "($1) $2-$3").replace(/^\d/, "+$&");
