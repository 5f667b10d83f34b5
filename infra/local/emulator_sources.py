"""Find a Firestore emulator: in the Google Cloud SDK, Firebase's tools, or Docker."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

INSTALL = (
    "The Firestore emulator could not start: install Java 21 or newer and the Google Cloud SDK with"
    " its cloud-firestore-emulator component (or Java and Node.js, or Docker),"
    " or set FIRESTORE_EMULATOR_HOST."
)
MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
IMAGE = "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators"
SDK_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
SDK_ROOTS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/usr/local/share/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "~/google-cloud-sdk",
)
DOWNLOAD = ("--yes", "firebase-tools", "setup:emulators:firestore")
DOWNLOAD_SECONDS = 300.0


@dataclass(frozen=True)
class Launch:
    """The port to listen on, and the metadata file of the export to load."""

    port: int
    imported: Path | None = None


@dataclass(frozen=True)
class Source:
    """A command that starts the emulator, and the seconds it may take until it answers."""

    command: list[str]
    seconds: float = 30.0


def list_sources(launch: Launch) -> Iterator[Source]:
    """Yield the sources that this machine offers, best first; a look may cost a download."""
    finders: tuple[Callable[[Launch], Source | None], ...] = (
        _find_in_sdk, _find_gcloud, _find_in_firebase, _find_docker,
    )  # fmt: skip
    return (source for find in finders if (source := find(launch)))


def _find_in_sdk(launch: Launch) -> Source | None:
    jars = (Path(root).expanduser() / SDK_JAR for root in list_sdk_roots())
    return _run_with_java(next((jar for jar in jars if jar.is_file()), None), launch)


def _find_gcloud(launch: Launch) -> Source | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    listen = f"--host-port=127.0.0.1:{launch.port}"
    command = [gcloud, "emulators", "firestore", "start", "--quiet", listen]
    return Source([*command, *_import_flags(launch)])


def _find_in_firebase(launch: Launch) -> Source | None:
    npx = shutil.which("npx")
    if npx and shutil.which("java") and not _find_download():
        _run(npx, *DOWNLOAD)
    return _run_with_java(_find_download(), launch)


def _find_docker(launch: Launch) -> Source | None:
    docker = shutil.which("docker")
    if docker is None:
        return None
    flags = ["--rm", "--init", "--publish", f"127.0.0.1:{launch.port}:8080"]
    if launch.imported:
        folder = launch.imported.parent.parent
        flags += ["--volume", f"{folder}:{folder}"]
    start = ["gcloud", "emulators", "firestore", "start", "--host-port=0.0.0.0:8080"]
    return Source([docker, "run", *flags, IMAGE, *start, *_import_flags(launch)], DOWNLOAD_SECONDS)


def _run_with_java(jar: Path | None, launch: Launch) -> Source | None:
    java = shutil.which("java")
    if java is None or jar is None:
        return None
    listen = ["start", "--host=127.0.0.1", f"--port={launch.port}"]
    flags = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(jar)]
    return Source([java, *flags, MAIN, *listen, *_import_flags(launch)])


def _import_flags(launch: Launch) -> list[str]:
    return [f"--import-data={launch.imported}"] if launch.imported else []


def list_sdk_roots() -> Iterator[str]:
    if root := os.environ.get("CLOUDSDK_ROOT"):
        yield root
    if gcloud := shutil.which("gcloud"):
        yield str(Path(gcloud).resolve().parent.parent)
    yield from SDK_ROOTS


def _find_download() -> Path | None:
    folder = os.environ.get("FIREBASE_EMULATORS_PATH", "~/.cache/firebase/emulators")
    jars = Path(folder).expanduser().glob("cloud-firestore-emulator-*.jar")
    return max(jars, key=lambda jar: jar.stat().st_mtime, default=None)


def _run(*command: str) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, input=b"", capture_output=True, timeout=DOWNLOAD_SECONDS, check=False
        )
