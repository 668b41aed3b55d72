"""x-series-api.lightspeedhq.com/reference/listcustomers: customers, created with 201 and deleted with 204."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import wire
from ..messages import Response
from .account import column_text
from .answers import Refused, not_found
from .cursor import asked, envelope, page, single
from .customer_rules import TEXTS, check, writable
from .records import Records
from .routing import Call, Route, Router
from .setup import ALL_CUSTOMERS

if TYPE_CHECKING:
    from ..store import Value
    from ..wire import JsonObject
    from .account import Account

READ, WRITE = ("customers:read",), ("customers:write",)
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def blank_customer() -> JsonObject:
    """A customer with every field."""
    return {
        **dict.fromkeys(("id", "customer_code", "name", *TEXTS)),
        "customer_group_id": ALL_CUSTOMERS,
        "enable_loyalty": True,
        "do_not_email": False,
        "enable_promotional_sms": False,
        "on_account_limit": None,
        **dict.fromkeys(("balance", "loyalty_balance", "year_to_date"), 0),
        **dict.fromkeys(("created_at", "updated_at", "deleted_at", "version")),
    }


class Customers(Records):
    """The customers; an e-mail address may belong to many of them."""

    code_field = "customer_code"

    def __init__(self, account: Account) -> None:
        super().__init__(account, account.customers)

    def routes(self, router: Router) -> None:
        """Say which paths these are."""
        router.add("GET", "/customers", Route(self.many, READ))
        router.add("POST", "/customers", Route(self.create, WRITE))
        router.add("GET", "/customers/{id}", Route(self.one, READ))
        router.add("PUT", "/customers/{id}", Route(self.update, WRITE))
        router.add("DELETE", "/customers/{id}", Route(self.delete, WRITE))

    # Reading

    def many(self, call: Call) -> Response:
        """A page by version; it has no filters, unknown parameters mean nothing."""
        switches = self.account.switches
        rows = page(self.table, asked(call, switches), call, switches)
        return envelope([row["body"] for row in rows], rows)

    def one(self, call: Call) -> Response:
        """One customer; a deleted one is a 404."""
        return single(wire.dumps(self._live(call)))

    # Writing

    def create(self, call: Call) -> Response:
        """POST: 201 and the customer; an id is never the client's to choose."""
        posted = call.posted()
        check(posted, call.version)
        with self.account.store.transaction():
            given = self._given(posted, key="")
            created = self.write(self.made(given), is_new=True)
        return single(wire.dumps(created), 201)

    def update(self, call: Call) -> Response:
        """PUT: whether what is left out is blanked or stays is unconfirmed (`customer_put`)."""
        posted = call.posted()
        check(posted, call.version)
        with self.account.store.transaction():
            stored = self._live(call)
            given = self._given(posted, call.key)
            replaced = self.account.switches["customer_put"] == "replace"
            base = stored | (_blanked(stored) if replaced else {})
            updated = self.write(self._named({**base, **given}))
        return single(wire.dumps(updated))

    def delete(self, call: Call) -> Response:
        """DELETE: 204, and a tombstone."""
        with self.account.store.transaction():
            self.write({**self._live(call), "deleted_at": self.account.now()})
        return Response(204)

    def made(self, given: JsonObject) -> JsonObject:
        """A new customer with what the client gave of it."""
        record = {**self.defaults(), **given}
        return self._named({**record, "customer_code": record["customer_code"] or self._new_code(record)})

    def _live(self, call: Call) -> JsonObject:
        record = self.account.live(self.table, call.key)
        if record is None:
            raise not_found("Customer")
        return record

    def _given(self, posted: JsonObject, key: str) -> JsonObject:
        """What the client sets; a code or group given as null counts as left out."""
        given = writable(posted)
        for name in ("customer_code", "customer_group_id"):
            if not given.get(name):
                given.pop(name, None)
        if "customer_group_id" in given and not self.account.live(
            self.account.customer_groups, given["customer_group_id"]
        ):
            raise Refused(int(self.account.switches["unknown_reference"]), "customer_group_id is unknown")
        self._demand_free(given.get("customer_code"), key)
        return given

    def _demand_free(self, code: str | None, key: str) -> None:
        """That a code belongs to one customer only is unconfirmed, as is the status (`customer_code_taken`)."""
        mode = self.account.switches["customer_code_taken"]
        if code is None or mode == "allowed":
            return
        if self.table.all_where("code = ? AND id <> ? AND +hidden = 0", column_text(code), key):
            raise Refused(int(mode), "customer_code has already been taken")

    def _new_code(self, record: JsonObject) -> str:
        """First name, dash, four characters, like `Tony-37YP`; they follow from the id."""
        random = Random(str(record["id"]))  # noqa: S311
        return f"{record['first_name'] or 'UNNAMED'}-{''.join(random.choices(_LETTERS, k=4))}"

    def _named(self, record: JsonObject) -> JsonObject:
        names = [record[name] for name in ("first_name", "last_name") if record[name]]
        return {**record, "name": " ".join(names) or None}

    # Storing

    def defaults(self) -> JsonObject:
        """A blank customer."""
        return {**blank_customer(), "id": str(uuid4()), "created_at": self.account.now()}

    def columns(self, record: JsonObject) -> dict[str, Value]:
        """What the search looks at, all but the e-mail address without regard to case."""
        folded = ("first_name", "last_name", "company_name", "mobile", "phone")
        email = column_text(record.get("email"))
        return {
            "email": email,
            "email_lower": email.lower(),
            **{name: column_text(record.get(name)).lower() for name in folded},
        }


def _blanked(stored: JsonObject) -> JsonObject:
    blank, kept = blank_customer(), ("customer_code", "customer_group_id")
    return {name: blank[name] for name in writable(stored) if name in blank and name not in kept}
