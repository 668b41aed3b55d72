"""Contacts at `/xero`: who can be created, who is matched, and what a write leaves alone."""

import re
from datetime import UTC, datetime

import pytest

from .xero_client import XeroClient

ANN = {"Name": "Ann Tui", "ContactNumber": "WEB-1", "AccountNumber": "A-1", "EmailAddress": "ann@example.nz"}
ZERO = "00000000-0000-0000-0000-000000000000"


def test_a_contact_has_all_its_slots(xero: XeroClient) -> None:
    phone = {"PhoneType": "MOBILE", "PhoneNumber": "123"}
    ann = xero.put("Contacts", {**ANN, "Phones": [phone], "Addresses": [{"AddressType": "STREET", "City": "Nelson"}]})
    assert {each["PhoneType"] for each in ann["Phones"]} == {"DEFAULT", "DDI", "FAX", "MOBILE"}
    assert [each["PhoneNumber"] for each in ann["Phones"] if each["PhoneType"] == "MOBILE"] == ["123"]
    assert {each["AddressType"]: each["City"] for each in ann["Addresses"]} == {"STREET": "Nelson", "POBOX": ""}
    assert (ann["ContactStatus"], ann["ContactGroups"], ann["IsCustomer"]) == ("ACTIVE", [], False)
    assert re.fullmatch(r"/Date\(\d{13}\+0000\)/", ann["UpdatedDateUTC"])
    assert "StatusAttributeString" not in ann
    assert xero.writes("customers", ann["ContactID"]) == 1


def test_it_is_read_by_id_and_by_number(xero: XeroClient) -> None:
    ann = xero.put("Contacts", ANN)
    assert xero.one(f"/Contacts/{ann['ContactID'].upper()}")["Name"] == "Ann Tui"
    assert xero.one("/Contacts/WEB-1")["ContactID"] == ann["ContactID"]
    assert xero.status("/Contacts/nobody") == 404


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Name": "ANN tui"}, "The contact name ANN tui is already assigned to another contact."),
        ({"Name": "New", "ContactNumber": "WEB-1"}, "The Contact Number already exists."),
        ({"Name": "New", "AccountNumber": "A-1"}, "The Account Number already exists."),
        ({"ContactNumber": "WEB-2"}, "Contact Name cannot be empty."),
        ({"Name": "New", "EmailAddress": "no address"}, "Email address must be valid."),
        ({"Name": "New", "EmailAddress": "jörg@example.nz"}, "Email address must be valid."),
        ({"Name": "A <b>"}, "invalid characters"),
        ({"Name": " New"}, "invalid characters"),
        ({"Name": "New  one"}, "invalid characters"),
        ({"Name": "x" * 256}, "Name field must be 255"),
        ({"Name": "New", "ContactNumber": "9" * 51}, "ContactNumber field must be 50"),
        ({"Name": "New", "Phones": [{"PhoneType": "DDI", "PhoneAreaCode": "1" * 11}]}, "PhoneAreaCode"),
        ({"Name": "New", "Addresses": [{"AddressType": "STREET", "Country": "NZ 1"}]}, "Country"),
        ({"Name": "New", "ContactPersons": [{"FirstName": "x"}] * 6}, "at most 5"),
    ],
)
def test_who_is_refused(xero: XeroClient, fields: dict[str, object], message: str) -> None:
    xero.put("Contacts", ANN)
    before = xero.control("GET", "records/xero/customers?limit=1")["total"]
    assert message in xero.refusal("Contacts", fields)
    assert xero.control("GET", "records/xero/customers?limit=1")["total"] == before


def test_a_refused_create_has_no_id(xero: XeroClient) -> None:
    xero.put("Contacts", ANN)
    (element,) = xero.send("PUT", "Contacts", {"Name": "Ann Tui"}).json()["Elements"]
    assert (element["ContactID"], element["HasValidationErrors"]) == (ZERO, True)


def test_an_address_is_neither_unique_nor_matched(xero: XeroClient) -> None:
    first = xero.put("Contacts", ANN)
    second = xero.post("Contacts", {"Name": "Another", "EmailAddress": "ann@example.nz"})
    assert second["ContactID"] != first["ContactID"]


@pytest.mark.parametrize(
    "named", [{"Name": "ann TUI"}, {"ContactNumber": "WEB-1"}, {"ContactNumber": "WEB-1", "Name": "Anna"}]
)
def test_post_updates_whom_it_matches(xero: XeroClient, named: dict[str, str]) -> None:
    ann = xero.put("Contacts", ANN)
    changed = xero.post("Contacts", {**named, "FirstName": "Ann"})
    assert changed["ContactID"] == ann["ContactID"]
    assert (changed["FirstName"], changed["EmailAddress"]) == ("Ann", "ann@example.nz")
    assert changed["Name"] == named.get("Name", "Ann Tui")


def test_whether_the_number_or_the_name_is_stronger(xero: XeroClient) -> None:
    xero.put("Contacts", ANN)
    bob = xero.put("Contacts", {"Name": "Bob"})
    assert "is already assigned" in xero.refusal("Contacts", {"ContactNumber": "WEB-1", "Name": "Bob"}, "POST")
    xero.switch(contact_match="name")
    assert "Number already exists" in xero.refusal("Contacts", {"ContactNumber": "WEB-1", "Name": "Bob"}, "POST")
    assert xero.post("Contacts", {"ContactNumber": "WEB-7", "Name": "Bob"})["ContactID"] == bob["ContactID"]


def test_what_identifies_nobody(xero: XeroClient) -> None:
    assert "at least 1 of the following elements" in xero.refusal("Contacts", {"FirstName": "x"}, "POST")
    ghost = {"ContactID": "11111111-1111-1111-1111-111111111111", "Name": "x"}
    answer = xero.send("POST", "Contacts", {"Name": "Good"}, ghost, summarizeErrors="false")
    assert answer.status_code == 404  # and the good one is not stored either
    assert xero.call("/Contacts", params={"where": 'Name=="Good"'}).json()["Contacts"] == []


def test_an_update_changes_what_it_names_only(xero: XeroClient) -> None:
    people = [{"FirstName": "Kim"}, {"FirstName": "Lee"}]
    key = xero.put("Contacts", {**ANN, "ContactPersons": people})["ContactID"]
    path = f"Contacts/{key}"
    xero.post(path, {"Phones": [{"PhoneType": "DDI", "PhoneNumber": "1"}], "ContactPersons": []})
    changed = xero.post(path, {"Phones": [{"PhoneType": "FAX", "PhoneNumber": "2"}]})
    assert {each["PhoneType"]: each["PhoneNumber"] for each in changed["Phones"]} == {
        "DEFAULT": "",
        "DDI": "1",
        "FAX": "2",
        "MOBILE": "",
    }
    assert changed["ContactPersons"] == people
    assert xero.post(path, {"ContactPersons": [{"FirstName": "Noa"}]})["ContactPersons"] == [{"FirstName": "Noa"}]
    assert xero.one(f"/{path}")["AccountNumber"] == "A-1"


def test_an_archived_contact_cannot_be_edited(xero: XeroClient) -> None:
    ann = xero.put("Contacts", ANN)
    assert xero.post("Contacts", {"ContactID": ann["ContactID"], "ContactStatus": "ARCHIVED"})
    for fields in ({"FirstName": "x"}, {"ContactStatus": "ACTIVE"}):
        assert "matched an archived contact" in xero.refusal(f"Contacts/{ann['ContactID']}", fields, "POST")
    assert "matched an archived contact" in xero.refusal("Contacts", {"ContactNumber": "WEB-1"}, "POST")


def test_what_an_archived_contact_keeps(xero: XeroClient) -> None:
    xero.plant({**ANN, "ContactStatus": "ARCHIVED"}, kind="customers")
    new = {"Name": "New", "AccountNumber": "A-1"}
    assert "Account Number" in xero.refusal("Contacts", new)
    xero.switch(account_number="active", archived_name="blocks")
    assert xero.put("Contacts", new)["AccountNumber"] == "A-1"
    assert "archived contact" in xero.refusal("Contacts", {"Name": "Ann Tui"}, "POST")
    xero.switch(archived_name="free")
    assert xero.put("Contacts", {"Name": "Ann Tui"})["ContactStatus"] == "ACTIVE"


def names(xero: XeroClient, **params: object) -> list[str]:
    answer = xero.call("/Contacts", params=params)
    assert answer.status_code == 200, answer.text
    return [each["Name"] for each in answer.json()["Contacts"]]


def test_pages(xero: XeroClient) -> None:
    everybody = names(xero)
    assert everybody == sorted(everybody, key=str.upper)
    first, second = (xero.envelope(f"/Contacts?page={page}&pageSize=20") for page in (1, 2))
    assert first["pagination"] == {"page": 1, "pageSize": 20, "pageCount": -(-len(everybody) // 20)} | {
        "itemCount": len(everybody)
    }
    assert [each["Name"] for each in first["Contacts"] + second["Contacts"]] == everybody[:40]
    assert "pagination" not in xero.envelope("/Contacts")
    assert names(xero, page=99) == []


@pytest.mark.parametrize(
    ("params", "size"),
    [({"pageSize": 5000}, 1000), ({"pageSize": 0}, 1), ({"page_size": 3}, 100), ({"pageSize": "x"}, 100)],
)
def test_the_size_of_a_page_is_adjusted_without_a_word(xero: XeroClient, params: dict[str, object], size: int) -> None:
    answer = xero.call("/Contacts", params={"page": 1, **params}).json()
    assert answer["pagination"]["pageSize"] == size


def test_a_page_can_be_in_an_order_that_no_change_moves(xero: XeroClient) -> None:
    ids = [each["ContactID"] for each in xero.envelope("/Contacts?page=1&order=ContactID%20ASC")["Contacts"]]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    "params",
    [
        {"where": 'EmailAddress=="ANN@example.nz"'},
        {"where": 'AccountNumber=="A-1"'},
        {"where": 'ContactNumber=="WEB-1" AND Name=="ann tui"', "page": 1},
        {"searchTerm": "nn TU"},
        {"searchTerm": "web-1", "page": 1},
    ],
)
def test_somebody_is_found(xero: XeroClient, params: dict[str, object]) -> None:
    xero.put("Contacts", ANN)
    assert names(xero, **params) == ["Ann Tui"]
    assert names(xero, searchTerm="A-1") == []


def test_a_name_is_found_without_its_accents(xero: XeroClient) -> None:
    xero.put("Contacts", {"Name": "Zoë Müller-Tui"})
    assert names(xero, where='Name=="zoe muller-tui"') == ["Zoë Müller-Tui"]


def test_archived_contacts_are_hidden(xero: XeroClient) -> None:
    (key,) = xero.plant({**ANN, "ContactStatus": "ARCHIVED", "MergedToContactID": ZERO}, kind="customers")
    assert names(xero, IDs=key) == []
    assert names(xero, IDs=f"{key.upper()},{ZERO}", includeArchived="true") == ["Ann Tui"]
    assert "MergedToContactID" not in xero.one(f"/Contacts?IDs={key}&includeArchived=true")
    assert xero.one(f"/Contacts?IDs={key}&includeArchived=true&page=1")["MergedToContactID"] == ZERO
    assert xero.one(f"/Contacts/{key}")["MergedToContactID"] == ZERO


def test_a_summary_says_less(xero: XeroClient) -> None:
    contacts = xero.envelope("/Contacts?summaryOnly=true")["Contacts"]
    assert contacts
    assert not any("IsCustomer" in each for each in contacts)


def test_what_changed(xero: XeroClient) -> None:
    key = xero.buyer()
    xero.advance(60)
    now = f"{datetime.fromtimestamp(datetime.now(UTC).timestamp() + 30, UTC):%Y-%m-%dT%H:%M:%S}"
    xero.plant({"ContactID": key, "FirstName": "x"}, kind="customers", silent=True)
    xero.invoice()  # makes a customer of her, which is not told
    assert xero.one(f"/Contacts/{key}")["IsCustomer"] is True
    assert xero.envelope("/Contacts", **{"If-Modified-Since": now})["Contacts"] == []
    xero.post(f"Contacts/{key}", {"LastName": "Tui"})
    assert [each["ContactID"] for each in xero.envelope("/Contacts", **{"If-Modified-Since": now})["Contacts"]] == [key]


@pytest.mark.parametrize("token", ["null", '"x"', "[]", "{}", "5", '["x",{"PhoneType":"DDI"}]'])
def test_nonsense_is_served_as_it_was_planted(xero: XeroClient, token: str) -> None:
    names = ("Name", "EmailAddress", "AccountNumber", "Phones", "Addresses", "ContactPersons")
    fields = ",".join(f'"{name}":{token}' for name in names)
    xero.control("POST", "records/xero/customers", text=f'{{"ContactNumber":"ODD",{fields}}}')
    for path in ("/Contacts", "/Contacts/ODD", "/Contacts?page=1&searchTerm=odd"):
        assert xero.status(path) == 200
    assert f'"EmailAddress":{token}' in xero.call("/Contacts/ODD").text


def test_scopes(xero: XeroClient) -> None:
    token = xero.log_in(scope="accounting.contacts.read accounting.invoices")
    assert xero.status("/Contacts", token=token) == 200
    body = {"Contacts": [ANN]}
    assert xero.status("/Contacts", method="PUT", token=token, json=body) == 401
    assert xero.status("/Invoices", token=token) == 200
    assert xero.status("/Payments", token=token) == 401
    assert xero.status("/Contacts", method="PUT", token=xero.log_in(scope="accounting.contacts"), json=body) == 200


def test_a_url_can_be_too_long(xero: XeroClient) -> None:
    def ids(count: int) -> str:
        return ",".join([ZERO] * count)

    assert xero.status(f"/Contacts?IDs={ids(50)}") == 200
    assert xero.status(f"/Contacts?IDs={ids(60)}") == 404
