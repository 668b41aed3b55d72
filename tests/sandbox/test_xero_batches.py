"""Many elements in one request: what is stored, and what is told."""

import pytest

from .xero_client import Json, XeroClient

GOOD, BAD = {"Name": "Good"}, {"Name": "Good", "EmailAddress": "nobody"}
ZERO = "00000000-0000-0000-0000-000000000000"


def stored(xero: XeroClient) -> list[str]:
    found = xero.control("GET", "records/xero/customers")["records"]
    return [each["Name"] for each in found if each["Name"] in {"Good", "Better"}]


def test_a_400_tells_of_the_bad_ones_and_keeps_the_good_ones(xero: XeroClient) -> None:
    answer = xero.send("PUT", "Contacts", GOOD, BAD, {"Name": "Better"})
    assert answer.status_code == 400
    (element,) = answer.json()["Elements"]
    assert (element["EmailAddress"], element["ContactID"]) == ("nobody", ZERO)
    assert stored(xero) == ["Better", "Good"]


def elements(xero: XeroClient) -> list[Json]:
    answer = xero.send("PUT", "Contacts", BAD, GOOD, summarizeErrors="false")
    assert answer.status_code == 200
    found: list[Json] = answer.json()["Contacts"]
    return found


def test_each_element_tells_for_itself(xero: XeroClient) -> None:
    bad, good = elements(xero)
    assert [each["StatusAttributeString"] for each in (bad, good)] == ["ERROR", "OK"]
    assert bad["ValidationErrors"] == [{"Message": "Email address must be valid."}]
    assert (bad["ContactID"], good["ValidationErrors"]) == (ZERO, [])
    assert xero.one(f"/Contacts/{good['ContactID']}")["Name"] == "Good"


@pytest.mark.parametrize(("reading", "key"), [("OK_zero", ZERO), ("OK_null", None)])
def test_an_ok_for_what_was_not_stored(xero: XeroClient, reading: str, key: str | None) -> None:
    xero.switch(unstored=reading)
    bad, _ = elements(xero)
    assert (bad["StatusAttributeString"], bad["ContactID"], bad["ValidationErrors"]) == ("OK", key, [])
    assert stored(xero) == ["Good"]


def test_an_error_under_another_key(xero: XeroClient) -> None:
    xero.switch(error_key="Description")
    assert elements(xero)[0]["ValidationErrors"] == [{"Description": "Email address must be valid."}]


@pytest.mark.parametrize(("reading", "names"), [("half", ["Good"]), ("all", ["Better", "Good"])])
def test_a_500_in_the_middle(xero: XeroClient, reading: str, names: list[str]) -> None:
    xero.switch(batch_500=reading)
    assert xero.send("PUT", "Contacts", GOOD, {"Name": "Better"}).status_code == 500
    assert stored(xero) == names


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("Contacts", '{"Contacts":[{"Name":"Good"},', "no JSON"),
        ("Contacts", "[]", "no JSON object"),
        ("Contacts", '{"Contacts":[{"Name":"Good"},{"ContactID":"x"}]}', "System.Guid"),
        ("Contacts", '{"Name":"Good","ContactStatus":"SOLD"}', "ContactStatus"),
        ("Contacts", '{"Name":"Good","Phones":{}}', "Contacts[0].Phones"),
        ("Invoices", '{"Type":"NOSUCH"}', "InvoiceType"),
        ("Invoices", '{"Date":"20261120"}', "The string '20261120' is not a valid AllXsd value."),
        ("Invoices", '{"LineItems":[{"Quantity":"two"}]}', "Path 'Invoices[0].LineItems[0].Quantity'"),
        ("Payments", '{"Amount":NaN}', "System.Decimal"),
    ],
)
def test_what_cannot_be_read_ends_the_request(xero: XeroClient, path: str, text: str, message: str) -> None:
    answer = xero.call(f"/{path}", "POST", data=text.encode())
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 14)
    assert answer.json()["Type"] == "PostDataInvalidException"
    assert message in answer.json()["Message"]
    assert stored(xero) == []


@pytest.mark.parametrize("text", ['{"Contacts":[]}', "{}", '{"Contacts":[{}]}'])
def test_nothing_to_do(xero: XeroClient, text: str) -> None:
    answer = xero.call("/Contacts", "PUT", data=text)
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 17)


def test_a_single_object_will_do(xero: XeroClient) -> None:
    answer = xero.call("/Contacts", "PUT", json={**GOOD, "Unknown": 1, "FirstName": None})
    assert (answer.status_code, stored(xero)) == (200, ["Good"])
    assert not {"FirstName", "Unknown"} & set(answer.json()["Contacts"][0])


@pytest.mark.parametrize("path", ["/Contacts/x", "/Invoices/x", "/Payments/x", "/Items/x"])
def test_methods_that_are_not_there(xero: XeroClient, path: str) -> None:
    assert xero.status(path, method="PUT", json=GOOD) == 501
    assert xero.status(path, method="PATCH", json=GOOD) == 501
