"""Start the official Pub/Sub emulator of the Google Cloud SDK, with topics and pushes."""

import json
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import deployment
from infra.local import children, emulator_sources
from infra.local.children import Child

JARS: Final = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
PROJECT: Final = "projects/perene-local"
READY_SECONDS: Final = 30.0
MOST_ACK_SECONDS: Final = 600
ABSENT: Final = (
    "The Pub/Sub emulator isn't installed (it comes with the Google Cloud SDK, as pubsub-emulator):"
    " endpoints are told, and files are kept, once a minute."
)


@dataclass(frozen=True)
class PubSub:
    """A Pub/Sub emulator that was started; it may still be starting."""

    host: str
    child: Child

    def subscribe(self, push_to: str) -> bool:
        """Make every topic, and push what is published there to a function's address below a URL.

        False if the emulator doesn't answer in time.
        """
        url = f"http://{self.host}/"
        if not children.wait_until(lambda: children.is_answering(url), self.child, READY_SECONDS):
            return False
        for name, function in deployment.load_function_map().functions.items():
            if function.topic:
                topic = name_topic(function.topic)
                subscription = {
                    "topic": topic,
                    "ackDeadlineSeconds": min(function.timeout_seconds, MOST_ACK_SECONDS),
                    "pushConfig": {"pushEndpoint": f"{push_to}/{name}"},
                }
                _put(f"{url}v1/{topic}", {})
                _put(f"{url}v1/{PROJECT}/subscriptions/perene-{name}", subscription)
        return True


def name_topics() -> dict[str, str]:
    """Return each setting that names a topic, with that topic."""
    functions = deployment.load_function_map().functions.values()
    topics = (function.topic for function in functions if function.topic)
    return {f"{topic.upper()}_TOPIC": name_topic(topic) for topic in topics}


def name_topic(topic: str) -> str:
    """Return the full name of a topic of infra/functions.json."""
    return f"{PROJECT}/topics/perene-{topic}"


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
