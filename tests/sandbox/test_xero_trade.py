"""The people and the papers that `/xero` is seeded with."""

import requests

from syncctl.sandbox import Sandbox

from .xero_client import Json, XeroClient


def everybody(xero: XeroClient) -> list[Json]:
    found: list[Json] = xero.envelope("/Contacts?page=1&pageSize=1000&includeArchived=true")["Contacts"]
    return found


def test_the_same_people_as_in_the_other_back_office() -> None:
    with Sandbox(products=10, services=("unleashed", "xero")) as sandbox, requests.Session() as session:
        contacts = everybody(XeroClient(sandbox, session))
        theirs = session.get(f"{sandbox.url}/_sandbox/records/unleashed/customers", timeout=20).json()["records"]
    known = {each["Email"]: each["CustomerName"] for each in theirs}
    ours = {each["EmailAddress"].lower(): each for each in contacts if each["EmailAddress"]}
    assert set(ours) < set(known)
    named = [known[email] for email, each in ours.items() if each["Name"].startswith(known[email])]
    assert len(named) > len(ours) - 5  # but for the addresses that several contacts share
    assert len(ours) > 30


def test_what_accumulates_in_a_list_of_contacts(xero: XeroClient) -> None:
    contacts = everybody(xero)
    emails = [each["EmailAddress"] for each in contacts]
    lower = [email.lower() for email in emails if email]
    assert any(email != email.lower() for email in emails)
    assert "" in emails
    assert len(set(lower)) < len(lower)
    merged = [each["MergedToContactID"] for each in contacts if each.get("MergedToContactID")]
    assert set(merged) < {each["ContactID"] for each in contacts if each["ContactStatus"] == "ACTIVE"}
    assert len(merged) == 1
    assert any("ContactNumber" in each for each in contacts)
    assert any("ContactNumber" not in each for each in contacts)
    active = [each["Name"].casefold() for each in contacts if each["ContactStatus"] == "ACTIVE"]
    assert len(set(active)) == len(active) < len(contacts)


def test_invoices_of_all_kinds(xero: XeroClient) -> None:
    invoices = xero.envelope("/Invoices?page=1")["Invoices"]
    assert {each["Status"] for each in invoices} == {"DRAFT", "AUTHORISED", "PAID"}
    for each in invoices:
        assert round(each["AmountPaid"] + each["AmountDue"], 2) == each["Total"]
        assert bool(each["Payments"]) == (each["Status"] == "PAID")
        assert each["Contact"]["IsCustomer"] is True
    payments = xero.envelope("/Payments?page=1")["Payments"]
    assert {each["Invoice"]["InvoiceID"] for each in payments} < {each["InvoiceID"] for each in invoices}


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        with Sandbox(products=1, seed=seed, services=("xero",)) as sandbox, requests.Session() as session:
            xero = XeroClient(sandbox, session)
            return [key for kind in ("Contact", "Invoice", "Payment") for key in keys(xero, kind)]

    def keys(xero: XeroClient, kind: str) -> list[str]:
        found = xero.envelope(f"/{kind}s?page=1&order={kind}ID")[f"{kind}s"]
        lines = [line["LineItemID"] for each in found for line in each.get("LineItems", ())]
        return [*lines, *(each[f"{kind}ID"] for each in found)]

    assert ids(3) == ids(3) != ids(4)


def test_nothing_seeded_counts_as_written(xero: XeroClient) -> None:
    for kind in ("customers", "invoices", "payments"):
        assert not any(xero.control("GET", f"records/xero/{kind}")["writes"].values())


def test_reset_brings_the_papers_back(xero: XeroClient) -> None:
    before = [each["InvoiceNumber"] for each in xero.envelope("/Invoices")["Invoices"]]
    xero.invoice()
    xero.control("POST", "reset")
    found = xero.control("GET", "records/xero/invoices")["records"]
    assert sorted(each["InvoiceNumber"] for each in found) == sorted(before)
