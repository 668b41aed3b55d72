"""What `/xero` reads: the list of items, the small lists, the envelope."""

import json
import re
from pathlib import Path

import pytest
import requests

from syncctl.sandbox import Sandbox

from .xero_client import XeroClient


def test_nobody_pays_for_it_who_wants_another() -> None:
    with Sandbox(products=1, services=("unleashed",)) as sandbox:
        assert requests.get(f"{sandbox.url}/xero/connections", timeout=20).status_code == 404
        assert "XERO" not in "".join(sandbox.env())
    assert Sandbox().env(services=("unleashed",)) == Sandbox(services=("unleashed",)).env()


def test_settings() -> None:
    settings = Sandbox(port=8770, services=("unleashed", "xero")).env()
    assert settings["SYNCCTL_CONNECTORS"] == "unleashed,xero"
    assert settings["SYNCCTL_XERO_BASE_URL"] == "http://127.0.0.1:8770/xero/api.xro/2.0"
    assert settings["SYNCCTL_XERO_AUTH_URL"] == "http://127.0.0.1:8770/xero/connect/token"


def test_the_same_products_as_in_the_other_back_office() -> None:
    with Sandbox(products=1000, services=("unleashed", "xero")) as sandbox, requests.Session() as session:
        items = XeroClient(sandbox, session).items()
        listed = session.get(f"{sandbox.url}/_sandbox/records/unleashed/products", timeout=20).json()["records"]
    theirs = {each["ProductCode"]: each for each in listed}
    assert 930 < len(items) < 985
    assert {item["Code"] for item in items} < set(theirs)
    assert not {item["ItemID"] for item in items} & {each["Guid"] for each in listed}
    assert max(len(item["Code"]) for item in items) <= 30
    assert max(len(item["Name"]) for item in items) <= 50
    tracked = [item for item in items if item["IsTrackedAsInventory"]]
    assert 400 < len(tracked) < 700
    assert all(("QuantityOnHand" in item) == item["IsTrackedAsInventory"] for item in items)
    assert all(item["PurchaseDetails"].get("COGSAccountCode") == "310" for item in tracked)
    assert 5 < sum(item["SalesDetails"] == {} for item in items) < 50
    assert 5 < sum("UnitPrice" not in item["SalesDetails"] for item in items if item["IsSold"]) < 60


def test_the_same_seed_gives_the_same_items() -> None:
    def facts(seed: int) -> list[tuple[str, str]]:
        with Sandbox(products=50, seed=seed, services=("xero",)) as sandbox, requests.Session() as session:
            return [(item["ItemID"], item["Code"]) for item in XeroClient(sandbox, session).items()]

    assert facts(3) == facts(3) != facts(4)


def test_a_kept_file_keeps_items_and_tokens(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    with Sandbox(products=5, db=path, services=("xero",)) as sandbox, requests.Session() as session:
        client = XeroClient(sandbox, session)
        client.plant({"Code": "KEPT"})
        token = client.log_in()
        refresh = client.consent()["SYNCCTL_XERO_REFRESH_TOKEN"]
    with Sandbox(products=999, db=path, services=("xero",)) as sandbox, requests.Session() as session:
        client = XeroClient(sandbox, session)
        assert client.status("/Items/KEPT", token=token) == 200
        assert client.refresh(refresh).status_code == 200


def test_the_envelope(xero: XeroClient) -> None:
    answer = xero.call("/Items")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert len(answer.headers["Xero-Correlation-Id"]) == 36
    whole = answer.json()
    assert list(whole) == ["Id", "Status", "ProviderName", "DateTimeUTC", "Items"]
    assert whole["Status"] == "OK"
    assert re.fullmatch(r"/Date\(\d{13}\)/", whole["DateTimeUTC"])
    assert all(re.fullmatch(r"/Date\(\d{13}\+0000\)/", item["UpdatedDateUTC"]) for item in whole["Items"])
    assert xero.envelope("/Items")["Id"] != whole["Id"]


def test_items_have_no_pages(xero: XeroClient) -> None:
    everything = xero.items()
    assert xero.items("?page=2&pageSize=1") == everything
    assert "pagination" not in xero.envelope("/Items?page=1")


def test_one_item_by_id_or_code(xero: XeroClient) -> None:
    (mug,) = xero.items("/TEA%20POT")
    assert xero.items(f"/{mug['ItemID'].upper()}") == [mug]
    assert xero.items("/TEA%20POT?unitdp=4")[0]["ItemID"] == mug["ItemID"]


@pytest.mark.parametrize("path", ["/Items/NOPE", f"/Items/{'0' * 8}-{'0' * 4}", "/Nothing", "/Items/a/b", ""])
def test_what_is_not_there_is_a_page_of_html(xero: XeroClient, path: str) -> None:
    answer = xero.call(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-DayLimit-Remaining"] == "999"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_paths_compare_without_regard_to_case(xero: XeroClient) -> None:
    assert xero.status("/iTEMS") == xero.status("//API.XRO/2.0/Items") == 200
    assert xero.status("//nothing") == 404


def test_prices_have_two_decimals_or_four(xero: XeroClient) -> None:
    details = {"SalesDetails": {"UnitPrice": 2.1650}, "PurchaseDetails": {"UnitPrice": 0.1049}}
    xero.plant({"Code": "FINE", **details})
    assert '"UnitPrice":2.17' in xero.call("/Items/FINE").text
    assert '"UnitPrice":0.10' in xero.call("/Items/FINE?unitdp=2").text
    assert xero.items("/FINE?UNITDP=4")[0]["SalesDetails"] == {"UnitPrice": 2.165}
    assert any(item["SalesDetails"].get("UnitPrice", 0) * 100 % 1 > 0.01 for item in xero.items("?unitdp=4"))


@pytest.mark.parametrize("token", ['"12,50"', "NaN", "1e400", "-3", "null", "14.5", r'"a\nb"', r'"\ud800"'])
def test_any_value_is_planted_and_served_as_it_stands(xero: XeroClient, token: str) -> None:
    text = f'{{"Code":"ODD","QuantityOnHand":{token},"SalesDetails":{{"UnitPrice":{token}}}}}'
    xero.control("POST", "records/xero/products", text=text)
    served = xero.call("/Items?unitdp=4").text
    assert f'"QuantityOnHand":{token}' in served
    assert f'"UnitPrice":{token}' in served
    assert xero.status("/Items") == 200


def test_a_new_item_is_plain_and_a_planted_one_is_merged(xero: XeroClient) -> None:
    (key,) = xero.plant({"Code": "NEW", "SalesDetails": {"UnitPrice": 5, "AccountCode": "200"}})
    (item,) = xero.items(f"/{key}?unitdp=4")
    assert (item["IsTrackedAsInventory"], item["IsSold"], item["PurchaseDetails"]) == (False, True, {})
    assert not {"QuantityOnHand", "TotalCostPool", "Name"} & set(item)
    assert xero.plant({"Code": "NEW", "SalesDetails": {"UnitPrice": 6}}) == [key]
    assert xero.items("/NEW?unitdp=4")[0]["SalesDetails"] == {"UnitPrice": 6, "AccountCode": "200"}
    assert xero.plant({"ItemID": key, "Code": "RENAMED"}) == [key]
    assert xero.items("/RENAMED")[0]["ItemID"] == key
    assert xero.status("/Items/NEW") == 404


def test_order(xero: XeroClient) -> None:
    assert xero.codes() == sorted(xero.codes())
    stamps = [item["UpdatedDateUTC"] for item in xero.items("?order=UpdatedDateUTC%20ASC")]
    assert stamps == sorted(stamps)
    assert [i["UpdatedDateUTC"] for i in xero.items("?order=UpdatedDateUTC%20DESC")] == stamps[::-1]


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ('Status=="ARCHIVED"', ["881"]),
        ('Status == "active" AND EnablePaymentsToAccount==true', ["882"]),
        ('SystemAccount=="ROUNDING"&&Type!="BANK"', ["860"]),
        ('Code=="090"', ["090"]),
        ('SystemAccount!=null AND Code!="820" AND Code!="860"', ["610"]),
    ],
)
def test_where(xero: XeroClient, where: str, codes: list[str]) -> None:
    found = xero.call("/Accounts", params={"where": where}).json()["Accounts"]
    assert [each["Code"] for each in found] == codes


@pytest.mark.parametrize("where", ['Name.Contains("x")', "UpdatedDateUTC>DateTime(2026,13,1)", "Code", ""])
def test_a_where_that_cannot_be_parsed(xero: XeroClient, where: str) -> None:
    answer = xero.call("/Items", params={"where": where or " "})
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_the_organisation_and_what_it_may(xero: XeroClient) -> None:
    (organisation,) = xero.envelope("/Organisation")["Organisations"]
    assert (organisation["BaseCurrency"], organisation["OrganisationStatus"]) == ("NZD", "ACTIVE")
    xero.plant(
        {"OrganisationID": organisation["OrganisationID"], "OrganisationStatus": "SUSPENDED"}, kind="organisation"
    )
    assert xero.envelope("/Organisation")["Organisations"][0]["OrganisationStatus"] == "SUSPENDED"
    actions = {each["Name"]: each["Status"] for each in xero.envelope("/Organisation/Actions")["Actions"]}
    assert actions["UseMulticurrency"] == "NOT-ALLOWED"
    assert xero.status("/Organisation/Others") == 404


def test_accounts_and_tax_rates_refer_to_each_other(xero: XeroClient) -> None:
    accounts = {each["Code"]: each for each in xero.envelope("/Accounts")["Accounts"]}
    rates = {each["TaxType"]: each for each in xero.envelope("/TaxRates")["TaxRates"]}
    assert {each["TaxType"] for each in accounts.values()} <= set(rates)
    assert accounts["630"]["Type"] == "INVENTORY"
    assert rates["OUTPUT2"]["EffectiveRate"] == 15
    xero.plant({"Code": "200", "Status": "ARCHIVED"}, kind="accounts")
    xero.plant({"TaxType": "OUTPUT2", "Status": "DELETED"}, kind="tax_rates")
    assert xero.envelope("/Accounts/200")["Accounts"][0]["Status"] == "ARCHIVED"
    assert xero.envelope("/TaxRates/OUTPUT2")["TaxRates"][0]["Status"] == "DELETED"


@pytest.mark.parametrize("accept", ["", "*/*", "application/xml"])
def test_xml_unless_json_is_asked_for(xero: XeroClient, accept: str) -> None:
    answer = xero.call("/Items", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.text.startswith("<Response")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_what_cannot_be_written(xero: XeroClient, method: str) -> None:
    assert xero.status("/Accounts", method=method) == 501


def test_a_list_larger_than_memory_should_hold(xero: XeroClient) -> None:
    xero.plant(*({"Code": f"BIG-{number}", "Description": "x" * 4000} for number in range(600)))
    with xero.call("/Items", stream=True) as answer:
        parts = list(answer.iter_content(1 << 16))
        assert int(answer.headers["Content-Length"]) == sum(map(len, parts)) > 2_400_000
    assert len(json.loads(b"".join(parts))["Items"]) > 600
    xero.fault("truncated", "Items")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        xero.call("/Items")
    xero.fault("garbage", "Items")
    assert len(xero.call("/Items").content) > 2_400_000
    xero.fault("drop-after", "Items")
    with pytest.raises(requests.exceptions.ConnectionError):
        xero.call("/Items")
    assert xero.call("/Items", method="HEAD").status_code == 501


def test_a_list_is_as_it_was_when_it_was_asked_for(xero: XeroClient) -> None:
    xero.plant(*({"Code": f"BIG-{number:04}", "Description": "x" * 4000} for number in range(1200)))
    with xero.call("/Items", stream=True) as answer:
        parts = [next(answer.iter_content(1000))]
        xero.plant(*({"Code": f"BIG-{number:04}", "Description": "short"} for number in range(1200)))
        parts.extend(answer.iter_content(1 << 16))
    items = json.loads(b"".join(parts))["Items"]
    assert {len(item["Description"]) for item in items if item["Code"].startswith("BIG")} == {4000}


def test_reset_goes_back_to_the_seed(xero: XeroClient) -> None:
    before = xero.codes()
    xero.plant({"Code": "NEW"})
    xero.limit(day=3)
    xero.control("POST", "reset")
    assert xero.status("/Items") == 401  # tokens are gone too
    token = xero.log_in()
    assert [item["Code"] for item in xero.call("/Items", token=token).json()["Items"]] == before
    assert xero.control("GET", "limits")["xero"]["day"]["limit"] == 1000


def test_calls_are_counted_by_path(xero: XeroClient) -> None:
    for path in ("/items/MUG", "/Items/TEA%20POT", "//Connections", "//moon"):
        xero.call(path)
    counts = {each["path"]: each["count"] for each in xero.control("GET", "calls")["counts"]}
    assert counts == {"/connect/token": 1, "/api.xro/2.0/Items/{id}": 2, "/connections": 1, "/moon": 1}
