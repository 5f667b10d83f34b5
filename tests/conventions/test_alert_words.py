"""Alerts are sentences in Portuguese and in English, and never name a person."""

import re
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from shared.alerts import words
from shared.alerts.words import Language
from shared.domain.fleet.brakes import Why
from shared.domain.fleet.incidents import Cause, Incident, IncidentNews
from shared.domain.fleet.reports import SweepKind
from tests.builders import NOON
from tests.cases import in_each

LANGUAGES = get_args(Language)
FACTS = {"last": None, "used": 9, "limit": 10, "instances": 412, "why": ["tenants_shrank"]}


def an_incident(
    cause: Cause = Cause.SERVER_DOWN, news: IncidentNews = IncidentNews.RAISED, **more: object
):
    fields = {"id": f"{cause}~main", "subject": "main", "raised_at": NOON, "news_at": NOON}
    return Incident(**{"cause": cause, "news": news, "facts": FACTS, "count": 3, **fields, **more})


@in_each("language", LANGUAGES)
@in_each("cause", Cause, ids=lambda cause: cause.value)
def test_every_cause_has_a_sentence(cause: Cause, language: Language):
    sentence = words.write_news(an_incident(cause), language, UTC)

    assert sentence.startswith("🔴 ")
    assert len(sentence) > 15
    assert "{" not in sentence


@in_each("language", LANGUAGES)
@in_each("news", IncidentNews, ids=lambda news: news.value)
def test_every_news_has_its_opening(news: IncidentNews, language: Language):
    assert words.OPENINGS[language][news] in words.write_news(an_incident(news=news), language, UTC)


@in_each(
    ("lasted", "duration"),
    [
        (timedelta(seconds=20), "0 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h 4 min"),
    ],
)
def test_resolved_incident_says_its_duration(lasted: timedelta, duration: str):
    over = an_incident(news=IncidentNews.RESOLVED, resolved_at=NOON + lasted)

    assert words.write_news(over, "pt-BR", UTC).endswith(f"não responde (durou {duration})")


def test_many_incidents_share_one_message():
    many = [an_incident(id=f"x{at}", subject=f"s{at}") for at in range(50)]

    lines = words.write_text(many, "en", UTC).splitlines()

    assert len(lines) == 21
    assert lines[-1] == "… and 30 more"


def test_what_is_critical_comes_first():
    filling = an_incident(Cause.SERVER_FILLING, id="a")

    assert "down" not in words.write_text([filling, an_incident()], "en", UTC).splitlines()[1]
    assert "almost full: 9/10 (90 %)" in words.write_text([filling], "en", UTC)


@in_each("language", LANGUAGES)
@in_each("cause", Cause, ids=lambda cause: cause.value)
@in_each("count", [1, 2])
def test_sentence_is_in_number_and_plain(cause: Cause, language: Language, count: int):
    facts = FACTS | {"last": "2026-11-26T06:30+00:00", "instances": count}
    sentence = words.write_sentence(an_incident(cause, count=count, facts=facts), language, UTC)

    assert "(s)" not in sentence
    assert "(ões)" not in sentence
    assert not re.search(r"\d-\d\d-\d|T\d|\w_\w", sentence), sentence


@in_each(("subject", "owner"), [("acme", "Cliente acme: "), ("fleet", "Operadores: ")])
def test_endpoints_are_a_clients_or_operators(subject: str, owner: str):
    late = an_incident(Cause.ENDPOINTS_LATE, subject=subject)

    assert words.write_sentence(late, "pt-BR", UTC).startswith(owner)


@in_each(
    ("language", "sentence"),
    [
        ("pt-BR", "A varredura de consistência não termina desde 25 de novembro, às 23h05"),
        ("en", "The consistency sweep has not ended since 25 November at 23:05"),
    ],
)
def test_times_are_those_of_the_zone(language: Language, sentence: str):
    facts = {"last": "2026-11-26T02:05+00:00"}
    overdue = an_incident(Cause.SWEEP_OVERDUE, subject="orphans", facts=facts)

    assert words.write_sentence(overdue, language, ZoneInfo("America/Sao_Paulo")) == sentence


@in_each(("hour", "minute", "written"), [(1, 0, "à 1h"), (0, 30, "às 0h30"), (14, 0, "às 14h")])
def test_hours_are_written_as_people_do(hour: int, minute: int, written: str):
    at = datetime(2026, 3, 1, hour, minute, tzinfo=UTC)

    assert words.write_moment(at, "pt-BR") == f"1 de março, {written}"


@in_each("language", LANGUAGES)
def test_every_brake_and_sweep_has_its_words(language: Language):
    assert words.BRAKES[language].keys() == set(Why)
    assert words.SWEEPS[language].keys() == set(SweepKind)
