"""What `/xero` shows as changed, and what it does not."""

from datetime import UTC, datetime

import pytest

from .xero_client import XeroClient

NOON = 4_102_488_000_000
"""2100-01-01T12:00:00Z in milliseconds."""


def test_only_a_change_is_in_the_list_of_changes(xero: XeroClient) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    assert xero.codes(since=now) == []
    xero.advance(60)
    xero.plant({"Code": "MUG", "Name": "Bigger mug"})
    assert xero.codes(since=now) == ["MUG"]
    xero.plant({"Code": "BOWL", "Name": "Bigger bowl"}, silent=True)
    assert xero.codes(since=now) == ["MUG"]
    assert len(xero.codes()) > 10


def test_a_deleted_item_vanishes_without_a_trace(xero: XeroClient) -> None:
    (key,) = xero.plant({"Code": "GONE"})
    assert "GONE" in xero.codes(since="2026-01-01T00:00:00")
    xero.control("DELETE", f"records/xero/products?id={key}")
    assert "GONE" not in xero.codes() + xero.codes(since="2020-01-01T00:00:00")


def test_whether_a_movement_of_stock_moves_the_stamp(xero: XeroClient) -> None:
    moved = {"Code": "FLOW", "QuantityOnHand": 5, "IsTrackedAsInventory": True}
    xero.plant(moved)
    xero.advance(60)
    mark = f"{datetime.now(UTC).timestamp() + 30:.0f}"
    since = f"{datetime.fromtimestamp(int(mark), UTC):%Y-%m-%dT%H:%M:%S}"
    xero.plant({**moved, "QuantityOnHand": 4})
    assert xero.items("/FLOW")[0]["QuantityOnHand"] == 4
    assert xero.codes(since=since) == []
    xero.switch(quantity_bumps="yes")
    xero.plant({"Code": "FLOW", "QuantityOnHand": 3})
    assert xero.codes(since=since) == ["FLOW"]
    xero.switch(quantity_bumps="no")
    xero.plant({**moved, "Code": "FLOW", "QuantityOnHand": 2, "Name": "A name"})
    assert xero.items("/FLOW")[0]["Name"] == "A name"


@pytest.mark.parametrize(
    ("reading", "shown"),
    [("inclusive", "exact later"), ("strict", "later"), ("strict_second", "")],
)
def test_the_boundary_of_the_moment(xero: XeroClient, reading: str, shown: str) -> None:
    for code, moment in {"exact": NOON, "later": NOON + 900}.items():
        xero.plant({"Code": code, "UpdatedDateUTC": f"/Date({moment}+0000)/"}, silent=True)
    xero.switch(modified_since=reading)
    assert xero.codes(since="2100-01-01T12:00:00") == shown.split()
    assert xero.codes(since="2100-01-01T11:59:59") == ["exact", "later"]


@pytest.mark.parametrize(
    "text", ["2100-01-01T12:00:00.000000Z", "2100-01-01T13:00:00+01:00", "Fri, 01 Jan 2100 12:00:00 GMT"]
)
def test_other_spellings_of_a_moment(xero: XeroClient, text: str) -> None:
    xero.plant({"Code": "exact", "UpdatedDateUTC": f"/Date({NOON}+0000)/"}, silent=True)
    assert xero.codes(since=text) == ["exact"]
    xero.switch(rfc_1123="ignore")
    assert (len(xero.codes(since=text)) == 1) == (text[0] == "2")


def test_a_moment_that_is_none(xero: XeroClient) -> None:
    for text in ("yesterday", "Fri, 01 Foo 2100 12:00:00 GMT"):
        xero.switch(bad_since="412")
        assert xero.status("/Items", headers={"If-Modified-Since": text}) == 412
        xero.switch(bad_since="ignore")
        assert len(xero.codes(since=text)) > 10


def test_nothing_new_is_an_empty_list_or_a_304(xero: XeroClient) -> None:
    later = {"If-Modified-Since": "2100-01-01T00:00:00"}
    assert xero.envelope("/Items", **later)["Items"] == []
    xero.switch(nothing_new="304")
    answer = xero.call("/Items", headers=later)
    assert (answer.status_code, answer.content) == (304, b"")
    assert xero.status("/Items", headers={"If-Modified-Since": "2000-01-01T00:00:00"}) == 200


def test_which_resources_know_since(xero: XeroClient) -> None:
    later = {"If-Modified-Since": "2100-01-01T00:00:00"}
    assert xero.envelope("/Accounts", **later)["Accounts"] == []
    assert len(xero.envelope("/TaxRates", **later)["TaxRates"]) == 4
    assert len(xero.envelope("/Organisation", **later)["Organisations"]) == 1
