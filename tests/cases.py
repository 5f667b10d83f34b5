"""Run one test for many cases: a failure is reported for each case, and counted once."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest


class Case(NamedTuple):
    """The arguments of one case, and how its failure is titled."""

    title: str
    arguments: dict[str, Any]


def in_each(names: str | tuple[str, ...], cases: Iterable[Any], ids: Any = None) -> Any:
    """Call the test once for each case, as a subtest, inside one test.

    The arguments are those of `pytest.mark.parametrize`. Use it where cases need no world of
    their own: fixtures are made once for all. Several decorators multiply.
    """
    parameters = names.replace(" ", "").split(",") if isinstance(names, str) else list(names)
    all_cases = list(_list_cases(parameters, list(cases), ids))
    assert all_cases, "A family without cases protects nothing."

    def decorate(test: Callable[..., Any]) -> Any:
        signature = inspect.signature(test)
        takes_subtests = "subtests" in signature.parameters

        def prepare(case: Case, fixtures: dict[str, Any]) -> dict[str, Any]:
            values = {
                name: fixtures[name] for name in fixtures if name != "subtests" or takes_subtests
            }
            return {**values, **case.arguments}

        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            for case in all_cases:
                with fixtures["subtests"].test(case.title):
                    test(**prepare(case, fixtures))

        @functools.wraps(test)
        async def run_async(**fixtures: Any) -> None:
            for case in all_cases:
                with fixtures["subtests"].test(case.title):
                    await test(**prepare(case, fixtures))

        runner = run_async if inspect.iscoroutinefunction(test) else run
        fixture_names = [name for name in signature.parameters if name not in parameters]
        runner.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
                for name in dict.fromkeys([*fixture_names, "subtests"])
            ]
        )
        return runner

    return decorate


def _list_cases(names: list[str], cases: list[Any], ids: Any) -> Iterator[Case]:
    titles = [None] * len(cases) if ids is None or callable(ids) else list(ids)
    for case, title in zip(cases, titles, strict=True):
        is_param = isinstance(case, type(pytest.param()))
        values = case.values if is_param else (case,) if len(names) == 1 else tuple(case)
        generated = "-".join(str(ids(value) if callable(ids) else value)[:60] for value in values)
        title = title or (case.id if is_param else None) or generated
        yield Case(str(title), dict(zip(names, values, strict=True)))
