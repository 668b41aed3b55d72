"""A client of the sandbox's `/xero` that knows nothing of the sandbox's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from syncctl.sandbox import Sandbox

Json = dict[str, Any]


class XeroClient:
    """Asks for tokens and reads; `control` is the way behind the service's back."""

    def __init__(self, sandbox: Sandbox, session: requests.Session) -> None:
        self.root = f"{sandbox.url}/xero"
        self._control = f"{sandbox.url}/_sandbox"
        self._session = session
        settings = sandbox.env()
        self.base = settings["SYNCCTL_XERO_BASE_URL"]
        self.token_url = settings["SYNCCTL_XERO_AUTH_URL"]
        self.custom = (settings["SYNCCTL_XERO_CLIENT_ID"], settings["SYNCCTL_XERO_CLIENT_SECRET"])
        self._access = ""

    # Tokens

    def ask_token(self, app: tuple[str, str] | None = None, /, **form: str) -> requests.Response:
        """A request of the token endpoint, with Basic credentials."""
        return self._session.post(self.token_url, data=form, auth=app or self.custom, timeout=20)

    def log_in(self, **form: str) -> str:
        """A token of the custom connection."""
        answer = self.ask_token(grant_type="client_credentials", **form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    @property
    def web(self) -> tuple[str, str]:
        """Id and secret of the app that a person consented to."""
        settings = self.consent()
        return settings["SYNCCTL_XERO_CLIENT_ID"], settings["SYNCCTL_XERO_CLIENT_SECRET"]

    def consent(self) -> dict[str, str]:
        """The settings that go with the newest refresh token."""
        settings: dict[str, str] = self.control("GET", "tokens")["xero"]["settings"]
        return settings

    def refresh(self, token: str | None = None, **form: str) -> requests.Response:
        """A refresh with the newest token, or with the given one."""
        token = token or self.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
        return self.ask_token(self.web, grant_type="refresh_token", refresh_token=token, **form)

    # Calls

    def call(self, path: str, method: str = "GET", token: str | None = None, **options: Any) -> requests.Response:
        """A call; `path` is relative to the API's base unless it begins with `//`, then to the root."""
        self._access = self._access or self.log_in()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token or self._access}"}
        headers |= options.pop("headers", {})
        url = f"{self.root}{path[1:]}" if path.startswith("//") else f"{self.base}{path}"
        return self._session.request(method, url, headers=headers, timeout=20, **options)

    def status(self, path: str, **options: Any) -> int:
        return self.call(path, **options).status_code

    def envelope(self, path: str, **headers: str) -> Json:
        answer = self.call(path, headers=headers)
        assert answer.status_code == 200, answer.text
        whole: Json = answer.json()
        return whole

    def items(self, query: str = "", since: str | None = None) -> list[Json]:
        headers = {"If-Modified-Since": since} if since else {}
        found: list[Json] = self.envelope(f"/Items{query}", **headers)["Items"]
        return found

    def codes(self, since: str | None = None) -> list[str]:
        return [item["Code"] for item in self.items(since=since)]

    # Writes

    def send(self, method: str, path: str, *elements: Json, key: str = "", **params: Any) -> requests.Response:
        """A write of some elements; `path` is the resource, with or without an id."""
        kind = path.strip("/").split("/")[0]
        headers = {"Idempotency-Key": key} if key else {}
        return self.call(f"/{path}", method, json={kind: list(elements)}, headers=headers, params=params)

    def put(self, path: str, element: Json, method: str = "PUT", **params: Any) -> Json:
        """What one element became; it must have been accepted."""
        answer = self.send(method, path, element, **params)
        assert answer.status_code == 200, answer.text
        (made,) = answer.json()[path.partition("/")[0]]
        return dict(made)

    def post(self, path: str, element: Json, **params: Any) -> Json:
        return self.put(path, element, "POST", **params)

    def refusal(self, path: str, element: Json, method: str = "PUT", **params: Any) -> str:
        """What is complained about one element, in one text."""
        answer = self.send(method, path, element, **params)
        assert answer.status_code == 400, answer.text
        body = answer.json()
        assert (body["ErrorNumber"], body["Type"]) == (10, "ValidationException")
        return " ".join(each["Message"] for each in body["Elements"][0]["ValidationErrors"])

    def invoice(self, number: str = "", method: str = "PUT", **fields: Any) -> Json:
        """An approved invoice of 23.00 for a contact of its own, or as the fields say."""
        return self.put("Invoices", self.invoice_body(number, **fields), method)

    def invoice_body(self, number: str = "", **fields: Any) -> Json:
        line = {"Description": "Mug", "Quantity": 2, "UnitAmount": 10, "AccountCode": "200"}
        body = {"Type": "ACCREC", "Date": "2026-11-20", "DueDate": "2026-12-20", "Status": "AUTHORISED"}
        contact = fields.pop("Contact", None) or {"ContactID": self.buyer()}
        return {**body, "Contact": contact, "InvoiceNumber": number, "LineItems": [line], **fields}

    def buyer(self, name: str = "Ann Tui") -> str:
        """The id of a contact, made when it is missing."""
        (key,) = self.plant({"ContactNumber": name, "Name": name}, kind="customers", silent=True)
        return key

    def one(self, path: str) -> Json:
        """The only record of an answer."""
        (found,) = self.envelope(path)[path.strip("/").partition("?")[0].partition("/")[0]]
        return dict(found)

    def writes(self, kind: str, key: str) -> int:
        """How often the client wrote a record."""
        counted: int = self.control("GET", f"records/xero/{kind}?id={key}")["writes"][key]
        return counted

    # Behind its back

    def control(self, method: str, path: str, body: Any = None, text: str | None = None) -> Json:
        answer = self.ask_control(method, path, body, text)
        assert answer.status_code == 200, answer.text
        report: Json = answer.json()
        return report

    def ask_control(self, method: str, path: str, body: Any = None, text: str | None = None) -> requests.Response:
        data = text.encode() if text is not None else None
        return self._session.request(method, f"{self._control}/{path}", json=body, data=data, timeout=20)

    def switch(self, **values: object) -> None:
        self.control("POST", "switches", {"xero": values})

    def limit(self, **values: int | None) -> None:
        self.control("POST", "limits", {"xero": values})

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance": seconds})

    def plant(self, *records: Json, kind: str = "products", silent: bool = False) -> list[str]:
        answer = self.control("POST", f"records/xero/{kind}", {"records": list(records), "silent": silent})
        ids: list[str] = answer["ids"]
        return ids

    def fault(self, kind: str, path: str = "api.xro", **more: Any) -> None:
        self.control("POST", "faults", {"service": "xero", "kind": kind, "match": {"path": path}, **more})

    def tokens(self, **order: object) -> None:
        self.control("POST", "tokens", {"service": "xero", **order})
