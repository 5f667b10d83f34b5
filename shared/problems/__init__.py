"""Problems: every failure that a caller should understand, as `problems.LineUnknown`.

A problem is registered once, by its class in the module of its topic: the star re-exports the
class here, and `Problem.registry` lists it by its slug.
"""
# ruff: noqa: F403 - naming 67 classes here a second time is what the star is for

from shared.problems.callers import *
from shared.problems.messaging import *
from shared.problems.neighbours import *
from shared.problems.operators import *
from shared.problems.problem import TYPE_PREFIX as TYPE_PREFIX
from shared.problems.problem import Problem as Problem
from shared.problems.resources import *
