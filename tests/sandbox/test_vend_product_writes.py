"""Products that the client creates, changes and deletes in Vend's copy."""

from uuid import uuid4

import pytest

from .vend_client import Json, VendClient

JUG: Json = {"name": "Jug", "sku": "JUG", "price_including_tax": "11.50"}


def made(vend: VendClient, **fields: object) -> Json:
    (key,) = vend.made("/products", JUG | fields)
    found: Json = vend.data(f"/products/{key}")
    return found


def status(vend: VendClient, **fields: object) -> int:
    return vend.send("POST", "/products", JUG | fields).status_code


def changed(vend: VendClient, key: str, **parts: object) -> Json:
    answer = vend.send("PUT", f"/products/{key}", parts)
    assert answer.status_code == 200, answer.text
    found: Json = vend.data(f"/products/{key}")
    assert answer.json()["data"] == found
    return found


def family(vend: VendClient) -> Json:
    """The seeded mugs by SKU."""
    return {row["sku"]: row for row in vend.data("/products?name=Mug")}


def test_creating_answers_200_with_an_array_of_ids(vend: VendClient) -> None:
    answer = vend.send("POST", "/products", JUG | {"source_id": "7", "supply_price": 4.2, "id": str(uuid4())})
    assert answer.status_code == 200
    (key,) = answer.json()["data"]
    jug = vend.data(f"/products/{key}")
    assert (jug["name"], jug["variant_name"], jug["sku"], jug["handle"]) == ("Jug", "Jug", "JUG", "jug")
    assert (jug["price_excluding_tax"], jug["price_including_tax"], jug["supply_price"]) == (10, 11.5, 4.2)
    assert [(code["type"], code["code"]) for code in jug["product_codes"]] == [("CUSTOM", "JUG")]
    assert (jug["variant_parent_id"], jug["has_variants"], jug["is_active"]) == (None, False, True)
    assert vend.data("/products?sku=JUG") == vend.data(f"/products?after={jug['version'] - 1}") == [jug]
    assert vend.writes("products") == {key: 1}


def test_either_price_gives_the_other_but_not_both(vend: VendClient) -> None:
    body = {"name": "A", "price_excluding_tax": 2.6}
    (key,) = vend.made("/products", body)
    assert vend.data(f"/products/{key}")["price_including_tax"] == 2.99
    assert status(vend, price_excluding_tax=10) == 400
    assert status(vend, price_excluding_tax=None) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": ""},
        {"name": 5},
        {"sku": 5},
        {"price_including_tax": "a lot"},
        {"product_codes": "EAN"},
        {"product_codes": [{"type": "QR", "code": "1"}]},
        {"product_codes": [{"type": "EAN"}]},
        {"inventory": [{"current_amount": 5}]},
    ],
)
def test_what_is_no_product(vend: VendClient, wrong: Json) -> None:
    assert status(vend, **wrong) == 400


def test_a_sku_that_is_left_out_comes_from_the_sequence(vend: VendClient) -> None:
    first = vend.data("/retailer")["sku_sequence"]["value"]
    made(vend, sku=str(first + 1))
    found = [made(vend, name=name, sku=None)["sku"] for name in ("A", "B")]
    assert found == [str(first), str(first + 2)]
    assert vend.data("/retailer")["sku_sequence"]["value"] == first + 3
    assert made(vend, name="C", sku=None, product_codes=[{"type": "ean", "code": "42"}])["sku"] == "42"
    vend.control("POST", "reset")
    assert vend.data("/retailer")["sku_sequence"]["value"] == first


def test_a_sku_or_code_that_is_taken(vend: VendClient) -> None:
    codes = [{"type": "EAN", "code": "MUG-BLUE"}]
    for mode in ("422", "409", "400"):
        vend.switch(sku_taken=mode)
        assert status(vend, sku="MUG") == status(vend, product_codes=codes) == int(mode)
    assert vend.data("/products?name=Jug") == []
    vend.switch(sku_taken="allowed")
    assert status(vend, sku="MUG") == 200
    assert len(vend.data("/products?sku=MUG")) == 2


def test_the_sku_of_a_deleted_product_is_free(vend: VendClient) -> None:
    vend.send("DELETE", f"/products/{made(vend)['id']}")
    assert status(vend) == 200


def test_a_name_groups_a_family(vend: VendClient) -> None:
    assert status(vend, name="Mug") == 422
    vend.switch(name_taken="allowed")
    assert status(vend, name="Mug") == 200


def test_opening_stock(vend: VendClient) -> None:
    main, harbour = (each["id"] for each in vend.data("/outlets"))
    opening = [
        {"outlet_id": main, "current_amount": 5, "reorder_point": 2},
        {"outlet_id": harbour, "current_amount": "2.5"},
    ]
    rows = vend.inventory(product_id=made(vend, inventory=opening)["id"])
    assert [(row["outlet_id"], row["current_inventory_level"], row["reorder_point"]) for row in rows] == [
        (main, 5, 2),
        (harbour, 2.5, None),
    ]
    unknown = [{"outlet_id": str(uuid4()), "current_amount": 1}]
    assert status(vend, name="Other", sku="OTHER", inventory=unknown) == 422
    assert vend.data("/products?sku=OTHER") == []


def test_variants_need_attributes_that_this_shop_lacks(vend: VendClient) -> None:
    variants = [{"variant_definitions": [{"attribute_id": str(uuid4()), "value": "Blue"}], "sku": "JUG-BLUE"}]
    assert status(vend, variants=variants) == 422


def test_details_are_of_one_product_and_common_of_its_family(vend: VendClient) -> None:
    before = family(vend)
    blue = before["MUG-BLUE"]
    details = {"is_active": False, "price_excluding_tax": 20}
    after = changed(vend, blue["id"], common={"name": "Beaker", "description": "New"}, details=details)
    assert (after["name"], after["is_active"], after["active"]) == ("Beaker", False, False)
    assert (after["price_including_tax"], after["version"] > blue["version"]) == (23, True)
    assert family(vend) == {}
    others = vend.data("/products?name=Beaker")
    assert {row["sku"] for row in others} == set(before)
    assert {row["description"] for row in others} == {"New"}
    assert [row["is_active"] for row in others if row["sku"] == "MUG"] == [before["MUG"]["is_active"]]


def test_lists_are_replaced(vend: VendClient) -> None:
    jug = made(vend, tag_ids=["a", "b"], product_codes=[{"type": "EAN", "code": "42"}])
    codes = [{"type": "upc", "code": "43"}]
    suppliers = [{"supplier_id": "s", "price": 3.5}]
    after = changed(vend, jug["id"], common={"tag_ids": ["c"]}, details={"product_codes": codes})
    assert (after["tag_ids"], after["sku"]) == (["c"], "43")
    assert [vend.skus(f"/products?sku={code}") for code in ("JUG", "42", "43")] == [[], [], ["43"]]
    assert changed(vend, jug["id"], details={"product_suppliers": suppliers})["supply_price"] == 3.5


def test_details_can_set_stock(vend: VendClient) -> None:
    key, outlet = family(vend)["MUG"]["id"], vend.data("/outlets")[0]["id"]
    changed(vend, key, details={"inventory": [{"outlet_id": outlet, "current_amount": 77}]})
    levels = {row["outlet_id"]: row["current_inventory_level"] for row in vend.inventory(product_id=key)}
    assert levels[outlet] == 77


def test_updates_that_are_refused(vend: VendClient) -> None:
    path = f"/products/{made(vend)['id']}"
    prices = {"price_excluding_tax": 1, "price_including_tax": 1.15}
    refused: list[tuple[int, Json]] = [
        (400, {"details": prices}),
        (400, {"common": []}),
        (422, {"details": {"product_codes": [{"type": "EAN", "code": "MUG"}]}}),
        (422, {"common": {"name": "Mug"}}),
    ]
    assert [vend.send("PUT", path, body).status_code for _, body in refused] == [status for status, _ in refused]
    assert vend.send("PUT", f"/products/{uuid4()}", {}).status_code == 404


def test_deleting_leaves_a_tombstone(vend: VendClient) -> None:
    mug = family(vend)["MUG-BLUE"]
    assert vend.send("DELETE", f"/products/{mug['id']}").status_code == 200
    end = max(row["version"] for row in vend.data("/products?page_size=1000"))
    (tombstone,) = vend.data(f"/products?after={end}&deleted=true")
    assert (tombstone["id"], tombstone["deleted_at"] is None) == (mug["id"], False)
    assert "MUG-BLUE" not in family(vend)
    assert vend.inventory(product_id=mug["id"]) == []
    assert [vend.send(method, f"/products/{mug['id']}", {}).status_code for method in ("PUT", "DELETE")] == [404] * 2
