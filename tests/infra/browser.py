"""A browser at Firestore's REST API: the rules of infra/ decide, by the token it has."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx

INFRA = Path(__file__).parent.parent.parent / "infra"


class Browser:
    """Read with a token, or with none if there is no subject. `http` is at the emulator."""

    def __init__(
        self, http: httpx.Client, project: str, subject: str | None = None, **claims: Any
    ) -> None:
        bearer = {"authorization": f"Bearer {_unsigned(project, subject, claims)}"}
        self.http = http
        self.documents = f"/v1/projects/{project}/databases/(default)/documents"
        self.headers = bearer if subject is not None else {}

    def get(self, path: str) -> int:
        """The status of reading one document, or of listing a collection."""
        return self._called("GET", path).status_code

    def query(self, path: str, order: str = "", **where: str) -> tuple[int, list[str]]:
        """The status of a query for documents whose fields are so, and the ids it found."""
        parent, _, collection = path.rpartition("/")
        structured: dict[str, Any] = {"from": [{"collectionId": collection}]}
        if where:
            structured["where"] = {"compositeFilter": {"op": "AND", "filters": _filters(where)}}
        if order:
            structured["orderBy"] = [{"field": {"fieldPath": order}, "direction": "DESCENDING"}]
        return self._asked(parent, structured)

    def everywhere(self, collection: str) -> int:
        """The status of a query of all collections with that name."""
        return self._asked("", {"from": [{"collectionId": collection, "allDescendants": True}]})[0]

    def create(self, path: str) -> int:
        parent, _, name = path.rpartition("/")
        return self._called("POST", f"{parent}?documentId={name}", _FIELDS).status_code

    def update(self, path: str) -> int:
        return self._called("PATCH", path, _FIELDS).status_code

    def delete(self, path: str) -> int:
        return self._called("DELETE", path).status_code

    def _asked(self, parent: str, query: dict[str, Any]) -> tuple[int, list[str]]:
        answer = self._called("POST", f"{parent}:runQuery", {"structuredQuery": query})
        rows = answer.json() if answer.is_success else []
        named = [row["document"]["name"] for row in rows if "document" in row]
        return answer.status_code, [name.rpartition("/")[2] for name in named]

    def _called(self, method: str, path: str, body: Any = None) -> httpx.Response:
        url = f"{self.documents}/{path}".replace("/:", ":")
        return self.http.request(method, url, json=body, headers=self.headers)


def load_rules(http: httpx.Client, project: str) -> None:
    """The project is ruled by infra/firestore.rules from here on."""
    rules = INFRA / "firestore.rules"
    files = {"files": [{"name": rules.name, "content": rules.read_text()}]}
    url = f"/emulator/v1/projects/{project}:securityRules"
    answer = http.put(url, json={"rules": files})
    assert answer.is_success, answer.text


_FIELDS = {"fields": {"tenant": {"stringValue": "acme"}, "unread": {"integerValue": "0"}}}


def _filters(where: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "fieldFilter": {
                "field": {"fieldPath": field},
                "op": "EQUAL",
                "value": {"stringValue": value},
            }
        }
        for field, value in where.items()
    ]


def _unsigned(project: str, subject: str | None, claims: dict[str, Any]) -> str:
    """A token as only the emulator takes it."""
    issuer = f"https://securetoken.google.com/{project}"
    body = {"aud": project, "iss": issuer, "sub": subject, "user_id": subject, **claims}
    head = {"alg": "none", "typ": "JWT"}
    return ".".join([_part(head), _part(body), ""])


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
