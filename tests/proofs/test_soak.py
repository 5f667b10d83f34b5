"""The soak, for as short as it may be; and that its judge sees what must not be."""

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from infra.local.emulator import Emulator
from tests.proofs.soak import evidence as gathering
from tests.proofs.soak.evidence import Delivered, Evidence, Instance, Outcome, Posted, Slots
from tests.proofs.soak.load import WORD, Asked, Written
from tests.proofs.soak.memory import Growth, list_growth
from tests.proofs.soak.neighbours import Told
from tests.proofs.soak.soak import soak
from tests.proofs.soak.tables import list_sends
from tests.proofs.soak.verdict import CHECKS, judge
from tests.proofs.soak.workers import Weight

MARIA, OURS = "5511988887777", "5511999990001"
FILE = hashlib.sha256(b"a file").hexdigest()


def a_message(name: str, at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": name, "text": f"{WORD} acme {name}", "from_me": False, "conversation": "home",
        "number": OURS, "at": at, "stored_at": at, "emitted": at,
    } | more  # fmt: skip


WRITTEN = [a_message("W1", 1_000), a_message("W2", 1_001)]
SENT = a_message("S1", 2_000, from_me=True, send="k1", progress=3)
FINE = Evidence(
    numbers={"acme": OURS},
    written={
        "W1": Written("acme", MARIA, 0, FILE),
        "W2": Written("acme", MARIA, 1),
        "W3": Written("acme", MARIA, 2, sure=False),
    },
    asked={key: Asked("acme", f"{WORD} acme S{key[1]}") for key in ("k1", "k2", "k3", "k4")},
    outcomes={
        "k1": Outcome("sent"), "k2": Outcome("uncertain", "no_answer"), "k3": Outcome("failed"),
        "k4": Outcome("unknown"),
    },
    kept={"acme": {"W1": 0, "W2": 0, "S1": 4}},
    posted=frozenset({Posted("W1", 0), Posted("S1", 0), Posted("S1", 3)}),
    delivered=[
        Delivered("instance_acme", OURS, "S1", f"{WORD} acme S1"),
        Delivered("instance_acme", OURS, "S2", f"{WORD} acme S2"),
    ],
    stored={"acme": [*WRITTEN, SENT]},
    conversations={"acme": {"home": {"unread_at": {"1000": 2}}}},
    threads={"home": ["S1", "W2", "W1"]},
    told={
        "acme": [
            Told("message.received", "W1", "home", "acme"),
            Told("message.received", "W2", "home", "acme"),
            Told("message.sent", "S1", "home", "acme"),
            Told("message.received", "W1", "home", "acme"),
            Told("send.settled", "k1", "home", "acme"),
        ]
    },
    late=frozenset(),
    forged=0,
    files={f"acme/{FILE}": b"a file"},
    opened={"W1": FILE},
    before=[Instance("instance_acme", "i1", "open", OURS)],
    instances=[Instance("instance_acme", "i1", "open", OURS)],
    records={"instance_acme": {"state": "open", "number": OURS}},
    owners={OURS: "instance_acme"},
    creates_at_once=1,
    slots=Slots(["instance_acme"], 1),
    broken_rules={},
    dead_letters=0,
    answers={200: 3},
    odd_answers=[],
    log_lines=2,
    leaks=[],
)  # fmt: skip

OTHER = Instance("instance_globex", "i2", "open", OURS)
WITHOUT_W2 = [WRITTEN[0], SENT]
DOUBLED = [*WRITTEN, SENT, {**WRITTEN[0], "id": "W9"}]
TOLD = FINE.told["acme"]
BREAKS: list[tuple[str, dict[str, Any]]] = [
    ("P1", {"instances": [*FINE.instances, Instance("instance_acme", "i3", "open", OURS)]}),
    ("P1", {"creates_at_once": 2}),
    ("P2", {"instances": []}),
    ("P2", {"instances": [*FINE.instances, OTHER]}),
    ("P2", {"broken_rules": {"line_elsewhere": 1}}),
    ("P3", {"slots": Slots(["instance_acme"], 0)}),
    ("P3", {"slots": Slots([], 1)}),
    ("P3", {"slots": Slots(["instance_acme", "instance_globex"], 2)}),
    ("P4", {"stored": {"acme": WITHOUT_W2}}),
    ("P4", {"posted": FINE.posted | {Posted("W8", 0)}}),
    ("P4", {"dead_letters": 1}),
    ("P5", {"stored": {"acme": DOUBLED}}),
    ("P5", {"conversations": {"acme": {"home": {"unread_at": {"1000": 1}}}}}),
    ("P5", {"conversations": {"acme": {"home": {"unread_at": {"1000": 3}, "read_until": 1_000}}}}),
    ("P6", {"stored": {"acme": [*WRITTEN, {**SENT, "progress": 2}]}}),
    ("P6", {"stored": {"acme": [*WRITTEN, {**SENT, "progress": 5}]}}),
    ("P7", {"delivered": [Delivered("instance_acme", MARIA, "S1", f"{WORD} acme S1")]}),
    ("P7", {"delivered": [Delivered("instance_globex", OURS, "S1", f"{WORD} acme S1")]}),
    ("P7", {"stored": {"acme": [{**WRITTEN[0], "number": MARIA}]}}),
    ("P8", {"delivered": [*FINE.delivered, *FINE.delivered]}),
    ("P8", {"delivered": []}),
    ("P8", {"stored": {"acme": WRITTEN}}),
    ("P8", {"outcomes": {**FINE.outcomes, "k2": Outcome("failed")}}),
    ("P8", {"outcomes": {**FINE.outcomes, "k4": Outcome("sending")}}),
    ("P9", {"stored": {"acme": [{**WRITTEN[0], "text": f"{WORD} globex W1"}]}}),
    ("P9", {"told": {"acme": [*TOLD, Told("message.sent", "S9", "home", "globex")]}}),
    ("P10", {"instances": [Instance("instance_acme", "i9", "open", OURS)]}),
    ("P11", {"records": {name: FINE.records["instance_acme"] for name in ("a", "b")}}),
    ("P11", {"owners": {OURS: "instance_globex"}}),
    ("P12", {"odd_answers": ["GET /instances 500"]}),
    ("P12", {"leaks": ["caller-1.log:7 says what is secret"]}),
    ("P13", {"told": {"acme": TOLD[1:3]}}),
    ("P13", {"told": {"acme": TOLD[:4]}}),
    ("P13", {"told": {"acme": [TOLD[1], TOLD[0], *TOLD[2:]]}}),
    ("P13", {"forged": 1}),
    ("P14", {"files": {}}),
    ("P14", {"files": {f"acme/{FILE}": b"half a f"}}),
    ("P14", {"opened": {"W1": "404"}}),
    ("P15", {"stored": {"acme": [{**WRITTEN[0], "at": 1_002}, WRITTEN[1], SENT]}}),
    ("P15", {"threads": {"home": ["S1", "W1", "W2"]}}),
    ("P15", {"stored": {"acme": [WRITTEN[0], {**WRITTEN[1], "conversation": "other"}, SENT]}}),
]


def test_run_without_loss_is_good():
    findings = judge(FINE)

    assert [finding for finding in findings if finding.broken] == []
    assert [finding.promise for finding in findings] == [f"P{number}" for number in range(1, 16)]
    assert {promise for promise, _ in BREAKS} == CHECKS.keys()


def test_broken_promise_is_named():
    for promise, change in BREAKS:
        findings = {finding.promise: finding for finding in judge(replace(FINE, **change))}

        assert findings[promise].broken, (promise, change)


def test_what_was_answered_may_be_counted_no_more():
    answered = {"home": {"unread_at": {"1000": 1}, "read_until": 1_000}}

    fine = judge(replace(FINE, conversations={"acme": answered}))

    assert fine[4].broken == []


def test_message_that_no_webhook_told_is_placed_by_its_second():
    fetched = {**WRITTEN[0], "at": 1_999, "emitted": 0}
    threads = {"home": ["S1", "W1", "W2"]}

    fine = judge(replace(FINE, stored={"acme": [fetched, WRITTEN[1], SENT]}, threads=threads))

    assert fine[14].broken == []


def test_message_that_became_visible_late_may_be_told_late():
    told = {"acme": [TOLD[1], TOLD[0], *TOLD[2:]]}

    assert judge(replace(FINE, told=told, late=frozenset({"W1"})))[12].broken == []


def test_empty_run_proves_nothing():
    nothing = {
        field.name: type(value)() if isinstance(value := getattr(FINE, field.name), dict) else value
        for field in fields(FINE)
    }

    findings = {f.promise: f for f in judge(Evidence(**nothing | {"delivered": [], "before": []}))}

    assert findings["P8"].broken == findings["P14"].broken == ["never tried"]


def test_sends_are_counted_by_outcome():
    rows = {(row[0], row[1]): row[2] for row in list_sends(FINE)}

    assert rows["asked", ""] == 4
    assert rows["uncertain, sent", "no_answer"] == rows["sent", ""] == rows["failed", ""] == 1


def test_growing_memory_is_not_flat():
    life = [Weight(at, 50.0 if at < 120 else 100.0 if at < 400 else 110.0) for at in range(601)]

    (growth,) = list_growth([life, life[:400]])

    assert growth == Growth(600, 100.0, 110.0)
    assert growth.is_flat
    assert not growth._replace(last_mib=111.0).is_flat


def test_log_that_tells_is_found(tmp_path: Path):
    fine, telling = (json.dumps({"severity": "INFO", "message": text}) for text in ("a", WORD))
    log = tmp_path / "caller-1.log"
    log.write_text("\n".join([fine, telling, "Traceback", fine, '{"sever']))

    count, leaks = gathering.scan_logs([log], [WORD])

    assert count == 5
    assert leaks == ["caller-1.log:2 says what is secret", "caller-1.log:3 is no JSON"]


async def test_soak_of_a_few_seconds(database: Emulator, tmp_path: Path):
    result = await soak(tmp_path, database, seconds=3, seed=1)

    assert {finding.promise: finding.named for finding in result.findings if finding.broken} == {}
    assert result.is_good
    assert {"worker killed", "database stood still", "server failed"} <= result.happened.keys()
