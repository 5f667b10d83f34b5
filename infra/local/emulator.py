"""Start, empty, save and stop the official Firestore emulator.

A test needs only `with emulator.running() as host:` and `emulator.reset(host, project)`.
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
    """An emulator that answers at `host`.

    `child` is None if we didn't start it; `data` is None if its content isn't saved.
    """

    host: str
    child: Child | None = None
    data: Path | None = None
    project: str = PROJECT
    _over: threading.Event = field(default_factory=threading.Event)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Save the content if there is a data folder, and end the process if we started it."""
        self._over.set()
        try:
            self._save()
        finally:
            if self.child:
                self.child.stop()

    def save_regularly(self) -> None:
        """Save every half minute, so that even a power cut loses little."""
        while not self._over.wait(SAVE_EVERY):
            with contextlib.suppress(StackError):  # the next save, or the one at the end, is enough
                self._save()

    def _save(self) -> None:
        with self._saving:
            if self.data and self.child and not self.child.has_ended:
                _save_or_explain(self.host, self.project, self.data)


@contextlib.contextmanager
def running(
    port: int | None = None, data: Path | None = None, project: str = PROJECT
) -> Iterator[str]:
    """Run an emulator during the `with`, and yield its host; save its content in `data` if set."""
    with tempfile.TemporaryDirectory(prefix="perene-emulator-") as folder:
        emulator = start(Path(folder) / "emulator.log", port, data, project)
        try:
            yield emulator.host
        finally:
            emulator.stop()


def start(
    log: Path, port: int | None = None, data: Path | None = None, project: str = PROJECT
) -> Emulator:
    """Use the emulator that `FIRESTORE_EMULATOR_HOST` names, or start one that ends with us.

    Raises StackError if the named one doesn't answer, the port is in use, or no emulator starts.
    """
    if named_host := os.environ.get(HOST_VARIABLE):
        return Emulator(_require_answer(named_host))
    if port and not children.is_free(port):
        raise StackError(f"Port {port}, meant for the Firestore emulator, is in use.")
    launch = Launch(port or children.find_free_port(), _find_newest_export(data) if data else None)
    host = f"{children.LOOPBACK}:{launch.port}"
    emulator = Emulator(host, _start_first_working(launch, f"http://{host}/", log), data, project)
    if data:
        threading.Thread(target=emulator.save_regularly, daemon=True).start()
    return emulator


def reset(host: str, project: str, database: str = "(default)") -> None:
    """Delete every document of a project's database."""
    _call("DELETE", f"http://{host}/emulator/v1/projects/{project}/databases/{database}/documents")


def save(host: str, project: str, data: Path) -> None:
    """Export the project's default database to `data`, in place of the earlier exports."""
    draft, saved = data.resolve() / "new", data.resolve() / f"saved-{time.time_ns()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    export = {
        "database": f"projects/{project}/databases/(default)",
        "export_directory": str(draft.parent),
        "export_name": draft.name,
    }
    _call("POST", f"http://{host}/emulator/v1/projects/{project}:export", export)
    earlier_exports = list(data.glob("saved-*"))
    draft.rename(saved)  # only a complete export gets the name that we look for
    for folder in earlier_exports:
        shutil.rmtree(folder)


def _save_or_explain(host: str, project: str, data: Path) -> None:
    try:
        save(host, project, data)
    except OSError as error:
        raise StackError(f"What Firestore holds wasn't saved in {data}: {error}.") from error


def _find_newest_export(data: Path) -> Path | None:
    export = max(data.resolve().glob("saved-*"), default=None)
    return next(export.glob(EXPORT_METADATA), None) if export else None


def _require_answer(host: str) -> str:
    if not children.is_answering(f"http://{host}/"):
        raise StackError(f"Nothing answers at {host}, which {HOST_VARIABLE} names.")
    return host


def _start_first_working(launch: Launch, url: str, log: Path) -> Child:
    for source in emulator_sources.list_sources(launch):
        with contextlib.ExitStack() as undo:
            child = children.start("Firestore emulator", source.command, log=log)
            undo.callback(child.stop)
            if children.wait_until(lambda: children.is_answering(url), child, source.seconds):
                _warm_up(url)
                undo.pop_all()
                return child
    raise StackError(emulator_sources.INSTALL)


def _warm_up(url: str) -> None:
    """Commit and read once: on a busy machine the first ones take longer than functions wait."""
    database = f"projects/{PROJECT}-warm-up/databases/(default)"
    write = {"update": {"name": f"{database}/documents/warm/up", "fields": {}}}
    query = {"structuredQuery": {"from": [{"collectionId": "warm"}]}}
    _call("POST", f"{url}v1/{database}/documents:commit", {"writes": [write]})
    _call("POST", f"{url}v1/{database}/documents:runQuery", query)


def _call(method: str, url: str, body: object = None) -> None:
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, method=method)
    request.add_header("Content-Type", "application/json")
    with children.DIRECT.open(request, timeout=60):
        return
