from uuid import uuid4

import pytest

from .client import Client

JO = {
    "CustomerCode": "WEB-1",
    "CustomerName": "Jo Example",
    "Email": "jo@shop.test",
    "ContactFirstName": "Jo",
    "ContactLastName": "Example",
}


def names(client: Client, query: str) -> list[str]:
    return [item["CustomerName"] for item in client.items(f"/Customers?{query}")]


def test_creating_makes_the_primary_contact_and_falls_back_on_the_currency(client: Client) -> None:
    guid = str(uuid4())
    answer = client.call("POST", f"/Customers/{guid}", JO)
    assert answer.status_code == 201
    created = answer.json()
    assert created == client.get(f"/Customers/{guid}")
    assert created["Currency"]["CurrencyCode"] == "NZD"
    (contact,) = client.items(f"/Customers/{guid}/Contacts")
    assert (contact["FirstName"], contact["EmailAddress"], contact["IsDefault"]) == ("Jo", "jo@shop.test", True)
    assert client.call("POST", f"/Customers/{guid}", JO).json()["Contacts"] == created["Contacts"]


def test_posting_again_blanks_what_is_left_out(client: Client) -> None:
    path = f"/Customers/{uuid4()}"
    client.call("POST", path, {**JO, "PhoneNumber": "1"})
    again = client.call("POST", path, {"CustomerCode": "WEB-1", "CustomerName": "Jo"}).json()
    assert (again["PhoneNumber"], again["Email"], again["Contacts"]) == (None, None, [])


def test_prefix_filters(client: Client) -> None:
    jo = {**JO, "CustomerName": "Jo Everyone"}  # nobody in the seed has that name
    client.plant("customers", jo, {**JO, "CustomerCode": "WEB-10", "CustomerName": "Joanna", "Email": "x@y.test"})
    assert names(client, "customerCode=web-1") == ["Jo Everyone", "Joanna"]
    assert names(client, "customerName=jo%20ev") == ["Jo Everyone"]
    assert names(client, "contactEmail=JO@sh") == ["Jo Everyone"]
    assert names(client, "contactEmail=shop.test") == []
    assert names(client, "customer=Joanna") == ["Joanna"]
    assert names(client, "customer=joanna") == []


def test_an_email_of_a_contact_is_found_too(client: Client) -> None:
    contacts = [{"EmailAddress": "Deep@shop.test"}]
    client.plant("customers", {**JO, "Contacts": contacts})
    assert names(client, "contactEmail=deep@shop.test") == ["Jo Example"]
    plain, full = (client.items(f"/Customers?customerCode=WEB-1{more}")[0] for more in ("", "&includeAllContacts=true"))
    assert plain["Contacts"] == []
    assert full["Contacts"] == contacts


def test_exact_filters(client: Client) -> None:
    client.plant("customers", {**JO, "CustomerType": "Wholesale", "SellPriceTier": "Gold", "XeroContactId": "x1"})
    for query in ("customerType=Wholesale", "sellPriceTier=Gold", "xeroContactId=x1"):
        assert names(client, query) == ["Jo Example"]
    assert names(client, "currency=AUD") == []


def test_obsolete_customers_are_hidden(client: Client) -> None:
    client.plant("customers", {**JO, "Obsolete": True})
    assert names(client, "customerCode=WEB-1") == []
    assert names(client, "customerCode=WEB-1&includeObsolete=true") == ["Jo Example"]


@pytest.mark.parametrize(("missing"), ["CustomerCode", "CustomerName"])
def test_what_is_required(client: Client, missing: str) -> None:
    answer = client.call("POST", "/Customers", {name: value for name, value in JO.items() if name != missing})
    assert answer.status_code == 400
    assert answer.json()["Items"][0]["Field"] == missing


def test_a_code_belongs_to_one_customer_but_an_email_may_be_shared(client: Client) -> None:
    client.plant("customers", JO)
    assert client.status("POST", "/Customers", JO) == 400
    assert client.status("POST", "/Customers", {**JO, "CustomerCode": "WEB-2"}) == 201


def test_modified_since(client: Client) -> None:
    client.control("POST", "clock", {"advance": 86400})
    today = client.control("GET", "clock")["now"][:19]
    client.plant("customers", JO)
    assert names(client, f"modifiedSince={today}") == ["Jo Example"]
