"""Stock of Vend's copy, in both shapes, and the retailer's small lists."""

from uuid import uuid4

import pytest
import requests

from syncctl.sandbox import Sandbox

from .vend_client import Json, VendClient

GONE = "2026-11-01T00:00:00+00:00"
ROW = [
    "id",
    "product_id",
    "outlet_id",
    "current_inventory_level",
    "reorder_point",
    "reorder_amount",
    "reorder_method",
    "reorder_target",
    "quantity_to_procure",
    "average_cost",
    "version",
]


def versions(rows: list[Json]) -> list[int]:
    return [row["version"] for row in rows]


def posted(vend: VendClient, body: object) -> int:
    return vend.call("POST", "2026-07/inventory", body).status_code


def test_the_posted_list_is_a_bare_array_by_version(vend: VendClient) -> None:
    rows = vend.inventory()
    assert list(rows[0]) == ROW
    assert versions(rows) == sorted(versions(rows))
    assert len(rows) == len(vend.records("stock"))
    walked: list[Json] = []
    while page := vend.inventory(after=walked[-1]["version"] if walked else 0, size=9):
        walked += page
    assert walked == rows


def test_it_is_newest_first_unless_told_otherwise(vend: VendClient) -> None:
    rows = vend.inventory()
    assert vend.call("POST", "2026-07/inventory", {"size": 2}).json() == rows[:-3:-1]
    assert vend.call("POST", "2026-07/inventory").json() == rows[::-1]
    assert vend.inventory(after=rows[3]["version"], before=rows[5]["version"]) == rows[4:6]


def test_sizes_of_a_posted_list() -> None:
    with Sandbox(products=3300, services=("vend",)) as running, requests.Session() as session:
        vend = VendClient(running, session)
        assert len(vend.inventory()) == 1000
        assert len(vend.inventory(size=6000)) == 5000
        assert len(vend.get("/inventory?page_size=6000", "2.0")["data"]) == 5000
        vend.switch(inventory_size="400")
        assert len(vend.inventory(size=5000)) == 5000
        assert posted(vend, {"size": 5001}) == 400


@pytest.mark.parametrize(
    "body", [{"after": "1"}, {"after": 2**63}, {"size": 0}, {"sort_direction": "up"}, [], {"size": True}, "x"]
)
def test_bodies_that_are_refused(vend: VendClient, body: object) -> None:
    assert posted(vend, body) == 400


def test_one_product_in_both_ways(vend: VendClient) -> None:
    key = vend.data("/products?sku=MUG")[0]["id"]
    main, harbour = (each["id"] for each in vend.data("/outlets"))
    vend.plant("stock", {"sku": "MUG", "current_inventory_level": -3})
    vend.plant("stock", {"sku": "MUG", "outlet_id": harbour, "current_inventory_level": 2.5})
    rows = vend.inventory(product_id=key)
    assert [(row["outlet_id"], row["current_inventory_level"]) for row in rows] == [(main, -3), (harbour, 2.5)]
    assert vend.get(f"/inventory/{key}") == rows
    assert vend.get(f"/inventory/{key}?order_direction=desc&page_size=1") == rows[1:]
    assert vend.get(f"/inventory/{key}?after={rows[0]['version']}") == rows[1:]


def test_the_stock_of_a_family(vend: VendClient) -> None:
    parent = next(each["id"] for each in vend.data("/products?name=Bowl") if each["has_variants"])
    assert vend.inventory(product_id=parent) == vend.get(f"/inventory/{parent}") == []
    vend.plant("stock", {"sku": "BOWL"})
    rows = vend.inventory(product_id=parent, variants=True)
    assert rows
    assert rows == vend.get(f"/inventory/{parent}?variants=true")


def test_an_unknown_product(vend: VendClient) -> None:
    assert vend.status(f"/inventory/{uuid4()}") == 404
    assert vend.inventory(product_id=str(uuid4())) == []
    vend.switch(inventory_unknown="empty")
    assert vend.get(f"/inventory/{uuid4()}") == []


@pytest.mark.parametrize("version", ["2.0", "2026-01"])
def test_the_list_before_it_was_posted(vend: VendClient, version: str) -> None:
    page = vend.get("/inventory?page_size=3", version)
    newer = vend.inventory(size=3)
    assert versions(page["data"]) == versions(newer)
    assert page["version"] == {"min": newer[0]["version"], "max": newer[-1]["version"]}
    assert [row["inventory_level"] for row in page["data"]] == [row["current_inventory_level"] for row in newer]
    assert "current_inventory_level" not in page["data"][0]
    rest = vend.get(f"/inventory?after={newer[-1]['version']}", version)
    assert len(rest["data"]) == len(vend.records("stock")) - 3
    assert vend.get(f"/inventory?after={2**62}", version) == {"data": [], "version": {"min": None, "max": None}}


def test_one_product_before_dates(vend: VendClient) -> None:
    key = vend.data("/products?sku=MUG")[0]["id"]
    vend.plant("stock", {"sku": "MUG", "current_inventory_level": 4, "average_cost": 1.5})
    row = vend.data(f"/products/{key}/inventory", "2.0")[0]
    assert (row["inventory_level"], row["current_amount"], row["average_cost"]) == (4, 4, 1.5)
    assert vend.status(f"/products/{uuid4()}/inventory", "2.0") == 404


def test_a_stock_change_bumps_its_row_and_by_switch_its_product(vend: VendClient) -> None:
    product = vend.data("/products?sku=MUG")[0]
    vend.plant("stock", {"sku": "MUG", "current_inventory_level": 4})
    (row,) = (each for each in vend.inventory(product_id=product["id"]) if each["current_inventory_level"] == 4)
    assert row["version"] == max(versions(vend.inventory()))
    assert vend.data("/products?sku=MUG")[0] == product
    vend.switch(stock_bumps_product="yes")
    vend.plant("stock", {"sku": "MUG", "current_inventory_level": 5})
    bumped = vend.data("/products?sku=MUG")[0]
    assert bumped["version"] > row["version"]
    assert vend.data(f"/products?after={bumped['version'] - 1}")[0] == bumped


def test_a_silent_stock_change_keeps_its_version(vend: VendClient) -> None:
    row = vend.inventory()[0]
    vend.plant("stock", {"id": row["id"], "current_inventory_level": 999}, silent=True)
    assert vend.inventory()[0] == {**row, "current_inventory_level": 999}


def test_stock_of_a_deleted_product_is_shown_on_request(vend: VendClient) -> None:
    row = vend.inventory()[0]
    key = row["product_id"]
    vend.plant("products", {"id": key, "deleted_at": GONE})
    assert vend.inventory(product_id=key) == []
    assert row in vend.inventory(product_id=key, include_deleted=True)
    assert row in vend.get(f"/inventory/{key}?include_deleted=true")
    vend.plant("stock", {"product_id": key, "current_inventory_level": 1})
    assert vend.inventory(product_id=key) == []
    vend.plant("products", {"id": key, "deleted_at": None})
    assert vend.inventory(product_id=key)


def test_planting_stock_of_nothing(vend: VendClient) -> None:
    answer = vend.ask_control("POST", "records/vend/stock", {"sku": "NOTHING"})
    assert answer.status_code == 400
    assert "NOTHING" in answer.json()["error"]


@pytest.mark.parametrize("token", ['"12,50"', "NaN", "1e400", "null"])
def test_odd_levels_are_served_as_they_stand(vend: VendClient, token: str) -> None:
    vend.control("POST", "records/vend/stock", text=f'{{"sku":"MUG","current_inventory_level":{token}}}')
    answer = vend.call("POST", "2026-07/inventory", {"size": 1})
    assert f'"current_inventory_level":{token},' in answer.text
    assert f'"inventory_level":{token}' in vend.call("GET", "2.0/inventory").text


# The small lists


def test_the_retailer(vend: VendClient) -> None:
    retailer = vend.data("/retailer")
    assert (retailer["domain_prefix"], retailer["tax_exclusive"]) == ("demo", False)
    assert retailer["currency"]["code"] == "NZD"
    assert retailer["no_tax_group_id"] in {each["id"] for each in vend.data("/taxes") if each["name"] == "No Tax"}
    assert isinstance(retailer["version"], str)


@pytest.mark.parametrize(
    ("kind", "live", "gone"), [("outlets", 2, 1), ("registers", 2, 1), ("users", 2, 1), ("payment_types", 3, 0)]
)
def test_small_lists_have_a_cursor_and_tombstones(vend: VendClient, kind: str, live: int, gone: int) -> None:
    assert len(vend.walk(f"/{kind}?page_size=1")) == live
    rows = vend.walk(f"/{kind}?page_size=1&deleted=true")
    assert len(rows) == live + gone
    assert sum(row["deleted_at"] is not None for row in rows) == gone
    assert vend.data(f"/{kind}/{rows[0]['id']}") == rows[0]
    assert vend.status(f"/{kind}/{uuid4()}") == 404


def test_taxes_have_no_cursor_unless_they_do(vend: VendClient) -> None:
    page = vend.get(f"/taxes?after={2**62}&page_size=1")
    assert set(page) == {"data"}
    assert {each["name"]: each["rates"][0]["rate"] for each in page["data"]} == {"GST": 0.15, "No Tax": 0}
    vend.switch(taxes_version="present")
    assert len(vend.walk("/taxes?page_size=1")) == 2


def test_the_user_is_an_object_or_an_array(vend: VendClient) -> None:
    user = vend.data("/user")
    assert user["username"] == "robin@example.test"
    assert vend.data("/user", "2.0") == [user]
    vend.switch(user_shape="array")
    assert vend.data("/user") == [user]


def test_planting_a_small_record_by_name_and_by_id(vend: VendClient) -> None:
    (key,) = vend.plant("outlets", {"name": "Main Street", "time_zone": "UTC"})
    assert vend.data(f"/outlets/{key}")["time_zone"] == "UTC"
    assert vend.control("GET", "records/vend/outlets")["total"] == 3
    vend.plant("outlets", {"id": key, "deleted_at": GONE})
    assert [each["name"] for each in vend.data("/outlets")] == ["Harbour"]
    assert vend.status(f"/outlets/{key}") == 404
