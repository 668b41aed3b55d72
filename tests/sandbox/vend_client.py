"""A client of the sandbox's `/vend`, and of its control API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from syncctl.sandbox import Sandbox

Json = dict[str, Any]


class VendClient:
    """Calls with the personal token unless told otherwise."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self._root = sandbox.url
        self._session = session
        settings = sandbox.env()
        self.base = settings["SYNCCTL_VEND_BASE_URL"]
        self.token = settings["SYNCCTL_VEND_TOKEN"]

    def call(self, method: str, target: str, body: Any = None, **options: Any) -> requests.Response:
        """A call; `target` follows `/api/`, with its version."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        url = f"{self.base}/api/{target}"
        return self._session.request(method, url, json=body, headers=headers, timeout=20, **options)

    def get(self, path: str, version: str = "2026-07") -> Any:
        """The JSON of a GET that succeeds; `path` follows the version."""
        answer = self.call("GET", f"{version}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def data(self, path: str, version: str = "2026-07") -> Any:
        return self.get(path, version)["data"]

    def skus(self, path: str) -> list[str]:
        return [item["sku"] for item in self.data(path)]

    def status(self, path: str, version: str = "2026-07") -> int:
        return self.call("GET", f"{version}{path}").status_code

    def send(self, method: str, path: str, body: Any = None, version: str = "2026-07") -> requests.Response:
        """A write; `path` follows the version."""
        return self.call(method, f"{version}{path}", body)

    def made(self, path: str, body: Any) -> Any:
        """The data that a POST answers which succeeds."""
        answer = self.send("POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["data"]

    def writes(self, kind: str) -> dict[str, int]:
        """How often the client wrote each record, unwritten ones left out."""
        counts: dict[str, int] = self.control("GET", f"records/vend/{kind}?limit=10000")["writes"]
        return {key: count for key, count in counts.items() if count}

    def inventory(self, **body: Any) -> list[Json]:
        """`POST /inventory`, ascending unless told otherwise."""
        answer = self.call("POST", "2026-07/inventory", {"sort_direction": "asc"} | body)
        assert answer.status_code == 200, answer.text
        rows: list[Json] = answer.json()
        return rows

    def walk(self, path: str) -> list[Json]:
        """Every row of a list, as its cursor gives them."""
        rows: list[Json] = []
        after = 0
        while page := self.get(f"{path}&after={after}"):
            if not page["data"]:
                return rows
            assert page["version"]["max"] > after
            rows, after = rows + page["data"], page["version"]["max"]
        return rows

    def refresh(self, token: str | None = None, **form: str) -> requests.Response:
        """Ask for new tokens with the refresh token that is good now, or another."""
        keys = self.tokens()
        fields = {
            "client_id": keys["client_id"],
            "client_secret": keys["client_secret"],
            "grant_type": "refresh_token",
            "refresh_token": token or keys["refresh_token"] or "",
        }
        return self._session.post(f"{self.base}/api/1.0/token", data=fields | form, timeout=20)

    # The control API

    def control(self, method: str, path: str, body: Any = None, text: str | None = None) -> Any:
        answer = self.ask_control(method, path, body, text)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask_control(self, method: str, path: str, body: Any = None, text: str | None = None) -> requests.Response:
        data = text.encode() if text is not None else None
        return self._session.request(method, f"{self._root}/_sandbox/{path}", json=body, data=data, timeout=20)

    def tokens(self, **order: Any) -> Json:
        """The tokens, after a change if one is given."""
        if order:
            self.control("POST", "tokens", {"service": "vend", **order})
        found: Json = self.control("GET", "tokens")["vend"]
        return found

    def switch(self, **values: object) -> None:
        self.control("POST", "switches", {"vend": values})

    def plant(self, kind: str, *records: Json, **how: bool) -> list[str]:
        ids: list[str] = self.control("POST", f"records/vend/{kind}", {"records": records, **how})["ids"]
        return ids

    def record(self, kind: str, key: str) -> Json:
        found: Json = self.control("GET", f"records/vend/{kind}?id={key}")["records"][0]
        return found

    def records(self, kind: str) -> list[Json]:
        found: list[Json] = self.control("GET", f"records/vend/{kind}?limit=10000")["records"]
        return found

    def fault(self, kind: str, **more: Any) -> None:
        self.control("POST", "faults", {"service": "vend", "kind": kind, **more})
