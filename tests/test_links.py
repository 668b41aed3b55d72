"""`links` and `explain customer`: which records belong together, why, and what a person decides."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from conftest import Shop
from test_pull import upstream_id

CODE = "C-1"
EMAIL = "jo@x.test"


def add(shop: Shop, code: str | None, email: str | None = None) -> int:
    shop.write("INSERT INTO customers (code, email) VALUES (?, ?)", code, email)
    number: int = shop.value("SELECT max(id) FROM customers")
    return number


def plant(shop: Shop, code: str, email: str | None = None, **more: Any) -> str:
    guid = str(uuid.uuid4())
    shop.upstream.put("customers", {"Guid": guid, "CustomerCode": code, "CustomerName": code, "Email": email} | more)
    return guid


def linked(shop: Shop) -> dict[str, str]:
    """By remote id how it is linked."""
    return dict(shop.rows("SELECT remote_id, matched_by FROM remote_customers WHERE customer_id IS NOT NULL"))


@pytest.fixture
def twins(shop: Shop) -> tuple[Shop, str, str]:
    """A customer of the shop whose e-mail address two customers of the back office have."""
    shop.ok("sync-customers")
    add(shop, CODE, EMAIL)
    first, second = plant(shop, "X", EMAIL), plant(shop, "Y", EMAIL)
    assert shop.run("sync-customers").code == 65
    return shop, first, second


def test_the_remedy_that_is_told_links_them(twins: tuple[Shop, str, str]) -> None:
    shop, first, _ = twins
    shop.upstream.put("customers", {"Guid": first, "CustomerName": "Changed"})
    (error,) = shop.run("sync-customers", "--json").only()["errors"]
    command = error["remedy"].partition("syncctl ")[2].replace("REMOTE-ID", first).split()
    assert shop.ok(*command).out == f"customer {CODE} is linked to {first} in unleashed\n"
    shop.upstream.put("customers", {"Guid": first, "CustomerName": "Changed again"})
    shop.ok("sync-customers", "--full")
    assert linked(shop) == {first: "hand"}


def test_what_is_ambiguous_is_listed(twins: tuple[Shop, str, str]) -> None:
    shop, *both = twins
    (doubt,) = shop.ok("links", "list", "--ambiguous", "--json").json()["ambiguous"]
    assert (doubt["kind"], doubt["key"], doubt["connector"]) == ("customer", CODE, "unleashed")
    assert sorted(each["remote_id"] for each in doubt["candidates"]) == sorted(both)
    for command in (["links", "list"], ["links", "show", "customer", CODE]):
        assert all(guid in shop.ok(*command).out for guid in both)


def test_a_twin_of_a_linked_product_is_listed_beside_it(shop: Shop) -> None:
    shop.ok("sync-recent")
    mug, twin = upstream_id(shop, "MUG"), "bbbbbbbb-0000-4000-8000-000000000001"
    shop.upstream.put("products", {"Guid": twin, "ProductCode": "MUG", "ProductDescription": "twin"})
    assert shop.run("sync-recent").code == 65
    for args in (["list", "--ambiguous"], ["show", "product", "MUG"]):
        (doubt,) = shop.ok("links", *args, "--json").json()["ambiguous"]
        candidates = {each["remote_id"]: each["linked_to"] for each in doubt["candidates"]}
        assert (doubt["key"], candidates) == ("MUG", {mug: "MUG", twin: None})
        told = shop.ok("links", *args).out
        assert "product MUG: linked in unleashed, where several fit it:\n" in told
        assert "not linked" not in told


def test_candidates_are_explained_by_whatever_name_of_the_customer(twins: tuple[Shop, str, str]) -> None:
    shop, *both = twins
    for key in (CODE, EMAIL):
        assert all(f"{guid}, active, not linked" in shop.ok("explain", "customer", key).out for guid in both)


def test_a_choice_that_was_made_is_not_asked_for_any_more(twins: tuple[Shop, str, str]) -> None:
    shop, first, _ = twins
    assert "Choose with syncctl links add" in shop.ok("explain", "customer", CODE).out
    shop.ok("links", "add", "customer", CODE, first)
    assert "Choose" not in shop.ok("explain", "customer", CODE).out


def test_taking_one_apart_decides_for_the_other(twins: tuple[Shop, str, str]) -> None:
    shop, first, second = twins
    shop.ok("links", "add", "customer", CODE, first)
    shop.ok("links", "remove", "customer", CODE)
    shop.ok("sync-customers")
    assert linked(shop) == {second: "email"}


def test_what_is_taken_apart_stays_apart(shop: Shop) -> None:
    shop.ok("sync-customers")
    add(shop, CODE)
    guid = plant(shop, CODE)
    shop.ok("sync-customers")
    shop.ok("links", "remove", "customer", CODE)
    shop.upstream.put("customers", {"Guid": guid, "CustomerName": "Changed"})
    shop.ok("sync-customers", "--full")
    assert linked(shop) == {}
    assert "taken apart by hand" in shop.ok("explain", "customer", CODE).out
    shop.ok("links", "add", "customer", CODE, guid.upper())
    assert linked(shop) == {guid: "hand"}


def test_a_link_by_hand_holds_on_an_archived_record_and_is_told(shop: Shop) -> None:
    shop.ok("sync-customers")
    add(shop, CODE, EMAIL)
    guid = plant(shop, "X")
    shop.ok("sync-customers")
    shop.ok("links", "add", "customer", CODE, guid)
    plant(shop, CODE, EMAIL)
    shop.upstream.put("customers", {"Guid": guid, "Obsolete": True})
    result = shop.run("sync-customers")
    assert (result.code, "archived" in result.err) == (65, True)
    assert linked(shop) == {guid: "hand"}


REFUSED = [
    ("obsolete", {"Obsolete": True}, "archived"),
    ("taken", {"CustomerCode": "C-2"}, "linked to C-2"),
]


@pytest.mark.parametrize(("more", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_linked_by_hand(shop: Shop, more: dict[str, Any], words: str) -> None:
    shop.ok("sync-customers")
    add(shop, CODE)
    add(shop, "C-2")
    guid = plant(shop, "X", **more)
    shop.ok("sync-customers")
    before = linked(shop)
    result = shop.run("links", "add", "customer", CODE, guid)
    assert (result.code, words in result.err) == (65, True)
    assert linked(shop) == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("links", "add", "customer", CODE, "no-such-id"), "told of no customer"),
        (("links", "add", "customer", "C-9", "no-such-id"), "no such customer"),
        (("links", "remove", "customer", CODE), "has no link"),
        (("links", "show", "product", "NO-SUCH"), "no such product"),
        (("explain", "customer", "C-9"), "has told of such a customer"),
    ],
)
def test_what_there_is_not(shop: Shop, args: tuple[str, ...], words: str) -> None:
    shop.ok("sync-customers")
    add(shop, CODE)
    result = shop.run(*args)
    assert (result.code, words in result.err) == (65, True), result


def test_what_only_the_shop_has_is_explained_as_such(shop: Shop) -> None:
    shop.ok("sync-customers")
    add(shop, "C-9")
    shop.write("INSERT INTO products (sku) VALUES ('OURS')")
    assert "no service has told of a customer with this code" in shop.ok("explain", "customer", "C-9").out
    assert "no service has told of it so far" in shop.ok("explain", "product", "OURS").out


def test_an_address_that_two_have_names_nobody(shop: Shop) -> None:
    shop.ok("sync-customers")
    add(shop, "C-1", EMAIL)
    add(shop, "C-2", EMAIL.upper())
    result = shop.run("links", "show", "customer", EMAIL)
    assert (result.code, "by its code" in result.err) == (65, True)


def test_a_product_is_linked_by_hand_and_stays_so(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("INSERT INTO products (sku) VALUES ('MINE')")
    guid = shop.value("SELECT remote_id FROM remote_products WHERE sku = 'MUG'")
    assert shop.run("links", "add", "product", "MINE", guid).code == 65, "it is linked to MUG"
    shop.ok("links", "remove", "product", "MUG")
    shop.ok("links", "add", "product", "MINE", guid)
    shop.upstream.put("products", {"Guid": guid, "ProductDescription": "Changed"})
    shop.ok("sync-recent")
    assert shop.rows("SELECT name FROM catalogue WHERE sku = 'MINE'") == [("Changed",)]
    (link,) = shop.ok("links", "show", "product", "MINE", "--json").json()["links"]
    assert (link["remote_id"], link["matched_by"], link["matched_during"]) == (guid, "hand", "links add")


def test_a_product_taken_apart_is_not_linked_again(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("links", "remove", "product", "MUG")
    shop.upstream.put("products", {"ProductCode": "MUG", "ProductDescription": "Changed"})
    shop.ok("sync-recent", "--full")
    assert shop.value("SELECT product_id FROM remote_products WHERE sku = 'MUG'") is None


def test_explain_tells_which_rule_decided_and_which_call(shop: Shop) -> None:
    shop.ok("sync-customers")
    add(shop, CODE, EMAIL)
    guid = plant(shop, "X", "Old@x.test")
    shop.ok("sync-customers")
    shop.upstream.put("customers", {"Guid": guid, "Email": EMAIL.upper(), "Contacts": []})
    shop.ok("sync-customers")
    (record,) = shop.ok("explain", "customer", EMAIL, "--json").json()["records"]
    assert (record["link"], record["linked_to"]) == ("linked by e-mail address", CODE)
    told = [(change["field"], change["before"], change["after"], change["rule"]) for change in record["changes"]]
    assert told == [("emails", "old@x.test", EMAIL, "feed"), ("link", None, CODE, "email")]
    assert record["changes"][0]["call"] == record["last_seen"]["call"]
    text = shop.ok("explain", "customer", CODE).out
    assert "the e-mail address decided (run 3, sync-customers)" in text
    assert "Customers" in text


def two_connectors(shop: Shop) -> Shop:
    """The same back office under two names."""
    own = {name: value for name, value in shop.env.items() if name.startswith("SYNCCTL_UNLEASHED_")}
    second = {name.replace("UNLEASHED", "SECOND"): value for name, value in own.items()}
    both = shop.env | second | {"SYNCCTL_CONNECTORS": "unleashed,second:unleashed"}
    return Shop(shop.folder, both, shop.upstream)


def test_two_connectors_link_for_themselves(shop: Shop) -> None:
    both = two_connectors(shop)
    both.ok("sync-customers")
    add(both, CODE)
    guid = plant(both, CODE)
    both.ok("sync-customers")
    where = "SELECT connector, remote_id FROM remote_customers WHERE customer_id IS NOT NULL ORDER BY connector"
    assert both.rows(where) == [("second", guid), ("unleashed", guid)]
    result = both.run("links", "remove", "customer", CODE)
    assert (result.code, "Say --connector NAME, as there are several: unleashed, second." in result.err) == (2, True)
    both.ok("links", "remove", "customer", CODE, "--connector", "second")
    assert both.rows(where) == [("unleashed", guid)]


def test_a_link_that_is_said_again_is_no_change(twins: tuple[Shop, str, str]) -> None:
    shop, first, _ = twins
    for _ in range(2):
        shop.ok("links", "add", "customer", CODE, first)
    (record,) = [r for r in shop.ok("explain", "customer", CODE, "--json").json()["records"] if r["remote_id"] == first]
    assert [each["after"] for each in record["changes"] if each["field"] == "link"] == [CODE]
