"""Run Firestore's emulator, a simulated Evolution and the functions on one machine.

Ctrl-C stops it all. With `KEEP=1` the data survives in `.local/data`: it is saved every half
minute, and once more when the stack stops.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from infra.local import children, emulator, pubsub_emulator, pushes_and_ticks
from infra.local.children import Child, StackError
from infra.local.emulator import Emulator
from infra.local.pubsub_emulator import PubSub
from infra.local.run import PLACE, Secrets, StackRun

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 30.0
POLL_SECONDS = 0.1
READY = """
Perene is at {origin} (Ctrl-C stops it).

  The console: {origin}/console. Events that arrive: {origin}/local/receiver
{evolution}  Logs: {place}/*.log. {data}

  export TOKEN={token}
  export OPERATOR_TOKEN={operator_token}

  curl -X POST {origin}/ensure-instance -H "Authorization: Bearer $TOKEN" \\
    -H "Content-Type: application/json" -d '{{}}'
"""


class StopRequested(BaseException):
    """A request to end the stack: a signal, or a terminal that hung up."""


@dataclass(frozen=True)
class StackOptions:
    """The options of the command line and the environment."""

    port: int
    simulator_port: int
    functions: Path
    place: Path
    keep: bool
    quick: bool

    @property
    def data(self) -> Path | None:
        """Return the folder of the data, or None if this run doesn't keep it."""
        return self.place / "data" if self.keep else None


def main() -> int:
    """Run the stack; return 0 when asked to stop, 1 with one sentence when something failed."""
    options = _read_options()
    has_terminal = sys.stdout.isatty()
    try:
        with contextlib.ExitStack() as running, _stop_on_signals():
            _lock(options, running)
            _watch(_start_all(options, running), has_terminal)
    except StopRequested:
        _discard_output_if_terminal_is_gone()
        return 0
    except StackError as problem:
        print(problem, file=sys.stderr)
    return 1


def _discard_output_if_terminal_is_gone() -> None:
    """Drop output that a closed terminal can't take, so that the exit code stays 0."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _read_options() -> StackOptions:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8080")
    parser.add_argument("--simulator-port", type=int, default=os.environ.get("SIMULATOR_PORT"))
    parser.add_argument("--functions", type=Path, default="functions")
    parser.add_argument("--place", type=Path, default=PLACE, help="for logs, secrets and data")
    parser.add_argument("--keep", action="store_true", default=_is_set("KEEP"))
    parser.add_argument("--quick", action="store_true", help="WhatsApp takes no time: for tests")
    arguments = vars(parser.parse_args())
    simulator_port = arguments["simulator_port"] or arguments["port"] + 1
    return StackOptions(**arguments | {"simulator_port": simulator_port})


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Raise StopRequested at the first signal, and ignore every signal while the stack ends."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        _handle_signals(signal.SIG_IGN)
        raise StopRequested

    _handle_signals(stop)
    try:
        yield
    finally:
        _handle_signals(signal.SIG_IGN)


def _handle_signals(handler: Callable[[int, FrameType | None], NoReturn] | signal.Handlers) -> None:
    for number in SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup make run
        signal.signal(number, handler)


def _lock(options: StackOptions, running: contextlib.ExitStack) -> None:
    options.place.mkdir(parents=True, exist_ok=True)
    lock = running.enter_context((options.place / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StackError("The local stack is running here already; stop it first.") from None


def _start_all(options: StackOptions, running: contextlib.ExitStack) -> list[Child]:
    simulator = "" if _has_evolution() else f"http://127.0.0.1:{options.simulator_port}"
    _require_free("PORT", options.port)
    if simulator:
        _require_free("SIMULATOR_PORT", options.simulator_port)
    run = StackRun(
        port=options.port, secrets=Secrets.load_or_draw(options.data) if options.data else Secrets()
    )
    events = _start_pubsub(options, running)
    bucket, bucket_port = _start_bucket(options, running)
    firestore = _start_firestore(options, running)
    pubsub = events.host if events else None
    env = run.environment(firestore.host, simulator, pubsub=pubsub, bucket=bucket_port)
    running_children = [firestore.child] if firestore.child else []
    if simulator:
        running_children.append(_start_simulator(options, env, running))
    running_children.append(_start_gateway(options, env, running))
    if bucket:
        running_children.append(_wait_until_ready(bucket, bucket_port))
    if events and events.subscribe(f"{run.origin}{pushes_and_ticks.PUSHED}"):
        running_children.append(events.child)
    run.remember(env, options.place)
    _introduce(options, run, simulator)
    return running_children


def _has_evolution() -> bool:
    if os.environ.get("EVOLUTION_URL") and not os.environ.get("EVOLUTION_API_KEY"):
        raise StackError("EVOLUTION_URL needs its EVOLUTION_API_KEY.")
    return bool(os.environ.get("EVOLUTION_URL") or os.environ.get("EVOLUTION_SERVERS"))


def _require_free(variable: str, port: int) -> None:
    if not children.is_free(port):
        other = f"{variable}={port + 10} make run"
        raise StackError(f"Port {port} is in use; choose another one: {other}.")


def _start_firestore(options: StackOptions, running: contextlib.ExitStack) -> Emulator:
    data = options.data / "firestore" if options.data else None
    firestore = emulator.start(options.place / "emulator.log", data=data)
    running.callback(firestore.stop)
    return firestore


def _start_pubsub(options: StackOptions, running: contextlib.ExitStack) -> PubSub | None:
    """Start Pub/Sub's emulator, which gets ready while the others start; not for tests."""
    if options.quick:
        return None
    events = pubsub_emulator.start(options.place / "pubsub.log")
    if events is None:
        print(pubsub_emulator.ABSENT)
        return None
    running.callback(events.child.stop)
    return events


def _start_bucket(options: StackOptions, running: contextlib.ExitStack) -> tuple[Child | None, int]:
    """Start the bucket's emulator and return its port; not for tests, nor beside a real bucket."""
    if options.quick or os.environ.get("MEDIA_BUCKET"):
        return None, 0
    folder, port = (options.data or options.place) / "media", children.find_free_port()
    if options.data is None:
        shutil.rmtree(folder, ignore_errors=True)
    flags = [f"--port={port}", f"--folder={folder}"]
    command = [sys.executable, "-m", "infra.local.bucket_emulator", *flags]
    child = children.start("bucket emulator", command, log=options.place / "bucket.log")
    running.callback(child.stop)
    return child, port


def _start_simulator(
    options: StackOptions, env: dict[str, str], running: contextlib.ExitStack
) -> Child:
    flags = [f"--port={options.simulator_port}", f"--api-key={env['EVOLUTION_API_KEY']}"]
    flags += [f"--data={options.data / 'simulator'}"] if options.data else []
    flags += ["--quick"] if options.quick else []
    flags += [f"--version={env['EVOLUTION_VERSION']}"] if "EVOLUTION_VERSION" in env else []
    command = [sys.executable, "-m", "infra.local.simulator", *flags]
    child = children.start("simulated Evolution", command, env, options.place / "simulator.log")
    running.callback(child.stop)
    return _wait_until_ready(child, options.simulator_port)


def _start_gateway(
    options: StackOptions, env: dict[str, str], running: contextlib.ExitStack
) -> Child:
    flags = [f"--port={options.port}", f"--functions={options.functions}"]
    command = [sys.executable, "-m", "infra.local.gateway", *flags]
    child = children.start("functions' gateway", command, env)
    running.callback(child.stop)
    return _wait_until_ready(child, options.port)


def _wait_until_ready(child: Child, port: int) -> Child:
    url = f"http://{children.LOOPBACK}:{port}/ready"  # no function's: their answers leave lines
    if not children.wait_until(lambda: children.is_answering(url), child, READY_SECONDS):
        raise _explain_early_end(child)
    return child


def _introduce(options: StackOptions, run: StackRun, simulator: str) -> None:
    page = f"  Simulated Evolution, with its phones and faults: {simulator}/simulator\n"
    kept_note = f"Everything is kept in {options.data}."
    ready = READY.format(
        origin=run.origin,
        evolution=page if simulator else "",
        place=options.place,
        data=kept_note
        if options.data
        else "Each run starts fresh; KEEP=1 make run keeps its data.",
        token=run.sign_token("demo"),
        operator_token=run.sign_token("operator", operator=True),
    )
    try:
        print(ready, flush=True)
    except OSError:  # the terminal is gone
        raise StopRequested from None


def _watch(running_children: list[Child], has_terminal: bool) -> NoReturn:
    while True:
        if (
            has_terminal and not sys.stdout.isatty()
        ):  # it hung up, and make didn't pass the signal on
            raise StopRequested
        for child in running_children:
            if child.has_ended:
                raise _explain_early_end(child)
        time.sleep(POLL_SECONDS)


def _explain_early_end(child: Child) -> StackError:
    if child.log is None:
        return StackError(f"The {child.name} stopped by itself; what it said last is above.")
    return StackError(f"The {child.name} stopped by itself; its log ends:\n{child.tail()}")


if __name__ == "__main__":
    sys.exit(main())
