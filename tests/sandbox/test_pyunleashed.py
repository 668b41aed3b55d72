"""An independent client, PyUnleashed from PyPI, reads and writes: another reading of the same API."""

from typing import Any
from uuid import uuid4

import pytest
from PyUnleashed import API

from syncctl.sandbox import Sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Any:
    settings = sandbox.env()
    return API(
        url=settings["SYNCCTL_UNLEASHED_BASE_URL"],
        api_id=settings["SYNCCTL_UNLEASHED_API_ID"],
        api_key=settings["SYNCCTL_UNLEASHED_API_KEY"],
    )


def test_it_pages_through_the_products(api: Any) -> None:
    first = api.get("Products", pageSize=25, includeObsolete="true").json()
    pages = first["Pagination"]["NumberOfPages"]
    found = [
        item["ProductCode"]
        for page in range(1, pages + 1)
        for item in api.get(f"Products/{page}", pageSize=25, includeObsolete="true").json()["Items"]
    ]
    assert len(set(found)) == len(found) == first["Pagination"]["NumberOfItems"] == 60


def test_it_signs_colons_commas_and_spaces(api: Any) -> None:
    rows = api.get("StockOnHand").json()["Items"]
    ids = ",".join(row["Guid"] for row in rows[:2])
    assert len(api.get("StockOnHand", productId=ids).json()["Items"]) == 2
    assert api.get("StockOnHand", modifiedSince="2020-01-01T00:00:00", pageSize=1).status_code == 200
    codes = [item["ProductCode"] for item in api.get("Products", productDescription="Blue mug").json()["Items"]]
    assert codes[:1] == ["MUG-BLUE"]


def test_it_writes_a_product_a_customer_and_an_order(api: Any) -> None:
    product = {"ProductCode": "PY-1", "ProductDescription": "Crème jug", "DefaultSellPrice": 10}
    assert api.post(f"Products/{uuid4()}", data=product).status_code == 201
    customer = {"CustomerCode": "PY-1", "CustomerName": "Zoë", "Email": "zoe@example.test"}
    assert api.post("Customers", data=customer).status_code == 201
    line = {"LineNumber": 1, "Product": {"ProductCode": "PY-1"}, "OrderQuantity": 2, "UnitPrice": 10}
    order = {
        "OrderStatus": "Parked",
        "Customer": {"CustomerCode": "PY-1"},
        "Warehouse": {"WarehouseCode": "MAIN"},
        "ExchangeRate": 1,
        "Tax": {"TaxCode": "G.S.T."},
        "TaxRate": 0.15,
        "SubTotal": 20,
        "TaxTotal": 3,
        "Total": 23,
        "SalesOrderLines": [{**line, "LineTotal": 20, "LineTax": 3}],
    }
    answer = api.post("SalesOrders", data=order)
    assert answer.status_code == 201
    stored = api.get(f"SalesOrders/{answer.json()['Guid']}").json()
    assert stored["Customer"]["CustomerName"] == "Zoë"
    assert stored["SalesOrderLines"][0]["Product"]["ProductDescription"] == "Crème jug"


def test_a_wrong_key_is_refused(api: Any) -> None:
    api.api_key = "another"
    assert api.get("Products").status_code == 403
