"""Alerts are sentences in Portuguese and in English, and never name a person."""

from datetime import timedelta
from typing import get_args

from shared.alerts import words
from shared.alerts.words import Language
from shared.domain.fleet.incidents import Cause, Incident, IncidentNews
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
    sentence = words.write_sentence(an_incident(cause), language)

    assert sentence.startswith("🔴 ")
    assert len(sentence) > 15
    assert "{" not in sentence


@in_each("language", LANGUAGES)
@in_each("news", IncidentNews, ids=lambda news: news.value)
def test_every_news_has_its_opening(news: IncidentNews, language: Language):
    assert words.OPENINGS[language][news] in words.write_sentence(an_incident(news=news), language)


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

    assert words.write_sentence(over, "pt-BR").endswith(f"não responde (durou {duration})")


def test_many_incidents_share_one_message():
    many = [an_incident(id=f"x{at}", subject=f"s{at}") for at in range(50)]

    lines = words.write_text(many, "en").splitlines()

    assert len(lines) == 21
    assert lines[-1] == "… and 30 more"


def test_what_is_critical_comes_first():
    filling = an_incident(Cause.SERVER_FILLING, id="a")

    assert "down" not in words.write_text([filling, an_incident()], "en").splitlines()[1]
    assert "almost full: 9/10 (90 %)" in words.write_text([filling], "en")
