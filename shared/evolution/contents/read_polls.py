"""Read polls and their results."""

from shared.domain.content import Content, Kind
from shared.domain.content.polls import Poll, PollContent, Votes
from shared.evolution import json_values
from shared.evolution.contents.fields import Fields, read_objects
from shared.evolution.json_values import read_text


def read_poll(value: Fields) -> Content:
    names = [row.get("optionName") for row in read_objects(value.get("options"))]
    poll = Poll(
        question=read_text(value.get("name")) or "",
        options=tuple(name for name in names if isinstance(name, str)),
        selectable=json_values.read_count(value.get("selectableOptionsCount")),
    )
    return PollContent(kind=Kind.POLL, poll=poll)


def read_poll_results(value: Fields) -> Content:
    results = tuple(
        Votes(option=name, count=json_values.read_count(row.get("optionVoteCount")) or 0)
        for row in read_objects(value.get("pollVotes"))
        if (name := read_text(row.get("optionName")))
    )
    options = tuple(votes.option for votes in results)
    poll = Poll(question=read_text(value.get("name")) or "", options=options, results=results)
    return PollContent(kind=Kind.POLL, poll=poll)
