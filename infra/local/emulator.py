"""The official Firestore emulator: started, emptied, kept and stopped.

`with emulator.running() as host:` is all that a test needs, with `emulator.reset(host, project)`.
"""

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infra.local import children, emulator_sources
from infra.local.children import Child, StackError
from infra.local.emulator_sources import Launch

PROJECT = "perene-local"
HOST_VARIABLE = "FIRESTORE_EMULATOR_HOST"
SAVE_EVERY = 30.0
EXPORT_METADATA = "*.overall_export_metadata"


@dataclass(frozen=True)
class Emulator:
    """One that answers at `host`; without `child` it isn't ours, without `data` it isn't kept."""

    host: str
    child: Child | None = None
    data: Path | None = None
    project: str = PROJECT
    _over: threading.Event = field(default_factory=threading.Event)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """What it holds is saved if it is kept, and nothing of ours is left running."""
        self._over.set()
        try:
            self._save()
        finally:
            if self.child:
                self.child.stop()

    def save_regularly(self) -> None:
        """Saved every half minute, so that even a power cut loses little."""
        while not self._over.wait(SAVE_EVERY):
            with contextlib.suppress(StackError):  # the next one, or the last one, will do
                self._save()

    def _save(self) -> None:
        with self._saving:
            if self.data and self.child and not self.child.ended:
                _saved_or_named(self.host, self.project, self.data)


@contextlib.contextmanager
def running(
    port: int | None = None, data: Path | None = None, project: str = PROJECT
) -> Iterator[str]:
    """The host of an emulator that lives as long as the `with`; kept in `data` if that is given."""
    with tempfile.TemporaryDirectory(prefix="perene-emulator-") as place:
        emulator = start(Path(place) / "emulator.log", port, data, project)
        try:
            yield emulator.host
        finally:
            emulator.stop()


def start(
    log: Path, port: int | None = None, data: Path | None = None, project: str = PROJECT
) -> Emulator:
    """The one `FIRESTORE_EMULATOR_HOST` names, or else one of our own that goes down with us."""
    if given := os.environ.get(HOST_VARIABLE):
        return Emulator(_expected(given))
    if port and not children.is_free(port):
        raise StackError(f"Port {port}, meant for the Firestore emulator, is in use.")
    launch = Launch(port or children.free_port(), _newest(data) if data else None)
    host = f"{children.LOOPBACK}:{launch.port}"
    emulator = Emulator(host, _started(launch, f"http://{host}/", log), data, project)
    if data:
        threading.Thread(target=emulator.save_regularly, daemon=True).start()
    return emulator


def reset(host: str, project: str, database: str = "(default)") -> None:
    """The project's database is empty."""
    _call("DELETE", f"http://{host}/emulator/v1/projects/{project}/databases/{database}/documents")


def save(host: str, project: str, data: Path) -> None:
    """The project's default database is in `data`, in place of what was saved before."""
    fresh, saved = data.resolve() / "new", data.resolve() / f"saved-{time.time_ns()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    export = {
        "database": f"projects/{project}/databases/(default)",
        "export_directory": str(fresh.parent),
        "export_name": fresh.name,
    }
    _call("POST", f"http://{host}/emulator/v1/projects/{project}:export", export)
    older = list(data.glob("saved-*"))
    fresh.rename(saved)  # only a complete export gets the name that we look for
    for export_before in older:
        shutil.rmtree(export_before)


def _saved_or_named(host: str, project: str, data: Path) -> None:
    try:
        save(host, project, data)
    except OSError as error:
        raise StackError(f"What Firestore holds wasn't saved in {data}: {error}.") from error


def _newest(data: Path) -> Path | None:
    newest = max(data.resolve().glob("saved-*"), default=None)
    return next(newest.glob(EXPORT_METADATA), None) if newest else None


def _expected(host: str) -> str:
    if not children.answers(f"http://{host}/"):
        raise StackError(f"Nothing answers at {host}, which {HOST_VARIABLE} names.")
    return host


def _started(launch: Launch, url: str, log: Path) -> Child:
    for source in emulator_sources.sources(launch):
        with contextlib.ExitStack() as undo:
            child = children.start("Firestore emulator", source.command, log=log)
            undo.callback(child.stop)
            if children.wait_until(lambda: children.answers(url), child, source.seconds):
                undo.pop_all()
                return child
    raise StackError(emulator_sources.INSTALL)


def _call(method: str, url: str, body: object = None) -> None:
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, method=method)
    request.add_header("Content-Type", "application/json")
    with children.DIRECT.open(request, timeout=30):
        return
