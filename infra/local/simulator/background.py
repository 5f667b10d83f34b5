"""Work that goes on after the answer: deliveries, removals, acknowledgements."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The tasks under way, and which of them only wait for a long time to pass."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._parked: set[asyncio.Task[Any]] = set()
        self._follows: dict[asyncio.Task[Any], asyncio.Task[Any]] = {}

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """The work is under way, whoever asked for it may leave."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def parked(self) -> Iterator[None]:
        """While inside, nobody waits for the current task to settle."""
        task = asyncio.current_task()
        assert task
        self._parked.add(task)
        try:
            yield
        finally:
            self._parked.discard(task)

    async def rest(self, seconds: float) -> None:
        """That much later; `settled` does not wait for it."""
        with self.parked():
            await asyncio.sleep(seconds)

    async def follow(self, other: "asyncio.Task[Any]") -> None:
        """The other task has ended, well or badly; parked for as long as that one is."""
        task = asyncio.current_task()
        assert task
        self._follows[task] = other
        try:
            await asyncio.wait([other])
        finally:
            del self._follows[task]

    async def settled(self) -> None:
        """Everything under way is done, but for what is parked."""
        while busy := [task for task in self._tasks if self._is_busy(task)]:
            await asyncio.wait(busy, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)

    def cancel(self) -> list["asyncio.Task[Any]"]:
        """Everything under way is told to stop; the tasks are returned, to be waited for."""
        stopped = [task for task in self._tasks if not task.get_loop().is_closed()]
        for task in stopped:
            task.cancel()
        self._tasks.clear()
        return stopped

    async def close(self) -> None:
        """Nothing is under way any more."""
        await asyncio.gather(*self.cancel(), return_exceptions=True)

    def _is_busy(self, task: "asyncio.Task[Any]") -> bool:
        if task.get_loop() is not asyncio.get_running_loop() or task is asyncio.current_task():
            return False
        followed = self._follows.get(task)
        return (
            self._is_busy(followed)
            if followed and not followed.done()
            else (task not in self._parked)
        )
