"""Run work that outlives a response: deliveries, removals, acknowledgements."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The running tasks; those that are parked only wait for a long time to pass."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._parked: set[asyncio.Task[Any]] = set()
        self._followed_tasks: dict[asyncio.Task[Any], asyncio.Task[Any]] = {}

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run the work as a task of its own, which outlives the caller."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def parking(self) -> Iterator[None]:
        """Exclude the current task from `drain` during the `with`."""
        task = asyncio.current_task()
        assert task
        self._parked.add(task)
        try:
            yield
        finally:
            self._parked.discard(task)

    async def park(self, seconds: float) -> None:
        """Sleep that many seconds; `drain` does not wait for it."""
        with self.parking():
            await asyncio.sleep(seconds)

    async def follow(self, other: "asyncio.Task[Any]") -> None:
        """Wait until the other task has ended, well or badly; parked while that task is parked."""
        task = asyncio.current_task()
        assert task
        self._followed_tasks[task] = other
        try:
            await asyncio.wait([other])
        finally:
            del self._followed_tasks[task]

    async def drain(self) -> None:
        """Wait until every task that isn't parked has ended."""
        while busy := [task for task in self._tasks if self._is_busy(task)]:
            await asyncio.wait(busy, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)

    def cancel(self) -> list["asyncio.Task[Any]"]:
        """Cancel every task, and return those that the caller has to await."""
        cancelled = [task for task in self._tasks if not task.get_loop().is_closed()]
        for task in cancelled:
            task.cancel()
        self._tasks.clear()
        return cancelled

    async def close(self) -> None:
        """Cancel every task and wait for its end."""
        await asyncio.gather(*self.cancel(), return_exceptions=True)

    def _is_busy(self, task: "asyncio.Task[Any]") -> bool:
        if task.get_loop() is not asyncio.get_running_loop() or task is asyncio.current_task():
            return False
        other = self._followed_tasks.get(task)
        return self._is_busy(other) if other and not other.done() else (task not in self._parked)
