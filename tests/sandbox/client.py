"""A signing client for the sandbox's API, and one for its control API."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import requests

if TYPE_CHECKING:
    from syncctl.sandbox import Sandbox

Json = dict[str, Any]


class Client:
    """Talks to `/unleashed` and to `/_sandbox`; signs on its own, not with the sandbox's code."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self._root = sandbox.url
        self._session = session
        settings = sandbox.env()
        self.base = settings["SYNCCTL_UNLEASHED_BASE_URL"]
        self._id = settings["SYNCCTL_UNLEASHED_API_ID"]
        self._key = settings["SYNCCTL_UNLEASHED_API_KEY"]

    def headers(self, signed: str) -> dict[str, str]:
        digest = hmac.new(self._key.encode(), signed.encode(), hashlib.sha256).digest()
        return {"api-auth-id": self._id, "api-auth-signature": base64.b64encode(digest).decode()}

    def call(self, method: str, target: str, body: Any = None, **options: Any) -> requests.Response:
        """A signed request; `target` is path and query, sent as it stands."""
        query = target.partition("?")[2]
        headers = self.headers(unquote(query)) | options.pop("headers", {})
        return self._session.request(method, f"{self.base}{target}", json=body, headers=headers, timeout=20, **options)

    def get(self, target: str) -> Json:
        response = self.call("GET", target)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def items(self, target: str) -> list[Json]:
        found: list[Json] = self.get(target)["Items"]
        return found

    def status(self, method: str, target: str, body: Any = None) -> int:
        return self.call(method, target, body).status_code

    def control(self, method: str, path: str, body: Any = None, text: str | None = None) -> Json:
        response = self.ask_control(method, path, body, text)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def ask_control(self, method: str, path: str, body: Any = None, text: str | None = None) -> requests.Response:
        data = text.encode() if text is not None else None
        url = f"{self._root}/_sandbox/{path}"
        return self._session.request(method, url, json=body, data=data, timeout=20)

    def switch(self, **values: object) -> None:
        self.control("POST", "switches", {"unleashed": values})

    def plant(self, kind: str, *records: Json, silent: bool = False) -> list[str]:
        answer = self.control("POST", f"records/unleashed/{kind}", {"records": list(records), "silent": silent})
        ids: list[str] = answer["ids"]
        return ids

    def record(self, kind: str, key: str) -> Json:
        found: Json = self.control("GET", f"records/unleashed/{kind}?id={key}")["records"][0]
        return found

    def fault(self, kind: str, **more: Any) -> int:
        number: int = self.control("POST", "faults", {"service": "unleashed", "kind": kind, **more})["id"]
        return number
