"""`sync-customers`: what it reads, whom it links, whom it leaves alone, and that it never writes to a customer."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from conftest import Result, Shop

pytestmark = pytest.mark.products(60)  # the sandbox has as many customers as products, at least 50
SMALL = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "25"}


def add(shop: Shop, code: str | None = None, email: str | None = None) -> int:
    """A customer of the shop, as another program writes it."""
    shop.write("INSERT INTO customers (code, email) VALUES (?, ?)", code, email)
    number: int = shop.value("SELECT max(id) FROM customers")
    return number


def plant(shop: Shop, code: str, *emails: str, **more: object) -> str:
    """A customer of the back office; the first address is its own, the others are its contacts'."""
    guid = str(uuid.uuid4())
    contacts = [{"EmailAddress": email} for email in emails[1:]]
    record = {"Guid": guid, "CustomerCode": code, "CustomerName": code, "Contacts": contacts}
    shop.upstream.put("customers", record | {"Email": emails[0] if emails else None} | more)
    return guid


def links(shop: Shop) -> dict[int, tuple[str, str]]:
    """By the shop's number the code there, and how it was found."""
    rows = shop.rows("SELECT customer_id, codes ->> 0, matched_by FROM remote_customers WHERE customer_id IS NOT NULL")
    return {number: (code, by) for number, code, by in rows}


def there(shop: Shop) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = shop.upstream.request("GET", "records/unleashed/customers")["records"]
    return records


def errors(result: Result) -> list[tuple[str, str]]:
    return [(error["record"], error["message"]) for error in result.only()["errors"]]


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """A shop that has read the customers once."""
    shop.ok("sync-customers")
    return shop


def test_the_first_read_brings_everybody(shop: Shop) -> None:
    result = shop.ok("sync-customers", "--json", **SMALL).only()
    wanted = {(each["Guid"], each["CustomerName"], each["Email"] or "") for each in there(shop)}
    assert set(shop.rows("SELECT remote_id, name, coalesce(emails ->> 0, '') FROM remote_customers")) == wanted
    assert (result["created"], result["seen"]) == (len(wanted), len(wanted))
    assert result["calls"] == -(-len(wanted) // 25)
    assert shop.rows("SELECT * FROM remote_products") == []


def test_a_later_run_reads_what_changed_in_one_call(ready: Shop) -> None:
    add(ready, "NEW")
    plant(ready, "NEW", "new@shop.test")
    result = ready.ok("sync-customers", "--json").only()
    assert (result["calls"], result["created"]) == (1, 1)
    assert links(ready) == {1: ("NEW", "code")}


@pytest.mark.parametrize("command", [["sync-recent"], ["sync-oldest"], ["sync-product", "MUG"]])
def test_other_commands_leave_customers_alone(shop: Shop, command: list[str]) -> None:
    shop.ok(*command)
    assert not shop.rows("SELECT path FROM calls WHERE path LIKE '%Customers%'")


def test_nothing_is_ever_written_to_a_customer(shop: Shop) -> None:
    shop.ok("sync-customers", **SMALL)
    live = [each for each in there(shop) if not each["Obsolete"]]
    for each in live[:20]:
        add(shop, each["CustomerCode"])
    for each in live[20:40]:
        add(shop, None, each["Email"].upper())
    before = there(shop)
    for options in ([], ["--full"]):
        shop.ok("sync-customers", *options, **SMALL)
    assert len(links(shop)) == 40
    assert there(shop) == before
    assert set(shop.upstream.request("GET", "records/unleashed/customers")["writes"].values()) == {0}
    assert {method for (method,) in shop.rows("SELECT DISTINCT method FROM calls")} == {"GET"}


def test_an_interrupted_first_read_goes_on(shop: Shop) -> None:
    shop.upstream.fault("drop-before", "Customers", skip=1, times=20)
    assert shop.run("sync-customers", **SMALL).code == 69
    assert shop.value("SELECT count(*) FROM remote_customers") == 25
    shop.upstream.request("DELETE", "faults")
    result = shop.ok("sync-customers", "--json", **SMALL).only()
    assert result["calls"] == -(-len(there(shop)) // 25) - 1
    assert shop.value("SELECT count(*) FROM remote_customers") == len(there(shop))


MATCHES = [
    # customers there: (code, addresses, more); the shop's customer: (code, e-mail); how it is linked
    ("the code", [("C-1", ["a@x.test"], {})], ("C-1", "other@x.test"), "code"),
    ("the code, not in other capitals", [("c-1", [], {})], ("C-1", None), None),
    ("the code, not its beginning", [("C-10", [], {})], ("C-1", None), None),
    ("blanks round the code there", [(" C-1 ", [], {})], ("C-1", None), "code"),
    ("e-mail", [("X", ["jo@x.test"], {})], ("C-1", "jo@x.test"), "email"),
    ("e-mail in other capitals", [("X", ["Jo@X.Test"], {})], (None, "jO@x.tEST"), "email"),
    ("other letters in other capitals", [("X", ["jörg@x.test"], {})], (None, "JÖRG@x.test"), "email"),
    ("a plus", [("X", ["jo+shop@x.test"], {})], (None, "jo+shop@x.test"), "email"),
    ("a plus is no comment", [("X", ["jo@x.test"], {})], (None, "jo+shop@x.test"), None),
    ("a contact's address", [("X", ["a@x.test", "b@x.test", "jo@x.test"], {})], (None, "jo@x.test"), "email"),
    ("the second address in a field", [("X", ["a@x.test; jo@x.test"], {})], (None, "jo@x.test"), "email"),
    ("an address for copies", [("X", ["a@x.test"], {"EmailCC": "jo@x.test"})], (None, "jo@x.test"), None),
    ("the same address twice on one", [("X", ["jo@x.test", "JO@x.test"], {})], (None, "jo@x.test"), "email"),
    ("no address at all", [("X", ["none"], {})], (None, "none"), None),
    ("an obsolete one", [("C-1", ["jo@x.test"], {"Obsolete": True})], ("C-1", "jo@x.test"), None),
    ("an obsolete twin", [("X", ["a@x"], {"Obsolete": True}), ("Y", ["a@x"], {})], (None, "a@x"), "email"),
    ("the code before the e-mail", [("X", ["jo@x.test"], {}), ("C-1", [], {})], ("C-1", "jo@x.test"), "code"),
    ("a code is no e-mail", [("jo@x.test", [], {})], ("C-1", "jo@x.test"), None),
]  # fmt: skip


@pytest.mark.parametrize(("remote", "local", "by"), [case[1:] for case in MATCHES], ids=[case[0] for case in MATCHES])
def test_who_is_linked(
    ready: Shop,
    remote: list[tuple[str, list[str], dict[str, object]]],
    local: tuple[str | None, str | None],
    by: str | None,
) -> None:
    """First with the shop's customer there before, then with one that the shop creates later."""
    for code, emails, more in remote:
        plant(ready, code, *emails, **more)
    for _ in range(2):
        number = add(ready, *local)
        result = ready.ok("sync-customers", "--json").only()
        assert result["calls"] == 1, "a link costs no call of its own"
        assert links(ready).get(number, ("", None))[1] == by
        assert result["customers_linked"] == (by is not None)
        ready.write("DELETE FROM customers")


AMBIGUOUS = [
    ("two there", [("X", "jo@x.test"), ("Y", "Jo@x.test")], [("C-1", "jo@x.test")]),
    ("two in the shop", [("X", "jo@x.test")], [("C-1", "jo@x.test"), ("C-2", "JO@x.test")]),
    ("two each", [("X", "jo@x.test"), ("Y", "jo@x.test")], [("C-1", "jo@x.test"), ("C-2", "jo@x.test")]),
]


@pytest.mark.parametrize(("remote", "local"), [case[1:] for case in AMBIGUOUS], ids=[case[0] for case in AMBIGUOUS])
def test_several_candidates_are_told_and_none_is_picked(
    ready: Shop, remote: list[tuple[str, str]], local: list[tuple[str, str]]
) -> None:
    for code, email in local:
        add(ready, code, email)
    for code, email in remote:
        plant(ready, code, email)
    result = ready.run("sync-customers", "--json")
    assert result.code == 65
    assert [record for record, _ in errors(result)] == [code for code, _ in local]
    assert all("e-mail address" in message and "not linked" in message for _, message in errors(result))
    assert links(ready) == {}


def test_a_dispute_is_told_with_the_run_that_meets_it(ready: Shop) -> None:
    plant(ready, "X", "jo@x.test")
    plant(ready, "Y", "jo@x.test")
    ready.ok("sync-customers")
    add(ready, "C-1", "jo@x.test")
    assert ready.run("sync-customers").code == 65, "the shop's customer is new"
    ready.write("UPDATE customers SET created_at = '2020-01-01T00:00:00Z'")
    ready.ok("sync-customers")


def test_who_has_the_account_id_is_nobody_elses_by_e_mail(ready: Shop) -> None:
    first, second = add(ready, "C-1", "jo@x.test"), add(ready, "C-2", "jo@x.test")
    plant(ready, "C-1", "jo@x.test")
    ready.ok("sync-customers")
    assert links(ready) == {first: ("C-1", "code")}
    assert second not in links(ready)


def test_a_link_holds_whatever_changes(ready: Shop) -> None:
    number = add(ready, "C-1", "jo@x.test")
    guid = plant(ready, "X", "jo@x.test")
    ready.ok("sync-customers")
    plant(ready, "C-1", "other@x.test")
    ready.upstream.put("customers", {"Guid": guid, "CustomerCode": "Z", "Email": "new@x.test", "Contacts": []})
    ready.ok("sync-customers")
    assert links(ready) == {number: ("Z", "email")}


def test_an_archived_record_keeps_its_link_until_another_fits(ready: Shop) -> None:
    number = add(ready, "C-1", "jo@x.test")
    guid = plant(ready, "X", "jo@x.test")
    ready.ok("sync-customers")
    ready.upstream.put("customers", {"Guid": guid, "Obsolete": True})
    ready.ok("sync-customers")
    assert links(ready) == {number: ("X", "email")}
    plant(ready, "Y", "jo@x.test")
    ready.ok("sync-customers")
    assert links(ready) == {number: ("Y", "email")}


def test_a_deleted_record_gives_its_link_up(ready: Shop) -> None:
    number = add(ready, "C-1", None)
    guid = plant(ready, "C-1", "jo@x.test")
    ready.ok("sync-customers")
    ready.upstream.delete("customers", guid)
    ready.ok("sync-customers")
    assert links(ready) == {number: ("C-1", "code")}, "no feed tells"
    result = ready.ok("sync-customers", "--full", "--json").only()
    assert result["gone"] == 1
    assert links(ready) == {}
    assert ready.value("SELECT state FROM remote_customers WHERE remote_id = ?", guid) == "gone"


def test_a_customer_that_a_full_read_misses_is_gone_only_if_the_service_says_so(ready: Shop) -> None:
    ready.write(
        "INSERT INTO remote_customers SELECT connector, 'lost', codes, name, emails, state, linkable, version,"
        " NULL, NULL, NULL, first_call, 0 FROM remote_customers LIMIT 1"
    )
    ready.upstream.fault("500", "Customers/lost", times=20)
    assert ready.run("sync-customers", "--full").code == 69
    assert ready.value("SELECT state FROM remote_customers WHERE remote_id = 'lost'") != "gone"


def test_who_is_deleted_in_the_shop_leaves_the_record_free(ready: Shop) -> None:
    add(ready, "C-1")
    plant(ready, "C-1")
    ready.ok("sync-customers")
    ready.write("DELETE FROM customers")
    assert links(ready) == {}
    number = add(ready, "C-1")
    ready.ok("sync-customers")
    assert links(ready) == {number: ("C-1", "code")}


def test_a_record_without_an_id_never_stops_the_rest(ready: Shop) -> None:
    ready.upstream.request(
        "POST", "records/unleashed/customers?replace=1", {"records": [{"CustomerCode": "BAD", "Email": {}}]}
    )
    plant(ready, "GOOD", "good@x.test")
    ready.run("sync-customers")
    assert ready.value("SELECT count(*) FROM remote_customers WHERE name = 'GOOD'") == 1


def test_text_that_is_none_never_stops_the_rest(ready: Shop) -> None:
    ready.write("INSERT INTO customers (code, email) VALUES (CAST(x'43ff' AS TEXT), CAST(x'ff4078' AS TEXT))")
    number = add(ready, "GOOD")
    plant(ready, "GOOD", "é@x.test")
    ready.ok("sync-customers")
    assert links(ready) == {number: ("GOOD", "code")}
    assert "GOOD" in ready.ok("links", "list").out


def test_a_connector_without_the_role_reads_none(shop: Shop) -> None:
    result = shop.ok("sync-customers", "--json", SYNCCTL_UNLEASHED_ROLES="products,stock").only()
    assert (result["calls"], result["seen"]) == (0, 0)


@pytest.mark.parametrize("order", [("AA", "ZZ"), ("ZZ", "AA")], ids=["first page", "last page"])
def test_a_second_candidate_on_a_later_page_is_seen_in_time(shop: Shop, order: tuple[str, str]) -> None:
    shop.run("sync-recent", "--max-seconds", "0")
    add(shop, "C-1", "jo@x.test")
    for code in order:
        plant(shop, code, "jo@x.test")
    assert shop.run("sync-customers", **SMALL).code == 65
    assert links(shop) == {}


def test_the_account_id_on_a_later_page_is_stronger(shop: Shop) -> None:
    shop.run("sync-recent", "--max-seconds", "0")
    number = add(shop, "ZZ", "jo@x.test")
    plant(shop, "AA", "jo@x.test")
    plant(shop, "ZZ")
    shop.ok("sync-customers", **SMALL)
    assert links(shop) == {number: ("ZZ", "code")}


def test_the_dry_run_tells_the_calls(shop: Shop) -> None:
    first = shop.ok("sync-customers", "--dry-run", "--json").json()
    assert first["connectors"] == [{"name": "unleashed", "minimum": 1, "expected": None}]
    shop.ok("sync-customers")
    (full,) = shop.ok("sync-customers", "--dry-run", "--full", "--json", **SMALL).json()["connectors"]
    assert full["expected"] == -(-len(there(shop)) // 25)
    (quiet,) = shop.ok("sync-customers", "--dry-run", "--json").json()["connectors"]
    assert (quiet["minimum"], quiet["expected"]) == (1, 1)


def test_status_tells_how_fresh_they_are(ready: Shop) -> None:
    add(ready, "C-1")
    plant(ready, "C-1")
    ready.ok("sync-customers")
    status = ready.ok("status").out
    assert f"{len(there(ready)):,}, of which 1 are linked" in status
    assert "sync-customerssucceeded" in status.replace(" ", "")
