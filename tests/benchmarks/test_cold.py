"""A start is compared with the bare one just before."""

from tests.benchmarks.cold import WORK, Pair, Start, summarize_pairs


def test_ratio_is_that_of_each_pair():
    quiet, busy = Start(90, 100, 80, 40), Start(900, 1000, 90, 50)
    pairs = {name: [Pair(quiet, quiet), Pair(busy, busy)] for name in WORK}
    pairs["instances"] = [
        Pair(Start(90, 130, 96, 60), quiet),
        Pair(Start(900, 1300, 108, 70), busy),
    ]

    rows = {row[0]: row for row in summarize_pairs(pairs)}

    assert rows["one_read"][3:] == [550, 1.0, 85, 1.0, 50]
    assert rows["instances"][3:] == [715, 1.3, 102, 1.2, 70]
