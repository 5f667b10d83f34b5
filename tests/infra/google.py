"""Google's REST interfaces, as far as the doctor asks them about what it calls."""

from datetime import UTC, datetime
from typing import Any

import httpx

TOPIC, MEDIA_TOPIC = (f"projects/p/topics/perene-{topic}" for topic in ("events", "media"))
DEAD = "projects/p/topics/perene-events-dead"
PUSH, MEDIA_PUSH = (
    f"projects/p/subscriptions/perene-{service}" for service in ("deliver-events", "store-media")
)
JOBS = "projects/p/locations/r/jobs"
JOB, MEDIA_JOB = f"{JOBS}/deliver-events", f"{JOBS}/store-media"
SCHEDULER_EMAIL = "scheduler@perene.test"
SETTINGS = {
    "EVENTS_TOPIC": TOPIC,
    "MEDIA_TOPIC": MEDIA_TOPIC,
    "MEDIA_BUCKET": "files",
    "SWEEP_JOBS": JOBS,
}


class Google(httpx.AsyncBaseTransport):
    """A deployment's topics, pushes, dead letters and jobs; `resources` may be changed."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {
            DEAD: {"name": DEAD},
            f"{DEAD}/subscriptions": {"subscriptions": [DEAD.replace("topics", "subscriptions")]},
        }
        self._add_function("deliver-events", TOPIC, PUSH, JOB)
        self._add_function("store-media", MEDIA_TOPIC, MEDIA_PUSH, MEDIA_JOB)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != "Bearer of-the-doctor":
            return httpx.Response(403)
        resource = self.resources.get(request.url.path.removeprefix("/v1/"))
        return httpx.Response(404) if resource is None else httpx.Response(200, json=resource)

    def _add_function(self, service: str, topic: str, subscription: str, job: str) -> None:
        origin = f"https://{service}-1.a.run.app"
        token = {"serviceAccountEmail": SCHEDULER_EMAIL, "audience": origin}
        last = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self.resources |= {
            topic: {"name": topic},
            f"{topic}/subscriptions": {"subscriptions": [subscription]},
            subscription: {
                "pushConfig": {"pushEndpoint": f"{origin}/{service}/push", "oidcToken": token},
                "deadLetterPolicy": {"deadLetterTopic": DEAD, "maxDeliveryAttempts": 10},
                "state": "ACTIVE",
            },
            job: {"state": "ENABLED", "lastAttemptTime": last, "status": {}},
        }
