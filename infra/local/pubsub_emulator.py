"""Start the official Pub/Sub emulator of the Google Cloud SDK, with its topic and its push."""

import json
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local import children, emulator_sources
from infra.local.children import Child

JARS: Final = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
TOPIC: Final = "projects/perene-local/topics/perene-events"
SUBSCRIPTION: Final = "projects/perene-local/subscriptions/perene-deliver-events"
READY_SECONDS: Final = 30.0
ACK_SECONDS: Final = 120
ABSENT: Final = (
    "The Pub/Sub emulator isn't installed (it comes with the Google Cloud SDK, as pubsub-emulator):"
    " endpoints are told once a minute."
)


@dataclass(frozen=True)
class PubSub:
    """A Pub/Sub emulator that was started; it may still be starting."""

    host: str
    child: Child

    def subscribe(self, push_to: str) -> bool:
        """Make the topic, and push what is published to a URL; False if the emulator doesn't
        answer in time."""
        url = f"http://{self.host}/"
        if not children.wait_until(lambda: children.is_answering(url), self.child, READY_SECONDS):
            return False
        subscription = {
            "topic": TOPIC,
            "ackDeadlineSeconds": ACK_SECONDS,
            "pushConfig": {"pushEndpoint": push_to},
        }
        _put(f"{url}v1/{TOPIC}", {})
        _put(f"{url}v1/{SUBSCRIPTION}", subscription)
        return True


def start(log: Path) -> PubSub | None:
    """Start the emulator if this machine has it. The caller stops its child."""
    java, jar = shutil.which("java"), _find_jar()
    if java is None or jar is None:
        return None
    port = children.find_free_port()
    flags = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(jar)]
    command = [java, *flags, "--host=127.0.0.1", f"--port={port}"]
    child = children.start("Pub/Sub emulator", command, log=log)
    return PubSub(f"{children.LOOPBACK}:{port}", child)


def _find_jar() -> Path | None:
    roots = (Path(root).expanduser() for root in emulator_sources.list_sdk_roots())
    return next((jar for root in roots for jar in sorted(root.glob(JARS))), None)


def _put(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="PUT")
    request.add_header("Content-Type", "application/json")
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with children.DIRECT.open(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            if error.code == 409:  # it is there already
                return
            if error.code < 500 or time.monotonic() > deadline:
                raise
        time.sleep(children.POLL_SECONDS)
