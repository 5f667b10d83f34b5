// Texts of the page, in Portuguese and English; those of the faults are in faults.js.

const TEXTS = {
  pt: {
    title: "Evolution simulado", other: "English", product: "Abrir o produto ↗",
    note: "Tudo aqui é simulado. Números terminados em 00000 não existem no WhatsApp.",
    instances: "Instâncias", nobody: "Nenhuma ainda. Crie uma no produto e ela aparece aqui.",
    sent: "O que os contatos receberam", webhooks: "Webhooks", faults: "Falhas",
    none: "Nada ainda.",
    scan: "Ler o QR code", number: "Número com DDI", profile: "Nome do perfil (opcional)",
    code: "código", changes: "troca em", stays: "não expira sozinho",
    expire: "Próximo código", limit: "Esgotar os códigos",
    pairing: "Código de pareamento", type: "Digitar no celular",
    write: "Escrever como contato", from: "De (número com DDI)", text: "Mensagem",
    unpair: "Desparear no celular", block: "Bloquear o número (WhatsApp)",
    drop: "Derrubar a conexão (volta sozinha)",
    vanish: "Sumir", vanishing: "desaparece do servidor, sem aviso",
    by: "de", to: "para", through: "por", unanswered: "sem resposta",
    all_off: "nenhuma ligada", some_on: "ligadas:",
    route: "rota", names: "instâncias", events: "eventos", most: "limite", count: "restam",
    reset: "Recomeçar do zero",
    resetting: "Apaga as instâncias e as mensagens, e desliga as falhas.",
    certain: "Apagar todas as instâncias e mensagens do simulador?",
  },
  en: {
    title: "Simulated Evolution", other: "Português", product: "Open the product ↗",
    note: "Everything here is simulated. Numbers that end in 00000 are not on WhatsApp.",
    instances: "Instances", nobody: "None yet. Create one in the product and it appears here.",
    sent: "What contacts received", webhooks: "Webhooks", faults: "Faults",
    none: "Nothing yet.",
    scan: "Scan the QR code", number: "Number with country code",
    profile: "Profile name (optional)",
    code: "code", changes: "changes in", stays: "does not expire by itself",
    expire: "Next code", limit: "Use up the codes",
    pairing: "Pairing code", type: "Type it on the phone",
    write: "Write as a contact", from: "From (number with country code)", text: "Message",
    unpair: "Unpair on the phone", block: "Block the number (WhatsApp)",
    drop: "Drop the connection (it comes back)",
    vanish: "Vanish", vanishing: "disappears from the server, unannounced",
    by: "from", to: "to", through: "through", unanswered: "no answer",
    all_off: "all off", some_on: "on:",
    route: "route", names: "instances", events: "events", most: "limit", count: "left",
    reset: "Start afresh",
    resetting: "Deletes the instances and the messages, and turns the faults off.",
    certain: "Delete all instances and messages of the simulator?",
  },
};

// The server's words in both languages: states, statuses, outcomes, kinds and reasons.
const SERVER_WORDS = {
  pt: {
    open: "conectada", connecting: "conectando", waiting: "aguardando leitura",
    close: "desconectada", refused: "recusada", unloaded: "só no banco de dados", closed: "fechada",
    PENDING: "pendente", SERVER_ACK: "no servidor", DELIVERY_ACK: "entregue", READ: "lida",
    PLAYED: "ouvida", ERROR: "recusada", DELETED: "apagada",
    delivered: "recebido", "given up": "desistiu", lost: "perdido", kept: "não enviado",
    pending: "a caminho", retrying: "tentando de novo",
    imageMessage: "imagem", videoMessage: "vídeo", audioMessage: "áudio",
    documentMessage: "documento", stickerMessage: "figurinha", locationMessage: "localização",
    contactMessage: "contato", contactsArrayMessage: "contatos", reactionMessage: "reação",
    pollCreationMessageV3: "enquete", conversation: "texto", extendedTextMessage: "texto",
    no_number: "Informe um número com DDI: de 8 a 15 dígitos, como 5511999990001.",
    no_text: "Escreva uma mensagem.",
    no_code: "Esta instância não mostra nenhum código agora.",
    no_pairing_code: "Esta instância não mostra nenhum código de pareamento agora.",
    not_open: "Esta instância não está conectada.",
    no_instance: "Esta instância não existe mais.",
    exists: "Já existe uma instância com este nome.",
    gone: "O simulador não responde.",
    hint_connecting: "Conectando; nenhum código ainda.",
    hint_close: "Sem conexão. Peça um novo código no produto.",
    hint_unloaded: "Existe no banco de dados, mas o servidor não a carregou.",
  },
  en: {
    open: "connected", connecting: "connecting", waiting: "waiting for the scan",
    close: "disconnected", refused: "refused", unloaded: "in the database only", closed: "closed",
    PENDING: "pending", SERVER_ACK: "on the server", DELIVERY_ACK: "delivered", READ: "read",
    PLAYED: "played", ERROR: "refused", DELETED: "deleted",
    delivered: "received", "given up": "given up", lost: "lost", kept: "not sent",
    pending: "on its way", retrying: "trying again",
    imageMessage: "image", videoMessage: "video", audioMessage: "audio",
    documentMessage: "document", stickerMessage: "sticker", locationMessage: "location",
    contactMessage: "contact", contactsArrayMessage: "contacts", reactionMessage: "reaction",
    pollCreationMessageV3: "poll", conversation: "text", extendedTextMessage: "text",
    no_number: "Give a number with its country code: 8 to 15 digits, as in 5511999990001.",
    no_text: "Write a message.",
    no_code: "This instance shows no code now.",
    no_pairing_code: "This instance shows no pairing code now.",
    not_open: "This instance is not connected.",
    no_instance: "This instance is not there any more.",
    exists: "There is an instance of this name already.",
    gone: "The simulator does not answer.",
    hint_connecting: "Connecting; no code yet.",
    hint_close: "Not connected. Ask for a new code in the product.",
    hint_unloaded: "It is in the database, but the server has not loaded it.",
  },
};

let language = localStorage.getItem("language") === "en" ? "en" : "pt";

export const locale = () => (language === "pt" ? "pt-BR" : "en");
export const label = (key) => TEXTS[language][key];
export const translate = (word, fallback = word) => SERVER_WORDS[language][word] ?? fallback ?? "";

export function switchLanguage() {
  language = language === "pt" ? "en" : "pt";
  localStorage.setItem("language", language);
}

// Format a moment (a date, text or number of milliseconds) as local time of day.
export function clock(moment) {
  const at = new Date(moment);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleTimeString(locale());
}
