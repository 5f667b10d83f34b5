"""Google's REST interfaces, as far as the doctor asks them about deliveries."""

from datetime import UTC, datetime
from typing import Any

import httpx

TOPIC = "projects/p/topics/perene-events"
DEAD = "projects/p/topics/perene-events-dead"
PUSH = "projects/p/subscriptions/perene-deliver-events"
JOBS = "projects/p/locations/r/jobs"
FUNCTION = "https://deliver-events-1.a.run.app"
SCHEDULER_EMAIL = "scheduler@perene.test"
SETTINGS = {"EVENTS_TOPIC": TOPIC, "SWEEP_JOBS": JOBS}


class Google(httpx.AsyncBaseTransport):
    """A deployment's topic, push, dead letters and job; `resources` may be changed or removed."""

    def __init__(self) -> None:
        token = {"serviceAccountEmail": SCHEDULER_EMAIL, "audience": FUNCTION}
        endpoint = f"{FUNCTION}/deliver-events/push"
        last = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self.resources: dict[str, Any] = {
            TOPIC: {"name": TOPIC},
            f"{TOPIC}/subscriptions": {"subscriptions": [PUSH]},
            PUSH: {
                "pushConfig": {"pushEndpoint": endpoint, "oidcToken": token},
                "deadLetterPolicy": {"deadLetterTopic": DEAD, "maxDeliveryAttempts": 10},
                "state": "ACTIVE",
            },
            DEAD: {"name": DEAD},
            f"{DEAD}/subscriptions": {"subscriptions": [DEAD.replace("topics", "subscriptions")]},
            f"{JOBS}/deliver-events": {"state": "ENABLED", "lastAttemptTime": last, "status": {}},
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != "Bearer of-the-doctor":
            return httpx.Response(403)
        resource = self.resources.get(request.url.path.removeprefix("/v1/"))
        return httpx.Response(404) if resource is None else httpx.Response(200, json=resource)
