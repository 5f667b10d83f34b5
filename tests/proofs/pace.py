"""How fast this machine is, so that a bound of CPU time means the same on a slow one."""

import json
import time

REFERENCE = "[" + '{"some": [1, 2.5, "text"]},' * 5_000 + "0]"
REFERENCE_CPU = 0.03
"""Seconds that reading the reference ten times takes on the machine that bounds were set on."""


def measure_pace() -> float:
    """Measure how many times longer this machine takes than the one that bounds were set on."""
    before = time.process_time()
    for _ in range(10):
        json.loads(REFERENCE)
    return max(1, (time.process_time() - before) / REFERENCE_CPU)
