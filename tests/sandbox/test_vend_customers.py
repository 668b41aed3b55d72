"""Customers of Vend's copy: creating, changing, deleting them, and what the seed has of them."""

from collections import Counter
from uuid import uuid4

import pytest
import requests
from seeded import seeded

from .vend_client import Json, VendClient

JO: Json = {"first_name": "Jo", "last_name": "Example", "email": "jo@shop.test"}
NOBODY: Json = {"first_name": None, "last_name": None}
LUHN = "4111 1111 1111 1111"


def status(vend: VendClient, version: str = "2026-07", **fields: object) -> int:
    return vend.send("POST", "/customers", JO | fields, version).status_code


def test_creating_answers_201_with_the_customer(vend: VendClient) -> None:
    answer = vend.send("POST", "/customers", JO | {"id": str(uuid4()), "balance": 5, "year_to_date": 5})
    assert answer.status_code == 201
    jo = answer.json()["data"]
    assert jo == vend.data(f"/customers/{jo['id']}")
    assert (jo["name"], jo["email"], jo["balance"], jo["deleted_at"]) == ("Jo Example", "jo@shop.test", 0, None)
    assert jo["customer_group_id"] == vend.data("/customer_groups")[0]["id"]
    assert jo["version"] > max(row["version"] for row in vend.records("products"))
    assert vend.writes("customers") == {jo["id"]: 1}


@pytest.mark.parametrize(("first", "prefix"), [("Tony", "Tony"), (None, "UNNAMED")])
def test_a_code_is_made_where_there_is_none(vend: VendClient, first: str | None, prefix: str) -> None:
    found, dash, end = vend.made("/customers", NOBODY | {"first_name": first})["customer_code"].rpartition("-")
    assert (found, dash, len(end)) == (prefix, "-", 4)


@pytest.mark.parametrize("missing", ["first_name", "last_name"])
def test_both_names_are_required_and_may_be_null(vend: VendClient, missing: str) -> None:
    body = {name: value for name, value in JO.items() if name != missing}
    assert vend.send("POST", "/customers", body).status_code == 400
    assert vend.made("/customers", body | {missing: None})[missing] is None


@pytest.mark.parametrize(
    "wrong", [{"email": 5}, {"note": ["a"]}, {"enable_loyalty": "yes"}, {"physical_postcode": 1010}, {"phone": True}]
)
def test_wrong_types_are_refused(vend: VendClient, wrong: Json) -> None:
    assert status(vend, **wrong) == 400


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"1"])
def test_a_body_that_is_no_object(vend: VendClient, text: bytes) -> None:
    assert vend.call("POST", "2026-07/customers", data=text).status_code == 400


def test_an_email_may_be_shared_a_code_may_not(vend: VendClient) -> None:
    vend.made("/customers", JO | {"customer_code": "WEB-1"})
    vend.made("/customers", JO | {"customer_code": "WEB-2"})
    for mode in ("422", "409", "400"):
        vend.switch(customer_code_taken=mode)
        assert status(vend, customer_code="WEB-1") == int(mode)
    vend.switch(customer_code_taken="allowed")
    assert status(vend, customer_code="WEB-1") == 201


def test_the_code_of_a_deleted_customer_is_free(vend: VendClient) -> None:
    jo = vend.made("/customers", JO | {"customer_code": "WEB-1"})
    assert vend.send("PUT", f"/customers/{jo['id']}", JO | {"customer_code": "WEB-1"}).status_code == 200
    vend.send("DELETE", f"/customers/{jo['id']}")
    assert status(vend, customer_code="WEB-1") == 201


def test_an_unknown_group(vend: VendClient) -> None:
    assert status(vend, customer_group_id=str(uuid4())) == 422
    vend.switch(unknown_reference="404")
    assert status(vend, customer_group_id=str(uuid4())) == 404
    trade = vend.data("/customer_groups")[1]["id"]
    assert vend.made("/customers", JO | {"customer_group_id": trade})["customer_group_id"] == trade


def test_a_code_or_group_of_null_counts_as_left_out(vend: VendClient) -> None:
    trade = vend.data("/customer_groups")[1]["id"]
    unset = {"customer_code": None, "customer_group_id": None}
    assert None not in [vend.made("/customers", JO | unset)[name] for name in unset]
    jo = vend.made("/customers", JO | {"customer_code": "WEB-1", "customer_group_id": trade})
    put = vend.send("PUT", f"/customers/{jo['id']}", JO | unset).json()["data"]
    assert (put["customer_code"], put["customer_group_id"]) == ("WEB-1", trade)


def test_card_numbers_vanish_without_a_word(vend: VendClient) -> None:
    fields = {"note": f"card {LUHN}, thanks", "custom_field_1": LUHN.replace(" ", ""), "phone": LUHN}
    answer = vend.send("POST", "/customers", JO | fields | {"company_name": "4111 1111 1111 1112"})
    assert answer.status_code == 201
    jo = answer.json()["data"]
    assert (jo["note"], jo["custom_field_1"]) == ("card **** **** **** ****, thanks", "*" * 16)
    assert (jo["phone"], jo["company_name"]) == (LUHN, "4111 1111 1111 1112")


@pytest.mark.parametrize(
    ("country", "good", "bad"),
    [("NZ", "1010", "101"), ("US", "90210-1234", "9021"), ("GB", "sw1a 1aa", "1010"), ("CA", "K1A 0B1", "K1A")],
)
def test_post_codes_are_strict_from_2026_07(vend: VendClient, country: str, good: str, bad: str) -> None:
    fields = {"physical_country_id": country, "physical_postcode": good, "postal_country_id": country}
    assert status(vend, **fields) == 201
    assert status(vend, **fields, postal_postcode=bad) == 400
    assert status(vend, "2026-04", **fields, postal_postcode=bad) == 201
    assert status(vend, postal_postcode=bad) == status(vend, postal_postcode=bad, postal_country_id="ZZ") == 201


def test_a_put_replaces_or_merges(vend: VendClient) -> None:
    jo = vend.made("/customers", JO | {"phone": "1", "customer_code": "WEB-1"})
    path = f"/customers/{jo['id']}"
    answer = vend.send("PUT", path, JO | {"first_name": "Joanna"})
    assert answer.status_code == 200
    replaced = answer.json()["data"]
    assert replaced == vend.data(path)
    kept = ("id", "customer_code", "created_at", "balance")
    assert [replaced[name] for name in kept] == [jo[name] for name in kept]
    assert (replaced["name"], replaced["phone"], replaced["version"] > jo["version"]) == ("Joanna Example", None, True)
    vend.switch(customer_put="merge")
    assert vend.send("PUT", path, JO | {"phone": "2"}).json()["data"]["phone"] == "2"
    assert vend.send("PUT", path, JO).json()["data"]["phone"] == "2"
    assert vend.send("PUT", path, {"phone": "3"}).status_code == 400
    assert vend.writes("customers") == {jo["id"]: 4}


def test_a_deleted_customer_leaves_a_tombstone(vend: VendClient) -> None:
    jo = vend.made("/customers", JO)
    path, after = f"/customers/{jo['id']}", f"?after={jo['version']}"
    answer = vend.send("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert vend.data(f"/customers{after}") == []
    (tombstone,) = vend.data(f"/customers{after}&deleted=true")
    assert tombstone["deleted_at"] is not None
    assert [vend.send(method, path, JO).status_code for method in ("GET", "PUT", "DELETE")] == [404] * 3


def test_the_list_has_a_cursor_and_no_filters(vend: VendClient) -> None:
    rows = vend.walk("/customers?page_size=7")
    assert [row["version"] for row in rows] == sorted({row["version"] for row in rows})
    assert len(vend.data("/customers?page_size=1000&email=nobody@example.test")) == len(rows)
    assert vend.walk("/customers?page_size=7&deleted=true") == sorted(
        vend.records("customers"), key=lambda row: row["version"]
    )
    assert vend.get("/customers?page_size=7", "2.0") == vend.get("/customers?page_size=7")


def test_a_planted_customer_is_kept_as_it_is(vend: VendClient) -> None:
    (key,) = vend.plant("customers", {"customer_code": "X", "email": 5, "year_to_date": 1.5})
    before = vend.record("customers", key)
    vend.plant("customers", {"customer_code": "X", "phone": "9"}, silent=True)
    assert vend.record("customers", key) == before | {"phone": "9"}
    vend.plant("customers", {"customer_code": "X", "phone": "8"})
    assert vend.record("customers", key)["version"] > before["version"]
    assert vend.writes("customers") == {}


def test_the_same_addresses_as_in_the_other_back_office() -> None:
    with seeded("unleashed", "vend") as running, requests.Session() as session:
        vend = VendClient(running, session)
        theirs = {row["Email"] for row in vend.control("GET", "records/unleashed/customers")["records"]}
        ours = {str(row["email"]).lower() for row in vend.records("customers")}
    assert len(theirs) == 50
    assert theirs < ours


def test_the_seeded_customers(vend: VendClient) -> None:
    rows = vend.records("customers")
    assert len(rows) == 55
    assert rows[0]["customer_code"] == "WALKIN"
    assert [row["customer_code"] for row in rows if not row["name"]] == ["UNNAMED-669D"]
    emails = Counter(row["email"] for row in rows)
    assert emails["family@example.test"] == 2
    assert any(email != email.lower() for email in emails if email)
    assert sum(row["deleted_at"] is not None for row in rows) == 1
    assert len({row["id"] for row in rows}) == len({row["customer_code"] for row in rows}) == len(rows)
    assert {row["customer_group_id"] for row in rows} == {vend.data("/customer_groups")[0]["id"]}
