from typing import Any
from uuid import uuid4

import pytest

from .client import Client


@pytest.fixture
def mug(client: Client) -> str:
    """A product with 10 in one warehouse, 3 of them allocated, and 5 in another."""
    (guid,) = client.plant("products", {"ProductCode": "QMUG", "ProductDescription": "Mug"})
    client.plant(
        "stock",
        {"ProductCode": "QMUG", "QtyOnHand": 10, "AllocatedQty": 3, "AvgCost": 2},
        {"ProductGuid": guid, "WarehouseCode": "SHOP", "QtyOnHand": 5},
    )
    return guid


def figures(row: dict[str, Any]) -> tuple[float, float, float]:
    return row["QtyOnHand"], row["AllocatedQty"], row["AvailableQty"]


def test_the_list_shows_sums_in_order_of_code(client: Client, mug: str) -> None:
    rows = client.items("/StockOnHand?pageSize=1000")
    assert [row["ProductCode"] for row in rows] == sorted(row["ProductCode"] for row in rows)
    row = next(row for row in rows if row["ProductGuid"] == mug)
    assert figures(row) == (15, 3, 12)
    assert row["Guid"] == mug
    assert (row["Warehouse"], row["WarehouseCode"], row["WarehouseId"]) == (None, None, None)
    assert row["ProductDescription"] == "Mug"


def test_one_warehouse(client: Client, mug: str) -> None:
    for query, expected in {
        "warehouseCode=MAIN": (10, 3, 7),
        "warehouseCode=shop": (5, 0, 5),
        "warehouseName=Shop%20Floor": (5, 0, 5),
    }.items():
        (row,) = client.items(f"/StockOnHand?{query}&productId={mug}")
        assert figures(row) == expected
        assert row["WarehouseCode"] in {"MAIN", "SHOP"}
    assert client.items("/StockOnHand?warehouseCode=NOWHERE") == []
    assert figures(client.get(f"/StockOnHand/{mug}?warehouseCode=SHOP")) == (5, 0, 5)


def test_all_warehouses_of_one_product(client: Client, mug: str) -> None:
    rows = client.items(f"/StockOnHand/{mug}/AllWarehouses")
    assert {row["Warehouse"]: row["AvailableQty"] for row in rows} == {"Main Warehouse": 7, "Shop Floor": 5}
    assert client.status("GET", f"/StockOnHand/{uuid4()}/AllWarehouses") == 404


def test_available_may_be_negative_and_decimals_have_four_places(client: Client, mug: str) -> None:
    client.plant("stock", {"ProductGuid": mug, "AllocatedQty": 20})
    assert '"AvailableQty":-5.0000' in client.call("GET", f"/StockOnHand/{mug}").text


def test_a_list_of_ids_and_unknown_filters(client: Client, mug: str) -> None:
    other = client.items("/StockOnHand")[0]["Guid"]
    assert {row["Guid"] for row in client.items(f"/StockOnHand?productId={mug},{other}")} == {mug, other}
    everything = client.items("/StockOnHand?pageSize=1000")
    assert client.items("/StockOnHand?pageSize=1000&productCode=QMUG") == everything


def test_a_product_that_never_moved_has_no_row(client: Client) -> None:
    (guid,) = client.plant("products", {"ProductCode": "NEVER"})
    assert client.items(f"/StockOnHand?productId={guid}") == []
    assert client.status("GET", f"/StockOnHand/{guid}") == 404
    client.switch(stock_404="empty")
    assert client.get(f"/StockOnHand/{guid}") == {}
    client.switch(stock_404="zero")
    row = client.get(f"/StockOnHand/{guid}")
    assert (row["ProductCode"], *figures(row)) == ("NEVER", 0, 0, 0)
    assert client.status("GET", f"/StockOnHand/{uuid4()}") == 404


def test_modified_since_on_the_list(client: Client, mug: str) -> None:
    noon = "/Date(4102488000000)/"  # 2100-01-01T12:00:00Z
    client.plant("stock", {"ProductGuid": mug, "QtyOnHand": 1, "LastModifiedOn": noon}, silent=True)
    target = "/StockOnHand?modifiedSince=2100-01-01T{}"
    assert [row["Guid"] for row in client.items(target.format("12:00:00"))] == [mug]
    assert client.items(target.format("12:00:01")) == []
    assert client.items(target.format("12:00:00") + "&warehouseCode=SHOP") == []
    client.switch(soh_time="day_only")
    assert [row["Guid"] for row in client.items(target.format("23:00:00"))] == [mug]


def test_whether_an_allocation_moves_the_stamp(client: Client, mug: str) -> None:
    def stamp() -> str:
        text: str = client.get(f"/StockOnHand/{mug}")["LastModifiedOn"]
        return text

    before = stamp()
    client.control("POST", "clock", {"advance": 60})
    client.switch(allocation_bumps="no")
    client.plant("stock", {"ProductGuid": mug, "AllocatedQty": 4})
    assert stamp() == before
    client.switch(allocation_bumps="yes")
    client.plant("stock", {"ProductGuid": mug, "AllocatedQty": 5})
    assert stamp() > before


def test_rows_follow_the_name_of_the_product_without_moving_their_stamp(client: Client, mug: str) -> None:
    before = client.get(f"/StockOnHand/{mug}")
    client.control("POST", "clock", {"advance": 60})
    client.plant("products", {"Guid": mug, "ProductCode": "QCUP"})
    after = client.get(f"/StockOnHand/{mug}")
    assert after == {**before, "ProductCode": "QCUP"}
    assert client.items(f"/StockOnHand?warehouseCode=SHOP&productId={mug}")[0]["ProductCode"] == "QCUP"


def test_stock_is_read_only(client: Client, mug: str) -> None:
    assert client.status("POST", f"/StockOnHand/{mug}", {}) == 405


def test_deleting_a_product_takes_its_stock_along(client: Client, mug: str) -> None:
    client.control("DELETE", f"records/unleashed/products?id={mug}")
    assert client.items(f"/StockOnHand?productId={mug}") == []
    assert client.items(f"/StockOnHand?warehouseCode=MAIN&productId={mug}") == []


def test_planting_stock_of_nothing_or_nowhere(client: Client, mug: str) -> None:
    unknown = client.ask_control("POST", "records/unleashed/stock", {"ProductCode": "NOPE", "QtyOnHand": 1})
    assert unknown.status_code == 400
    assert "NOPE" in unknown.json()["error"]
    body = {"ProductGuid": mug, "WarehouseCode": "MOON"}
    assert client.ask_control("POST", "records/unleashed/stock", body).status_code == 400


def test_one_level_by_its_own_id(client: Client, mug: str) -> None:
    assert client.record("stock", f"{mug}@SHOP")["QtyOnHand"] == 5
    assert client.control("GET", f"records/unleashed/stock?id={mug}@RETURNS")["records"] == []
