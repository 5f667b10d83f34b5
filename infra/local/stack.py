"""Everything on one machine: Firestore's emulator, a simulated Evolution, and the functions.

Ctrl-C stops it all. With `KEEP=1` what it holds survives in `.local/data`: saved every half minute,
and once more when it stops.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from infra.local import children, emulator
from infra.local.children import Child, StackError
from infra.local.emulator import Emulator
from infra.local.run import PLACE, Run, Secrets

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 30.0
LOOK_EVERY = 0.1
READY = """
Perene is at {origin} (Ctrl-C stops it).

  The console: {origin}/console
{evolution}  Logs: {place}/*.log. {data}

  export TOKEN={token}
  export OPERATOR_TOKEN={operator_token}

  curl -X POST {origin}/ensure-instance -H "Authorization: Bearer $TOKEN" \\
    -H "Content-Type: application/json" -d '{{}}'
"""


class Stopped(BaseException):
    """Somebody wants the stack to end."""


@dataclass(frozen=True)
class Wish:
    """What the person asked for."""

    port: int
    simulator_port: int
    functions: Path
    place: Path
    keep: bool
    quick: bool

    @property
    def data(self) -> Path | None:
        """Where everything is kept, if it is."""
        return self.place / "data" if self.keep else None


def main() -> int:
    """0 when it was told to stop, 1 with one sentence when something went wrong."""
    wish = _wish()
    try:
        with contextlib.ExitStack() as running, _signals():
            _alone(wish, running)
            _watch(_started(wish, running))
    except Stopped:
        _let_go_of_the_terminal()
        return 0
    except StackError as problem:
        print(problem, file=sys.stderr)
    return 1


def _let_go_of_the_terminal() -> None:
    """What one that is gone wasn't told doesn't make the end a failure."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wish() -> Wish:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=os.environ.get("PORT") or "8080")
    asked.add_argument("--simulator-port", type=int, default=os.environ.get("SIMULATOR_PORT"))
    asked.add_argument("--functions", type=Path, default="functions")
    asked.add_argument("--place", type=Path, default=PLACE, help="for logs, secrets and data")
    asked.add_argument("--keep", action="store_true", default=_claimed("KEEP"))
    asked.add_argument("--quick", action="store_true", help="WhatsApp takes no time: for tests")
    given = vars(asked.parse_args())
    return Wish(**given | {"simulator_port": given["simulator_port"] or given["port"] + 1})


def _claimed(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """The first signal ends the stack; while it is ending, no other one gets in the way."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        _on_signals(signal.SIG_IGN)
        raise Stopped

    _on_signals(stop)
    try:
        yield
    finally:
        _on_signals(signal.SIG_IGN)


def _on_signals(what: Callable[[int, FrameType | None], NoReturn] | signal.Handlers) -> None:
    for number in SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup make run
        signal.signal(number, what)


def _alone(wish: Wish, running: contextlib.ExitStack) -> None:
    wish.place.mkdir(parents=True, exist_ok=True)
    lock = running.enter_context((wish.place / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StackError("The local stack is running here already; stop it first.") from None


def _started(wish: Wish, running: contextlib.ExitStack) -> list[Child]:
    simulator = "" if _has_evolution() else f"http://127.0.0.1:{wish.simulator_port}"
    _expect_free("PORT", wish.port)
    if simulator:
        _expect_free("SIMULATOR_PORT", wish.simulator_port)
    run = Run(port=wish.port, secrets=Secrets.kept_in(wish.data) if wish.data else Secrets())
    firestore = _firestore(wish, running)
    env = run.environment(firestore.host, simulator)
    ours = [firestore.child] if firestore.child else []
    if simulator:
        ours.append(_simulator(wish, env, running))
    ours.append(_gateway(wish, env, running))
    run.remember(env, wish.place)
    _introduce(wish, run, simulator)
    return ours


def _has_evolution() -> bool:
    if os.environ.get("EVOLUTION_URL") and not os.environ.get("EVOLUTION_API_KEY"):
        raise StackError("EVOLUTION_URL needs its EVOLUTION_API_KEY.")
    return bool(os.environ.get("EVOLUTION_URL") or os.environ.get("EVOLUTION_SERVERS"))


def _expect_free(variable: str, port: int) -> None:
    if not children.is_free(port):
        other = f"{variable}={port + 10} make run"
        raise StackError(f"Port {port} is in use; choose another one: {other}.")


def _firestore(wish: Wish, running: contextlib.ExitStack) -> Emulator:
    kept = wish.data / "firestore" if wish.data else None
    firestore = emulator.start(wish.place / "emulator.log", data=kept)
    running.callback(firestore.stop)
    return firestore


def _simulator(wish: Wish, env: dict[str, str], running: contextlib.ExitStack) -> Child:
    asked = [f"--port={wish.simulator_port}", f"--api-key={env['EVOLUTION_API_KEY']}"]
    asked += [f"--data={wish.data / 'simulator'}"] if wish.data else []
    asked += ["--quick"] if wish.quick else []
    asked += [f"--version={env['EVOLUTION_VERSION']}"] if "EVOLUTION_VERSION" in env else []
    command = [sys.executable, "-m", "infra.local.simulator", *asked]
    child = children.start("simulated Evolution", command, env, wish.place / "simulator.log")
    return _ready(child, wish.simulator_port, running)


def _gateway(wish: Wish, env: dict[str, str], running: contextlib.ExitStack) -> Child:
    asked = [f"--port={wish.port}", f"--functions={wish.functions}"]
    command = [sys.executable, "-m", "infra.local.gateway", *asked]
    return _ready(children.start("functions' gateway", command, env), wish.port, running)


def _ready(child: Child, port: int, running: contextlib.ExitStack) -> Child:
    running.callback(child.stop)
    url = f"http://{children.LOOPBACK}:{port}/"
    if not children.wait_until(lambda: children.answers(url), child, READY_SECONDS):
        raise _stopped_by_itself(child)
    return child


def _introduce(wish: Wish, run: Run, simulator: str) -> None:
    page = f"  Simulated Evolution, with its phones and faults: {simulator}/simulator\n"
    kept = f"Everything is kept in {wish.data}."
    ready = READY.format(
        origin=run.origin,
        evolution=page if simulator else "",
        place=wish.place,
        data=kept if wish.data else "Each run starts fresh; KEEP=1 make run keeps its data.",
        token=run.token("demo"),
        operator_token=run.token("operator", operator=True),
    )
    try:
        print(ready, flush=True)
    except OSError:  # nobody is there any more to read it
        raise Stopped from None


def _watch(ours: list[Child]) -> NoReturn:
    terminal = sys.stdout.isatty()
    while True:
        if terminal and not sys.stdout.isatty():  # it hung up, and make kept the signal to itself
            raise Stopped
        for child in ours:
            if child.ended:
                raise _stopped_by_itself(child)
        time.sleep(LOOK_EVERY)


def _stopped_by_itself(child: Child) -> StackError:
    if child.log is None:
        return StackError(f"The {child.name} stopped by itself; what it said last is above.")
    return StackError(f"The {child.name} stopped by itself; its log ends:\n{child.tail()}")


if __name__ == "__main__":
    sys.exit(main())
