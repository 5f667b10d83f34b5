"""Write the texts of alerts, in Portuguese and in English.

Texts carry ids only, never a person's words or numbers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from shared.domain.fleet.brakes import Why
from shared.domain.fleet.detect import FLEET
from shared.domain.fleet.incidents import Cause, Incident, IncidentNews
from shared.domain.fleet.invariants import Invariants
from shared.domain.fleet.reports import SweepKind

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
            f"Cliente {it.subject}: "
            + _many(it.count, "{n} linha desconectada", "{n} linhas desconectadas")
        ),
        Cause.LINES_BANNED: lambda it: (
            f"Cliente {it.subject}: o WhatsApp bloqueou "
            + _many(it.count, "{n} número", "{n} números")
        ),
        Cause.SWEEP_BRAKED: lambda it: (
            f"A limpeza foi interrompida por segurança e nada foi apagado: {_why(it, 'pt-BR')}"
        ),
        Cause.SWEEP_OVERDUE: lambda it: (
            f"A {_sweep(it, 'pt-BR')} "
            + (f"não termina desde {last}" if (last := _last(it, "pt-BR")) else "nunca terminou")
        ),
        Cause.APPROVAL_AWAITED: lambda it: (
            f"Servidor {it.subject}: "
            + _many(
                it.count,
                "{n} instância sem linha espera a sua decisão",
                "{n} instâncias sem linha esperam a sua decisão",
            )
        ),
        Cause.VIOLATIONS: lambda it: _violations(
            it.count, _whole(it.facts.get("instances")), "pt-BR"
        ),
        Cause.WRONG_NUMBER: lambda it: (
            f"Cliente {it.subject}: uma mensagem saiu por outro número, na linha"
            f" {it.facts.get('line')}"
        ),
        Cause.MESSAGES_MAY_BE_LOST: lambda it: (
            f"Servidor {it.subject}: "
            + _many(
                it.count,
                "{n} linha pode ter perdido mensagens numa falha",
                "{n} linhas podem ter perdido mensagens numa falha",
            )
        ),
        Cause.ENDPOINTS_FAILED: lambda it: (
            _owner(it, "pt-BR")
            + _many(
                it.count,
                "{n} integração desativada depois de falhar por dias",
                "{n} integrações desativadas depois de falhar por dias",
            )
        ),
        Cause.ENDPOINTS_LATE: lambda it: (
            _owner(it, "pt-BR")
            + _many(
                it.count,
                "{n} integração com eventos à espera há mais de uma hora",
                "{n} integrações com eventos à espera há mais de uma hora",
            )
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
            f"Client {it.subject}: "
            + _many(it.count, "{n} line disconnected", "{n} lines disconnected")
        ),
        Cause.LINES_BANNED: lambda it: (
            f"Client {it.subject}: WhatsApp blocked " + _many(it.count, "{n} number", "{n} numbers")
        ),
        Cause.SWEEP_BRAKED: lambda it: (
            f"The clean-up stopped to be safe, and nothing was deleted: {_why(it, 'en')}"
        ),
        Cause.SWEEP_OVERDUE: lambda it: (
            f"The {_sweep(it, 'en')} "
            + (f"has not ended since {last}" if (last := _last(it, "en")) else "has never ended")
        ),
        Cause.APPROVAL_AWAITED: lambda it: (
            f"Server {it.subject}: "
            + _many(
                it.count,
                "{n} instance without a line awaits your decision",
                "{n} instances without a line await your decision",
            )
        ),
        Cause.VIOLATIONS: lambda it: _violations(it.count, _whole(it.facts.get("instances")), "en"),
        Cause.WRONG_NUMBER: lambda it: (
            f"Client {it.subject}: a message left by another number, on line {it.facts.get('line')}"
        ),
        Cause.MESSAGES_MAY_BE_LOST: lambda it: (
            f"Server {it.subject}: "
            + _many(
                it.count,
                "{n} line may have lost messages in an outage",
                "{n} lines may have lost messages in an outage",
            )
        ),
        Cause.ENDPOINTS_FAILED: lambda it: (
            _owner(it, "en")
            + _many(
                it.count,
                "{n} integration disabled after failing for days",
                "{n} integrations disabled after failing for days",
            )
        ),
        Cause.ENDPOINTS_LATE: lambda it: (
            _owner(it, "en")
            + _many(
                it.count,
                "{n} integration with events that have waited for over an hour",
                "{n} integrations with events that have waited for over an hour",
            )
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
TITLES = {
    "pt-BR": ("Perene: {n} aviso", "Perene: {n} avisos"),
    "en": ("Perene: {n} alert", "Perene: {n} alerts"),
}
SWEEPS: dict[Language, dict[SweepKind, str]] = {
    "pt-BR": {
        SweepKind.ORPHANS: "varredura de consistência",
        SweepKind.CAPACITY: "varredura de capacidade",
    },
    "en": {SweepKind.ORPHANS: "consistency sweep", SweepKind.CAPACITY: "capacity sweep"},
}
BRAKES: dict[Language, dict[Why, str]] = {
    "pt-BR": {
        Why.TENANTS_FAILED: "a lista de clientes não pôde ser lida",
        Why.TENANTS_EMPTY: "a lista de clientes veio vazia",
        Why.TENANTS_SHRANK: "sumiram muitos clientes de uma vez",
        Why.CENSUS_FAILED: "um servidor não respondeu",
        Why.CENSUS_SHRANK: "sumiram muitas instâncias de uma vez",
        Why.SERVERS_ALIKE: "dois servidores parecem ser o mesmo",
        Why.FORGOTTEN: "não se sabe o que a última varredura viu",
        Why.MANY_UNCLAIMED: "há instâncias demais sem linha",
    },
    "en": {
        Why.TENANTS_FAILED: "the list of clients could not be read",
        Why.TENANTS_EMPTY: "the list of clients came empty",
        Why.TENANTS_SHRANK: "many clients disappeared at once",
        Why.CENSUS_FAILED: "a server didn't answer",
        Why.CENSUS_SHRANK: "many instances disappeared at once",
        Why.SERVERS_ALIKE: "two servers seem to be the same one",
        Why.FORGOTTEN: "what the last sweep saw is unknown",
        Why.MANY_UNCLAIMED: "too many instances have no line",
    },
}
MONTHS = {
    "pt-BR": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
    " dezembro",
    "en": "January February March April May June July August September October November December",
}
AGREEMENT = {
    "pt-BR": ("Nenhuma varredura de consistência rodou ainda", "Registros e servidores concordam"),
    "en": ("No consistency sweep has run yet", "Records and servers agree"),
}
OWNERS = {"pt-BR": ("Cliente", "Operadores"), "en": ("Client", "Operators")}
MORE = {"pt-BR": "… e mais {count}", "en": "… and {count} more"}

SHOWN = 20
"""Incidents that one alert lists; it only counts the others."""


def write_title(incidents: list[Incident], language: Language) -> str:
    """Write the subject of an e-mail."""
    return _many(len(incidents), *TITLES[language])


def write_text(incidents: list[Incident], language: Language, zone: tzinfo) -> str:
    """Write one message with a line for every incident, the most critical first."""
    ordered = sorted(incidents, key=lambda it: (it.severity, it.news, it.id))
    lines = [write_news(incident, language, zone) for incident in ordered[:SHOWN]]
    more = len(ordered) - SHOWN
    return "\n".join(lines + ([MORE[language].format(count=more)] if more > 0 else []))


def write_news(incident: Incident, language: Language, zone: tzinfo) -> str:
    """Write what is new of one incident; with how long it lasted, once it is resolved."""
    text = f"{OPENINGS[language][incident.news]} {write_sentence(incident, language, zone)}"
    lasted = incident.lasted
    return f"{text} ({LASTED[language]} {_write_span(lasted)})" if lasted is not None else text


def write_sentence(incident: Incident, language: Language, zone: tzinfo) -> str:
    """Write what is wrong, with times as people in the zone write them."""
    facts = {name: _localize(value, zone) for name, value in incident.facts.items()}
    return SENTENCES[language][incident.cause](incident.model_copy(update={"facts": facts}))


def write_agreement(invariants: Invariants | None, language: Language) -> str:
    """Write whether records and servers agree."""
    unknown, agreed = AGREEMENT[language]
    if invariants is None:
        return unknown
    if invariants.count:
        return _violations(invariants.count, invariants.instances, language)
    return agreed


def write_moment(at: datetime, language: Language) -> str:
    """Write a day and an hour of it, as in "25 de novembro, às 3h30"."""
    month = MONTHS[language].split()[at.month - 1]
    if language == "en":
        return f"{at.day} {month} at {at:%H:%M}"
    article, minutes = "à" if at.hour == 1 else "às", f"{at:%M}" if at.minute else ""
    return f"{at.day} de {month}, {article} {at.hour}h{minutes}"


def _write_span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def _many(count: int, one: str, other: str) -> str:
    """Write a number with its words; both languages have these two forms for what is counted."""
    return (one if count == 1 else other).format(n=count)


def _violations(count: int, instances: int, language: Language) -> str:
    if language == "en":
        found = _many(count, "{n} inconsistency", "{n} inconsistencies")
        return f"{found} in {_many(instances, '{n} instance', '{n} instances')}"
    found = _many(count, "{n} inconsistência", "{n} inconsistências")
    return f"{found} em {_many(instances, '{n} instância', '{n} instâncias')}"


def _localize(value: Any, zone: tzinfo) -> Any:
    """Return a time of the facts as a person in the zone reads it; what is no time as it is."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return at.astimezone(zone) if at.tzinfo else value


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _share(incident: Incident) -> str:
    used, limit = (_whole(incident.facts.get(name)) for name in ("used", "limit"))
    share = round(100 * used / limit) if limit else 100
    return f"{used}/{limit} ({share} %)"


def _owner(incident: Incident, language: Language) -> str:
    """Write whose endpoints are meant: a tenant's, or those that operators have for all."""
    client, operators = OWNERS[language]
    return f"{operators}: " if incident.subject == FLEET else f"{client} {incident.subject}: "


def _address(incident: Incident) -> str:
    return str(incident.facts.get("address") or "/manager")


def _sweep(incident: Incident, language: Language) -> str:
    sweeps: dict[str, str] = {kind.value: name for kind, name in SWEEPS[language].items()}
    return sweeps.get(incident.subject, f"sweep-{incident.subject}")


def _last(incident: Incident, language: Language) -> str | None:
    last = incident.facts.get("last")
    return write_moment(last, language) if isinstance(last, datetime) else None


def _why(incident: Incident, language: Language) -> str:
    why = incident.facts.get("why")
    known: dict[str, str] = {reason.value: name for reason, name in BRAKES[language].items()}
    reasons = why if isinstance(why, list | tuple) else [why]
    return ", ".join(known.get(str(reason), str(reason)) for reason in reasons)
