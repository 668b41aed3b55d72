"""The customers of Vend and Xero: read, linked and never written, as those of Unleashed are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import Shop, Upstream
from contract import connected, ids_of, one, read
from seeded import seeded

from syncctl.connectors.base import Connector
from syncctl.models import Customer, Kind, State

JO = "jo@x.test"


class Office:
    """A back office: its shop, and hands that work in it behind syncctl's back."""

    kind = "customers"  # as the sandbox calls them

    def __init__(self, shop: Shop, name: str) -> None:
        self.shop = shop
        self.name = name
        self.upstream = Upstream(shop.upstream.url.removesuffix("/_sandbox"), name)

    def add(self, code: str, email: str | None = None, **more: Any) -> str:
        remote_id = str(uuid.uuid4())
        self.upstream.put(self.kind, self.record(remote_id, code, email) | more)
        return remote_id

    def record(self, remote_id: str, code: str, email: str | None) -> dict[str, Any]:
        return {"id": remote_id, "customer_code": code, "first_name": code, "last_name": "X", "email": email}

    def put(self, remote_id: str, **fields: Any) -> None:
        self.upstream.put(self.kind, {"id": remote_id, **fields})

    def retire(self, remote_id: str) -> None:
        """Vend knows no archive: the record is deleted, and the feed tells."""
        self.put(remote_id, deleted_at="2026-11-23T00:00:00+00:00")

    def everything(self) -> dict[str, Any]:
        found: dict[str, Any] = self.upstream.request("GET", f"records/{self.name}/{self.kind}?limit=1000")
        return found

    def live(self) -> set[str]:
        return {each["id"] for each in self.everything()["records"] if not each["deleted_at"]}


class XeroOffice(Office):
    """Xero's contacts."""

    def record(self, remote_id: str, code: str, email: str | None) -> dict[str, Any]:
        return {"ContactID": remote_id, "ContactNumber": code, "Name": f"{code} {remote_id}", "EmailAddress": email}

    def put(self, remote_id: str, **fields: Any) -> None:
        self.upstream.put(self.kind, {"ContactID": remote_id, **fields})

    def retire(self, remote_id: str) -> None:
        self.put(remote_id, ContactStatus="ARCHIVED")

    def live(self) -> set[str]:
        return {each["ContactID"] for each in self.everything()["records"]}


OFFICES = {"vend": Office, "xero": XeroOffice}


@pytest.fixture(params=OFFICES)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    name = request.param
    with seeded(name) as sandbox:
        (tmp_path / ".env").touch(mode=0o600)
        settings = {
            f"SYNCCTL_{name.upper()}_{key}": value for key, value in (("PAGE_SIZE", "20"), ("ROLES", "customers"))
        }
        yield OFFICES[name](Shop(tmp_path, sandbox.env() | settings, Upstream(sandbox.url)), name)


@pytest.fixture
def connector(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    with ExitStack() as stack:
        yield stack.enter_context(connected(office.shop, monkeypatch))


def add(office: Office, code: str | None, email: str | None = None) -> int:
    office.shop.write("INSERT INTO customers (code, email) VALUES (?, ?)", code, email)
    number: int = office.shop.value("SELECT max(id) FROM customers")
    return number


def links(office: Office) -> dict[int, tuple[str, str]]:
    rows = office.shop.rows(
        "SELECT customer_id, remote_id, matched_by FROM remote_customers WHERE customer_id IS NOT NULL"
    )
    return {number: (remote_id, by) for number, remote_id, by in rows}


def test_a_full_read_shows_everybody_and_a_quiet_one_nobody(office: Office, connector: Connector) -> None:
    records, cursor, pages = read(connector, Kind.CUSTOMERS)
    assert {each.remote_id for each in records if isinstance(each, Customer) and each.state is not State.GONE} == (
        office.live()
    )
    assert pages > 2
    office.upstream.advance(900)
    before = office.upstream.calls()
    assert read(connector, Kind.CUSTOMERS, cursor)[0] == []
    assert office.upstream.calls() - before == 1
    new = office.add("NEW", JO)
    (record,) = read(connector, Kind.CUSTOMERS, cursor)[0]
    assert isinstance(record, Customer)
    assert (record.remote_id, record.codes[0], record.emails) == (new, "NEW", (JO,))


def test_one_is_found_by_code_or_address(office: Office, connector: Connector) -> None:
    wanted = office.add("C-1&x", "Jo+Shop@x.test")
    for found in (connector.find_customer("C-1&x", ""), connector.find_customer("", "Jo+Shop@x.test")):
        assert wanted in ids_of(list(found.records))
        assert found.call
    assert not connector.find_customer("NOBODY-HAS-THIS", "").records


def test_links_are_made_and_nothing_is_written(office: Office) -> None:
    office.shop.ok("sync-customers")
    by_code, by_email = add(office, "C-1"), add(office, "C-2", JO.upper())
    first, second = office.add("C-1"), office.add("OTHER", JO)
    before = office.everything()
    office.shop.ok("sync-customers")
    office.shop.ok("sync-customers", "--full")
    assert links(office) == {by_code: (first, "code"), by_email: (second, "email")}
    assert office.everything() == before
    methods = {method for (method,) in office.shop.rows("SELECT DISTINCT method FROM calls WHERE purpose <> 'auth'")}
    assert methods == {"GET"}


def test_two_with_one_address_are_told(office: Office) -> None:
    office.shop.ok("sync-customers")
    add(office, "C-1", JO)
    office.add("A", JO)
    office.add("B", JO)
    result = office.shop.run("sync-customers", "--json")
    assert (result.code, [error["record"] for error in result.only()["errors"]]) == (65, ["C-1"])
    assert links(office) == {}


def test_who_was_retired_is_not_linked_and_another_takes_over(office: Office) -> None:
    office.shop.ok("sync-customers")
    number = add(office, "C-1", JO)
    office.retire(office.add("A", JO))
    office.shop.ok("sync-customers")
    assert links(office) == {}
    held = office.add("B", JO)
    office.shop.ok("sync-customers")
    assert links(office) == {number: (held, "email")}
    office.retire(held)
    office.shop.ok("sync-customers")
    taken = office.add("C", JO)
    office.shop.ok("sync-customers")
    assert links(office) == {number: (taken, "email")}


@pytest.mark.parametrize("office", ["vend"], indirect=True)
def test_the_walk_in_customer_is_nobody(office: Office) -> None:
    office.shop.ok("sync-customers")
    add(office, "WALKIN", JO)
    walk_in = office.everything()["records"][0]
    assert walk_in["customer_code"] == "WALKIN"
    office.put(walk_in["id"], email=JO)
    office.shop.ok("sync-customers")
    assert links(office) == {}
    result = office.shop.run("links", "add", "customer", "WALKIN", walk_in["id"])
    assert (result.code, "nobody in particular" in result.err) == (65, True)


@pytest.mark.parametrize("office", ["xero"], indirect=True)
def test_who_stands_for_all_guests_is_nobody_as_long_as_the_setting_says_so(office: Office) -> None:
    office.shop.ok("sync-customers")
    number, web = add(office, "C-1", JO), office.add("WEB", JO)
    office.shop.ok("sync-customers")
    assert links(office) == {number: (web, "email")}
    office.shop.ok("sync-customers", SYNCCTL_XERO_GUEST="WEB")
    assert links(office) == {}
    result = office.shop.run("links", "add", "customer", "C-1", web)
    assert (result.code, "nobody in particular" in result.err) == (65, True)
    office.shop.ok("sync-customers")
    assert links(office) == {number: (web, "email")}


@pytest.mark.parametrize("office", ["xero"], indirect=True)
def test_the_contact_number_is_stronger_than_the_account_number(office: Office) -> None:
    office.shop.ok("sync-customers")
    number = add(office, "C-1")
    weaker = office.add("X", AccountNumber="C-1")
    office.shop.ok("sync-customers")
    assert links(office) == {number: (weaker, "code")}
    office.shop.write("DELETE FROM customers")
    stronger, number = office.add("C-1"), add(office, "C-1")
    office.shop.ok("sync-customers")
    assert links(office) == {number: (stronger, "code")}


@pytest.mark.parametrize("office", ["xero"], indirect=True)
def test_contact_persons_and_merged_contacts(office: Office, connector: Connector) -> None:
    person = office.add("A", None, ContactPersons=[{"FirstName": "Jo", "EmailAddress": JO}])
    merged = office.add("B", "b@x.test", MergedToContactID=person)
    records = read(connector, Kind.CUSTOMERS)[0]
    first, second = one(records, person), one(records, merged)
    assert isinstance(first, Customer)
    assert isinstance(second, Customer)
    assert (first.emails, second.state) == ((JO,), State.INACTIVE)


@pytest.mark.parametrize("office", ["xero"], indirect=True)
@pytest.mark.parametrize("nothing_new", ["empty", "304"])
def test_nothing_new_takes_either_form(office: Office, nothing_new: str) -> None:
    office.upstream.switch(nothing_new=nothing_new)
    office.shop.ok("sync-customers")
    office.upstream.advance(900)
    result = office.shop.ok("sync-customers", "--json").only()
    assert (result["seen"], result["changed"]) == (0, 0)


def test_both_link_the_same_customer(tmp_path: Path) -> None:
    with seeded("vend", "xero", products=10) as sandbox:
        (tmp_path / ".env").touch(mode=0o600)
        shop = Shop(tmp_path, sandbox.env(), Upstream(sandbox.url))
        shop.ok("sync-customers")
        offices = [cls(shop, name) for name, cls in OFFICES.items()]
        add(offices[0], "C-1", JO)
        wanted = {(each.name, each.add("Z", JO)) for each in offices}
        shop.ok("sync-customers")
        assert set(shop.rows("SELECT connector, remote_id FROM remote_customers WHERE customer_id = 1")) == wanted
