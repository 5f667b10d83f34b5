"""The judge of the gates sees each kind of fault, and none where there is none."""

import pytest

from tests.benchmarks.gates.gate_table import COLUMNS, list_broken
from tests.benchmarks.gates.thread_faults import Message, Thread, count_faults, render_faults
from tests.benchmarks.report import Table

OURS = Message("b", "read")
TRUTH = Thread([Message("a"), OURS, Message("c")], 2, "c")


def test_truth_has_no_faults():
    assert render_faults(count_faults([TRUTH], [TRUTH])) == "kept"


@pytest.mark.parametrize(
    ("stored", "cell"),
    [
        ([], "3 lost"),
        ([TRUTH._replace(messages=[*TRUTH.messages[:2]])], "1 lost"),
        ([TRUTH._replace(messages=[*TRUTH.messages, Message("c")])], "1 doubled"),
        ([TRUTH, Thread([], 0, None)], "1 conversations too many"),
        ([TRUTH._replace(unread=5)], "3 unread miscounted"),
        ([TRUTH._replace(last="a")], "1 previews wrong"),
        ([TRUTH._replace(messages=[OURS, Message("a"), Message("c")])], "2 out of place"),
        (
            [TRUTH._replace(messages=[Message("a"), Message("b", "sent"), Message("c")])],
            "1 statuses wrong",
        ),
        (
            [
                TRUTH._replace(messages=[Message("a"), OURS], unread=1, last="c"),
                Thread([Message("c")], 1, "c"),
            ],
            "1 conversations too many",
        ),
    ],
)
def test_each_fault_is_counted(stored: list[Thread], cell: str):
    faults = count_faults(stored, [TRUTH])

    assert cell in render_faults(faults).split(", ")
    assert not {"lost", "doubled"} & faults.keys() or cell.endswith(("lost", "doubled"))


def test_fault_of_perene_breaks_a_gate():
    rows = [("first", "…", "kept", "1 lost"), ("burst", "…", "2 out of place", "kept")]

    assert list_broken([Table("gates", COLUMNS, rows)]) == ["burst"]
