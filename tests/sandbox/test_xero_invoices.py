"""Invoices at `/xero`: verbs, numbers, contacts, statuses, and what is refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .xero_client import Json, XeroClient

ZERO = "00000000-0000-0000-0000-000000000000"
NOBODY = "11111111-1111-1111-1111-111111111111"
LINE = {"Description": "Mug", "Quantity": 2, "UnitAmount": 10, "AccountCode": "200"}


def number_of(xero: XeroClient, number: str) -> Json:
    return xero.one(f"/Invoices/{number}")


# What an invoice looks like


def test_an_invoice(xero: XeroClient) -> None:
    made = xero.invoice("WEB-1", Reference="order 1", Url="https://shop.example/1")
    assert (made["Status"], made["Reference"], made["CurrencyCode"]) == ("AUTHORISED", "order 1", "NZD")
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["AmountDue"]) == (20, 3, 23, 23)
    assert (made["DateString"], made["DueDateString"]) == ("2026-11-20T00:00:00", "2026-12-20T00:00:00")
    assert re.fullmatch(r"/Date\(\d+\+0000\)/", made["Date"])
    assert made["UpdatedDateUTCString"].endswith("Z")
    assert made["Contact"]["Name"] == "Ann Tui"
    assert len(made["Contact"]["Phones"]) == 4
    (line,) = made["LineItems"]
    assert (line["TaxType"], line["TaxAmount"], line["LineAmount"], line["Tracking"]) == ("OUTPUT2", 3, 20, [])
    assert number_of(xero, "WEB-1") == {**made, "Contact": {**made["Contact"], "IsCustomer": True}}
    assert xero.writes("invoices", made["InvoiceID"]) == 1


def today() -> str:
    """The date where the organisation is."""
    return f"{datetime.now(UTC) + timedelta(hours=12):%Y-%m-%d}"


def test_what_a_draft_may_lack(xero: XeroClient) -> None:
    contact = {"ContactID": xero.buyer()}
    draft = {"Type": "ACCREC", "Contact": contact, "LineItems": [{"Description": "Mug"}]}
    before = today()
    made = xero.put("Invoices", draft)
    assert (made["Status"], made["Total"], "DueDate" in made) == ("DRAFT", 0, False)
    assert before <= made["DateString"][:10] <= today()
    assert re.fullmatch(r"INV-\d{4}", made["InvoiceNumber"])
    assert xero.put("Invoices", draft)["InvoiceNumber"] > made["InvoiceNumber"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Type": None}, "Type"),
        ({"LineItems": []}, "line items"),
        ({"LineItems": [{**LINE, "Description": ""}]}, "line items"),
        ({"DueDate": None}, "DueDate"),
        ({"LineItems": [{**LINE, "AccountCode": None}]}, "Account code must be specified"),
        ({"LineItems": [{**LINE, "UnitAmount": None}]}, "amount"),
        ({"LineItems": [{**LINE, "AccountCode": "999"}]}, "Account code '999' is not a valid code for this document."),
        ({"LineItems": [{**LINE, "AccountCode": "881"}]}, "Account code '881'"),
        ({"LineItems": [{**LINE, "AccountCode": "090"}]}, "Account code '090'"),
        ({"LineItems": [{**LINE, "AccountCode": "610"}]}, "Account code '610'"),
        ({"LineItems": [{**LINE, "TaxType": "GST on Income"}]}, "The TaxType code GST on Income does not exist"),
        ({"LineItems": [{**LINE, "TaxType": "INPUT2"}]}, "'INPUT2' cannot be used with account code '200'."),
        ({"LineItems": [{**LINE, "ItemCode": "NOPE"}]}, "Item code 'NOPE'"),
        ({"LineItems": [{**LINE, "Description": "x" * 4001}]}, "Description"),
        ({"LineItems": [{**LINE, "UnitAmount": 9_999_999_999}]}, "too large"),
        ({"CurrencyCode": "EUR"}, "Organisation is not subscribed to currency EUR"),
        ({"Url": "/orders/1"}, "Url"),
        ({"Url": "https://xero.example/1"}, "Url"),
        ({"InvoiceNumber": "9" * 256}, "InvoiceNumber"),
        ({"Status": "PAID"}, "Invoice not of valid status for creation"),
        ({"Status": "VOIDED"}, "Invoice not of valid status for creation"),
        ({"Date": "2023-12-31"}, "The document date cannot be before the period lock date, currently set at"),
    ],
)
def test_what_is_refused(xero: XeroClient, fields: dict[str, Any], message: str) -> None:
    body = xero.invoice_body("WEB-1", **fields)
    assert message in xero.refusal("Invoices", body)
    assert xero.status("/Invoices/WEB-1") == 404


def test_a_refused_invoice_has_no_id(xero: XeroClient) -> None:
    bad = xero.invoice_body("WEB-1", Status="PAID")
    (element,) = xero.send("PUT", "Invoices", bad, summarizeErrors="false").json()["Invoices"]
    assert (element["InvoiceID"], element["HasErrors"], element["StatusAttributeString"]) == (ZERO, True, "ERROR")
    assert element["InvoiceNumber"] == "WEB-1"


def test_an_account_may_be_taken_off_with_a_warning(xero: XeroClient) -> None:
    xero.switch(unknown_account="remove")
    body = xero.invoice_body("WEB-1", LineItems=[{**LINE, "AccountCode": "999"}])
    made = xero.put("Invoices", body, summarizeErrors="false")
    assert made["StatusAttributeString"] == "WARNING"
    assert "'999' has been removed" in made["Warnings"][0]["Message"]
    assert "AccountCode" not in made["LineItems"][0]


def test_another_currency(xero: XeroClient) -> None:
    xero.switch(multicurrency="yes")
    actions = {each["Name"]: each["Status"] for each in xero.envelope("/Organisation/Actions")["Actions"]}
    assert actions["UseMulticurrency"] == "ALLOWED"
    assert xero.invoice(CurrencyCode="EUR")["CurrencyRate"] != 1
    assert xero.invoice(CurrencyCode="EUR", CurrencyRate=0.5)["CurrencyRate"] == 0.5
    assert "currency XXX" in xero.refusal("Invoices", xero.invoice_body(CurrencyCode="XXX"))


# Numbers


def test_put_creates_and_never_twice(xero: XeroClient) -> None:
    xero.invoice("WEB-1")
    assert xero.refusal("Invoices", xero.invoice_body("WEB-1", Reference="x")) == "Invoice # must be unique."
    assert number_of(xero, "WEB-1")["Reference"] == ""
    xero.switch(final_dot="no")
    assert xero.refusal("Invoices", xero.invoice_body("web-1")) == "Invoice # must be unique"


def test_post_rewrites_without_a_word(xero: XeroClient) -> None:
    first = xero.invoice("WEB-1")
    second = xero.invoice("WEB-1", "POST", LineItems=[{**LINE, "UnitAmount": 50}])
    assert second["InvoiceID"] == first["InvoiceID"]
    assert (second["Total"], len(second["LineItems"])) == (115, 1)
    assert xero.writes("invoices", first["InvoiceID"]) == 2


def test_a_voided_invoice_blocks_its_number(xero: XeroClient) -> None:
    key = xero.invoice("WEB-1")["InvoiceID"]
    xero.post(f"Invoices/{key}", {"Status": "VOIDED"})
    assert xero.refusal("Invoices", xero.invoice_body("WEB-1")) == "Invoice # must be unique."
    again = xero.refusal("Invoices", xero.invoice_body("WEB-1"), "POST")
    assert again == "Invoice not of valid status for modification"


@pytest.mark.parametrize("reading", ["free", "blocks"])
def test_whether_a_deleted_draft_blocks_its_number(xero: XeroClient, reading: str) -> None:
    xero.switch(deleted_number=reading)
    key = xero.invoice("WEB-1", Status="DRAFT")["InvoiceID"]
    xero.post(f"Invoices/{key}", {"Status": "DELETED"})
    answer = xero.send("PUT", "Invoices", xero.invoice_body("WEB-1"))
    assert answer.status_code == (200 if reading == "free" else 400)


def test_bills_share_numbers(xero: XeroClient) -> None:
    bill: Json = {"Type": "ACCPAY", "LineItems": [{**LINE, "AccountCode": "425"}]}
    assert xero.invoice("B-1", **bill)["InvoiceID"] != xero.invoice("B-1", **bill)["InvoiceID"]
    assert xero.invoice("B-1")["Type"] == "ACCREC"


def test_a_number_is_not_taken_over_by_an_update(xero: XeroClient) -> None:
    xero.invoice("WEB-1")
    key = xero.invoice("WEB-2")["InvoiceID"]
    assert "must be unique" in xero.refusal(f"Invoices/{key}", {"InvoiceNumber": "WEB-1"}, "POST")
    assert xero.post(f"Invoices/{key}", {"InvoiceNumber": "WEB-3"})["InvoiceNumber"] == "WEB-3"
    assert xero.status(f"/Invoices/{NOBODY}", method="POST", json={"Reference": "x"}) == 404


# The contact inside


def test_an_id_alone_leaves_the_contact_untouched(xero: XeroClient) -> None:
    key = xero.put("Contacts", {"Name": "Ann Tui", "EmailAddress": "ann@example.nz"})["ContactID"]
    before = xero.one(f"/Contacts/{key}")
    xero.invoice(Contact={"ContactID": key})
    assert xero.one(f"/Contacts/{key}") == {**before, "IsCustomer": True}
    assert xero.writes("customers", key) == 1


def test_anything_else_updates_the_contact(xero: XeroClient) -> None:
    people = [{"FirstName": "Kim"}]
    ann = {"Name": "Ann Tui", "EmailAddress": "ann@example.nz", "ContactPersons": [*people, *people]}
    key = xero.put("Contacts", ann)["ContactID"]
    named = {"ContactID": key, "Name": "Ann Other", "ContactPersons": people}
    assert xero.invoice(Contact=named)["Contact"]["Name"] == "Ann Other"
    contact = xero.one(f"/Contacts/{key}")
    assert (contact["Name"], contact["EmailAddress"]) == ("Ann Other", "ann@example.nz")
    assert contact["ContactPersons"] == people
    assert xero.writes("customers", key) == 2


def test_a_name_finds_or_creates(xero: XeroClient) -> None:
    made = xero.invoice(Contact={"Name": "Somebody New", "EmailAddress": "new@example.nz"})["Contact"]
    again = xero.invoice(Contact={"Name": "Somebody New"})["Contact"]
    assert (again["ContactID"], again["EmailAddress"]) == (made["ContactID"], "new@example.nz")
    assert xero.writes("customers", made["ContactID"]) == 1


def test_a_refused_invoice_leaves_the_contact_alone(xero: XeroClient) -> None:
    xero.refusal("Invoices", xero.invoice_body(Contact={"Name": "Somebody New"}, Status="PAID"))
    xero.refusal("Invoices", xero.invoice_body(Contact={"Name": "Somebody New"}, DueDate=None))
    assert xero.call("/Contacts", params={"searchTerm": "Somebody New"}).json()["Contacts"] == []


def test_the_faults_of_a_contact_are_those_of_the_invoice(xero: XeroClient) -> None:
    named = {"Name": "x", "EmailAddress": "bad"}
    assert xero.refusal("Invoices", xero.invoice_body(Contact=named)) == "Email address must be valid."
    assert "at least 1 of" in xero.refusal("Invoices", xero.invoice_body(Contact={"FirstName": "x"}))
    assert "Contact must be specified" in xero.refusal("Invoices", {**xero.invoice_body(), "Contact": None})


def test_an_archived_contact_on_an_invoice(xero: XeroClient) -> None:
    (key,) = xero.plant({"Name": "Old", "ContactStatus": "ARCHIVED"}, kind="customers")
    body = xero.invoice_body(Contact={"ContactID": key})
    assert "matched an archived contact" in xero.refusal("Invoices", body)
    xero.switch(archived_on_invoice="other_words")
    assert "matched" not in xero.refusal("Invoices", body)
    xero.switch(archived_on_invoice="accept")
    assert xero.put("Invoices", body)["Contact"]["Name"] == "Old"


def test_an_unknown_contact_ends_the_request(xero: XeroClient) -> None:
    bad = xero.invoice_body("WEB-2", Contact={"ContactID": NOBODY})
    assert xero.send("PUT", "Invoices", xero.invoice_body("WEB-1"), bad, summarizeErrors="false").status_code == 404
    assert xero.status("/Invoices/WEB-1") == 404
    xero.switch(unknown_contact="element")
    answer = xero.send("PUT", "Invoices", xero.invoice_body("WEB-1"), bad, summarizeErrors="false")
    assert [each["StatusAttributeString"] for each in answer.json()["Invoices"]] == ["OK", "ERROR"]


# Statuses


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("DRAFT DRAFT SUBMITTED SUBMITTED DRAFT AUTHORISED AUTHORISED VOIDED", True),
        ("DRAFT DELETED", True),
        ("SUBMITTED DELETED", True),
        ("DRAFT VOIDED", False),
        ("SUBMITTED VOIDED", False),
        ("AUTHORISED DELETED", False),
        ("AUTHORISED DRAFT", False),
        ("AUTHORISED PAID", False),
        ("AUTHORISED VOIDED AUTHORISED", False),
        ("DRAFT DELETED DRAFT", False),
    ],
)
def test_which_status_follows_which(xero: XeroClient, path: str, *, reached: bool) -> None:
    first, *between, last = path.split()
    target = f"Invoices/{xero.invoice(Status=first)['InvoiceID']}"
    for status in between:
        assert xero.post(target, {"Status": status})["Status"] == status
    if reached:
        assert xero.post(target, {"Status": last})["Status"] == last
    else:
        assert xero.refusal(target, {"Status": last}, "POST") == "Invoice not of valid status for modification"
    assert xero.one(f"/{target}")["Status"] == (last if reached else [first, *between][-1])


def test_approving_a_draft_asks_for_what_is_missing(xero: XeroClient) -> None:
    key = xero.invoice(Status="DRAFT", DueDate=None)["InvoiceID"]
    assert "DueDate" in xero.refusal(f"Invoices/{key}", {"Status": "AUTHORISED"}, "POST")
    made = xero.post(f"Invoices/{key}", {"Status": "AUTHORISED", "DueDate": "2026-12-24"})
    assert (made["Total"], made["AmountDue"]) == (23, 23)


def test_approving_looks_at_the_lines_as_well(xero: XeroClient) -> None:
    key = xero.invoice(Status="DRAFT", LineItems=[{"Description": "Mug", "UnitAmount": 1}])["InvoiceID"]
    assert xero.refusal(f"Invoices/{key}", {"Status": "AUTHORISED"}, "POST") == "Account code must be specified"


def test_what_amounts_hold_can_change_afterwards(xero: XeroClient) -> None:
    key = xero.invoice()["InvoiceID"]
    changed = xero.post(f"Invoices/{key}", {"LineAmountTypes": "Inclusive"})
    assert (changed["TotalTax"], changed["Total"]) == (2.61, 20)


def test_lines_are_kept_changed_added_and_dropped_by_id(xero: XeroClient) -> None:
    made = xero.invoice(LineItems=[LINE, {**LINE, "Description": "Bowl"}])
    target = f"Invoices/{made['InvoiceID']}"
    assert xero.post(target, {"Reference": "x"})["LineItems"] == made["LineItems"]
    kept = made["LineItems"][1]["LineItemID"]
    changed = xero.post(target, {"LineItems": [{"LineItemID": kept, "Quantity": 1}, LINE]})["LineItems"]
    assert [(each["Description"], each["Quantity"]) for each in changed] == [("Bowl", 1), ("Mug", 2)]
    assert changed[0]["LineItemID"] == kept
    assert changed[1]["LineItemID"] not in {each["LineItemID"] for each in made["LineItems"]}


@pytest.mark.parametrize("name", ["PeriodLockDate", "EndOfYearLockDate"])
def test_lock_dates(xero: XeroClient, name: str) -> None:
    key = xero.invoice()["InvoiceID"]
    tenant = xero.consent()["SYNCCTL_XERO_TENANT_ID"]
    xero.plant({"OrganisationID": tenant, name: "/Date(1798675200000+0000)/"}, kind="organisation")
    words = "period lock date" if name == "PeriodLockDate" else "end of year lock date"
    assert f"before the {words}, currently set at 31 Dec 2026" in xero.refusal("Invoices", xero.invoice_body())
    assert words in xero.refusal(f"Invoices/{key}", {"Status": "VOIDED"}, "POST")
    assert xero.invoice(Date="2026-12-31")["Status"] == "AUTHORISED"


# Reading


def listed(xero: XeroClient, **params: object) -> list[str]:
    answer = xero.call("/Invoices", params=params)
    assert answer.status_code == 200, answer.text
    return [each["InvoiceNumber"] for each in answer.json()["Invoices"]]


def test_lists(xero: XeroClient) -> None:
    ids = [xero.invoice(f"WEB-{number}", Reference=f"ref {number}")["InvoiceID"] for number in range(3)]
    xero.post(f"Invoices/{ids[2]}", {"Status": "VOIDED"})
    assert listed(xero, InvoiceNumbers="WEB-0, WEB-2,NOPE") == ["WEB-0", "WEB-2"]
    assert listed(xero, IDs=f"{ids[1].upper()},{NOBODY}") == ["WEB-1"]
    assert listed(xero, Statuses="VOIDED") == ["WEB-2"]
    assert listed(xero, ContactIDs=xero.buyer(), order="InvoiceNumber DESC") == ["WEB-2", "WEB-1", "WEB-0"]
    assert listed(xero, searchTerm="REF 1") == ["WEB-1"]
    assert listed(xero, where='InvoiceNumber=="WEB-1" AND Type=="ACCREC"') == ["WEB-1"]
    assert listed(xero, where="AmountDue>=23.0 AND Date>=DateTime(2026,11,20)&&Date<DateTime(2026, 11, 21)") == [
        *("WEB-0", "WEB-1")
    ]
    assert listed(xero, where='AmountDue>23 AND InvoiceNumber=="WEB-1"') == []
    assert listed(xero, where=f'Contact.ContactID==Guid("{xero.buyer()}") AND Status=="VOIDED"') == ["WEB-2"]


def test_whether_voided_ones_are_in_a_plain_list(xero: XeroClient) -> None:
    key = xero.invoice("WEB-1")["InvoiceID"]
    xero.post(f"Invoices/{key}", {"Status": "VOIDED"})
    assert "WEB-1" in listed(xero)
    xero.switch(voided_listed="no")
    assert "WEB-1" not in listed(xero)
    assert listed(xero, InvoiceNumbers="WEB-1") == ["WEB-1"]


def test_lines_are_in_pages_only(xero: XeroClient) -> None:
    xero.invoice("WEB-1")
    bare = xero.one("/Invoices?InvoiceNumbers=WEB-1")
    assert (bare["LineItems"], set(bare["Contact"])) == ([], {"ContactID", "Name"})
    paged = xero.one("/Invoices?InvoiceNumbers=WEB-1&page=1")
    assert (len(paged["LineItems"]), "Phones" in paged["Contact"]) == (1, True)
    summary = xero.one("/Invoices?InvoiceNumbers=WEB-1&page=1&summaryOnly=true")
    assert not {"LineItems", "Payments"} & set(summary)


def test_pages_and_changes(xero: XeroClient) -> None:
    whole = listed(xero)
    page = xero.envelope("/Invoices?page=2&pageSize=5")
    assert [each["InvoiceNumber"] for each in page["Invoices"]] == whole[5:10]
    assert page["pagination"] == {"page": 2, "pageSize": 5, "pageCount": -(-len(whole) // 5), "itemCount": len(whole)}
    xero.invoice("WEB-1")
    assert listed(xero)[-1] == "WEB-1"  # the latest change comes last
    now = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"
    since = xero.envelope("/Invoices?page=1", **{"If-Modified-Since": now})
    assert [each["InvoiceNumber"] for each in since["Invoices"]] == ["WEB-1"]


@pytest.mark.parametrize("token", ["null", '"x"', "[]", "{}", "NaN", '"/Date(99999999999999999+0000)/"'])
def test_nonsense_is_served_as_it_was_planted(xero: XeroClient, token: str) -> None:
    names = ("Date", "DueDate", "Contact", "LineItems", "Payments", "Total", "Reference")
    fields = ",".join(f'"{name}":{token}' for name in names)
    xero.control("POST", "records/xero/invoices", text=f'{{"InvoiceNumber":"ODD",{fields}}}')
    for path in ("/Invoices", "/Invoices/ODD", "/Invoices?page=1", "/Invoices?page=1&summaryOnly=true&searchTerm=odd"):
        assert xero.status(path) == 200
    assert f'"Total":{token.replace("/", chr(92) + "/")}' in xero.call("/Invoices/ODD").text


def test_a_planted_invoice_stands_as_it_is(xero: XeroClient) -> None:
    (key,) = xero.plant({"InvoiceNumber": "UP-1", "Total": 5, "Status": "AUTHORISED"}, kind="invoices")
    assert (number_of(xero, "UP-1")["InvoiceID"], number_of(xero, "UP-1")["Total"]) == (key, 5)
    assert xero.plant({"InvoiceNumber": "UP-1", "Status": "VOIDED"}, kind="invoices") == [key]
    assert number_of(xero, "UP-1")["Status"] == "VOIDED"
    assert xero.writes("invoices", key) == 0
