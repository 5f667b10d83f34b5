"""Write the texts of alerts, in Portuguese and in English.

Texts carry ids only, never a person's words or numbers.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from shared.domain.fleet.incidents import Cause, Incident, IncidentNews

Language = Literal["pt-BR", "en"]
WriteSentence = Callable[[Incident], str]

SENTENCES: dict[Language, dict[Cause, WriteSentence]] = {
    "pt-BR": {
        Cause.SERVER_DOWN: lambda it: f"O servidor {it.subject} não responde",
        Cause.SERVER_KEY_REFUSED: lambda it: f"O servidor {it.subject} recusa a nossa chave",
        Cause.SERVER_NOT_LICENSED: lambda it: (
            f"O servidor {it.subject} está sem licença e não atende: ative-a em {_address(it)}"
        ),
        Cause.SERVER_FULL: lambda it: (
            f"O servidor {it.subject} está cheio: {_share(it)}. Novas linhas não entram nele"
        ),
        Cause.SERVER_FILLING: lambda it: f"O servidor {it.subject} está quase cheio: {_share(it)}",
        Cause.LINES_DISCONNECTED: lambda it: (
            f"Cliente {it.subject}: {it.count} linha(s) desconectada(s)"
        ),
        Cause.LINES_BANNED: lambda it: (
            f"Cliente {it.subject}: o WhatsApp bloqueou {it.count} número(s)"
        ),
        Cause.SWEEP_BRAKED: lambda it: (
            f"A limpeza parou por segurança e nada foi apagado: {_why(it)}"
        ),
        Cause.SWEEP_OVERDUE: lambda it: (
            f"A rotina sweep-{it.subject} não termina {_since(it, 'desde', 'nenhuma vez')}"
        ),
        Cause.APPROVAL_AWAITED: lambda it: (
            f"Servidor {it.subject}: {it.count} instância(s) sem linha esperam a sua decisão"
        ),
        Cause.VIOLATIONS: lambda it: (
            f"{it.count} violação(ões) em {it.facts.get('instances')} instâncias"
        ),
        Cause.WRONG_NUMBER: lambda it: (
            f"Cliente {it.subject}: uma mensagem saiu por outro número, na linha"
            f" {it.facts.get('line')}"
        ),
        Cause.MESSAGES_MAY_BE_LOST: lambda it: (
            f"Servidor {it.subject}: {it.count} linha(s) podem ter perdido mensagens numa falha"
        ),
    },
    "en": {
        Cause.SERVER_DOWN: lambda it: f"Server {it.subject} doesn't answer",
        Cause.SERVER_KEY_REFUSED: lambda it: f"Server {it.subject} refuses our key",
        Cause.SERVER_NOT_LICENSED: lambda it: (
            f"Server {it.subject} has no licence and serves nothing: activate it at {_address(it)}"
        ),
        Cause.SERVER_FULL: lambda it: (
            f"Server {it.subject} is full: {_share(it)}. It takes no new lines"
        ),
        Cause.SERVER_FILLING: lambda it: f"Server {it.subject} is almost full: {_share(it)}",
        Cause.LINES_DISCONNECTED: lambda it: (
            f"Client {it.subject}: {it.count} line(s) disconnected"
        ),
        Cause.LINES_BANNED: lambda it: (
            f"Client {it.subject}: WhatsApp blocked {it.count} number(s)"
        ),
        Cause.SWEEP_BRAKED: lambda it: (
            f"The clean-up stopped to be safe, and nothing was deleted: {_why(it)}"
        ),
        Cause.SWEEP_OVERDUE: lambda it: (
            f"sweep-{it.subject} has not ended {_since(it, 'since', 'once')}"
        ),
        Cause.APPROVAL_AWAITED: lambda it: (
            f"Server {it.subject}: {it.count} instance(s) without a line await your decision"
        ),
        Cause.VIOLATIONS: lambda it: (
            f"{it.count} violation(s) in {it.facts.get('instances')} instances"
        ),
        Cause.WRONG_NUMBER: lambda it: (
            f"Client {it.subject}: a message left by another number, on line {it.facts.get('line')}"
        ),
        Cause.MESSAGES_MAY_BE_LOST: lambda it: (
            f"Server {it.subject}: {it.count} line(s) may have lost messages in an outage"
        ),
    },
}

OPENINGS: dict[Language, dict[IncidentNews, str]] = {
    "pt-BR": {
        IncidentNews.RAISED: "🔴",
        IncidentNews.REMINDED: "🔴 Continua:",
        IncidentNews.RESOLVED: "🟢 Resolvido:",
    },
    "en": {
        IncidentNews.RAISED: "🔴",
        IncidentNews.REMINDED: "🔴 Still:",
        IncidentNews.RESOLVED: "🟢 Resolved:",
    },
}
LASTED = {"pt-BR": "durou", "en": "lasted"}
TITLES = {"pt-BR": "Perene: {count} aviso(s)", "en": "Perene: {count} alert(s)"}
MORE = {"pt-BR": "… e mais {count}", "en": "… and {count} more"}

SHOWN = 20
"""Incidents that one alert lists; it only counts the others."""


def write_title(incidents: list[Incident], language: Language) -> str:
    """Write the subject of an e-mail."""
    return TITLES[language].format(count=len(incidents))


def write_text(incidents: list[Incident], language: Language) -> str:
    """Write one message with a line for every incident, the most critical first."""
    ordered = sorted(incidents, key=lambda it: (it.severity, it.news, it.id))
    lines = [write_sentence(incident, language) for incident in ordered[:SHOWN]]
    more = len(ordered) - SHOWN
    return "\n".join(lines + ([MORE[language].format(count=more)] if more > 0 else []))


def write_sentence(incident: Incident, language: Language) -> str:
    """Write the sentence of one incident; with how long it lasted, once it is resolved."""
    text = f"{OPENINGS[language][incident.news]} {SENTENCES[language][incident.cause](incident)}"
    lasted = incident.lasted
    return f"{text} ({LASTED[language]} {_write_span(lasted)})" if lasted is not None else text


def _write_span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def _share(incident: Incident) -> str:
    values = (incident.facts.get(name) for name in ("used", "limit"))
    used, limit = (value if isinstance(value, int) else 0 for value in values)
    share = round(100 * used / limit) if limit else 100
    return f"{used}/{limit} ({share} %)"


def _address(incident: Incident) -> str:
    return str(incident.facts.get("address") or "/manager")


def _since(incident: Incident, since: str, never: str) -> str:
    last = incident.facts.get("last")
    return f"{since} {last}" if last else never


def _why(incident: Incident) -> str:
    why = incident.facts.get("why")
    return ", ".join(map(str, why)) if isinstance(why, list | tuple) else str(why)
