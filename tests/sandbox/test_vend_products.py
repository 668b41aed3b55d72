"""Products of Vend's copy: the version cursor, families, tombstones, codes, search."""

import json
from uuid import uuid4

import pytest
import requests
from seeded import seeded

from syncctl.sandbox import Sandbox

from .vend_client import Json, VendClient

GONE = "2026-11-01T00:00:00+00:00"
FIELDS = [
    "id",
    "handle",
    "name",
    "sku",
    "active",
    "is_active",
    "is_composite",
    "has_inventory",
    "has_variants",
    "version",
    "variant_options",
    "categories",
    "tag_ids",
    "images",
    "skuImages",
    "attributes",
    "product_codes",
    "product_suppliers",
    "packaging",
    "customizations",
    "price_including_tax",
    "price_excluding_tax",
    "variant_parent_id",
    "family_id",
    "variant_name",
    "deleted_at",
    "updated_at",
]


def versions(rows: list[Json]) -> list[int]:
    return [row["version"] for row in rows]


def test_the_cursor_walks_everything_once_in_order(vend: VendClient) -> None:
    rows = vend.walk("/products?page_size=7")
    found = versions(rows)
    assert found == sorted(set(found))
    assert len(rows) == len(vend.data("/products?page_size=1000")) == 61
    assert min(found) > 2**32


def test_a_page_tells_its_versions_and_the_end_is_empty(vend: VendClient) -> None:
    page = vend.get("/products?page_size=5")
    found = versions(page["data"])
    assert page["version"] == {"min": found[0], "max": found[-1]}
    assert vend.get(f"/products?after={2**62}") == {"data": [], "version": {"min": None, "max": None}}


def test_after_is_exclusive_and_before_a_switch(vend: VendClient) -> None:
    one, two, three = versions(vend.data("/products?page_size=3"))
    assert versions(vend.data(f"/products?after={one}&page_size=1")) == [two]
    assert versions(vend.data(f"/products?after={one}&before={three}")) == [two, three]
    vend.switch(before="exclusive")
    assert versions(vend.data(f"/products?after={one}&before={three}")) == [two]


def test_page_sizes_are_capped() -> None:
    with Sandbox(products=1100, services=("vend",)) as running, requests.Session() as session:
        vend = VendClient(running, session)
        for cap, length in ((1000, 1000), (200, 200), (10_000, 1103)):
            vend.switch(page_cap=cap)
            assert len(vend.data("/products?page_size=50000")) == length
            assert len(vend.data("/products")) == 200
        assert len(vend.skus("/search?type=products&page_size=5000")) == 1000


def test_a_short_page_is_not_the_end(vend: VendClient) -> None:
    vend.switch(short_pages="yes")
    assert len(vend.data("/products?page_size=10")) == 5
    assert len(vend.walk("/products?page_size=10")) == 61


@pytest.mark.parametrize(
    "query", ["after=x", "after=1.5", f"after={2**63}", "page_size=0", "page_size=many", "before=x"]
)
def test_bad_cursors(vend: VendClient, query: str) -> None:
    assert vend.status(f"/products?{query}") == 400


def test_the_largest_cursor_is_64_bits(vend: VendClient) -> None:
    assert vend.data(f"/products?after={2**63 - 1}") == []
    (key,) = vend.plant("products", {"sku": "LAST", "version": 2**63 - 1}, silent=True)
    assert vend.get(f"/products?after={2**62}")["version"]["max"] == 2**63 - 1
    assert vend.data(f"/products/{key}")["version"] == 2**63 - 1


def test_a_change_moves_a_product_to_the_end(vend: VendClient) -> None:
    first, *_, last = vend.data("/products?page_size=1000")
    vend.plant("products", {"id": first["id"], "price_excluding_tax": 7})
    (moved,) = vend.data(f"/products?after={last['version']}")
    assert (moved["id"], moved["price_excluding_tax"]) == (first["id"], 7)
    assert moved["updated_at"] > first["updated_at"]
    vend.plant("products", {"id": first["id"], "price_excluding_tax": 8}, silent=True)
    (silent,) = vend.data(f"/products?after={last['version']}")
    assert silent == {**moved, "price_excluding_tax": 8}


def test_one_counter_for_everything(vend: VendClient) -> None:
    kinds = ("products", "stock", "outlets", "registers", "taxes", "payment_types", "users")
    found = [row["version"] for kind in kinds for row in vend.records(kind)]
    assert len(found) == len(set(found))
    vend.plant("outlets", {"name": "Fourth"})
    (key,) = vend.plant("products", {"sku": "N"})
    assert vend.record("products", key)["version"] > vend.records("outlets")[-1]["version"] > max(found)


def test_a_planted_version_is_never_given_again(vend: VendClient) -> None:
    vend.plant("products", {"sku": "FAR", "version": 2**40}, silent=True)
    vend.plant("products", {"sku": "NEXT"})
    assert vend.skus(f"/products?after={2**40 - 1}") == ["FAR", "NEXT"]


def test_a_deleted_product_vanishes_or_leaves_a_tombstone(vend: VendClient) -> None:
    product = vend.data("/products?page_size=1")[0]
    end = vend.data("/products?page_size=1000")[-1]["version"]
    vend.plant("products", {"id": product["id"], "deleted_at": GONE})
    assert vend.data(f"/products?after={end}") == []
    (tombstone,) = vend.data(f"/products?after={end}&deleted=true")
    assert (tombstone["id"], tombstone["deleted_at"]) == (product["id"], GONE)
    assert vend.status(f"/products/{product['id']}") == 404
    vend.switch(deleted_product="200")
    assert vend.data(f"/products/{product['id']}")["deleted_at"] == GONE
    vend.plant("products", {"id": product["id"], "deleted_at": None})
    assert len(vend.data(f"/products?after={end}")) == 1


def test_a_removed_product_leaves_nothing(vend: VendClient) -> None:
    product = vend.data("/products?page_size=1")[0]
    vend.control("DELETE", f"records/vend/products?id={product['id']}")
    assert product["id"] not in {row["id"] for row in vend.walk("/products?deleted=true&page_size=50")}
    assert vend.status(f"/products/{product['id']}") == 404
    assert vend.skus(f"/products?sku={product['sku']}") == []
    assert vend.inventory(product_id=product["id"], include_deleted=True) == []


def test_one_product(vend: VendClient) -> None:
    product = vend.data("/products")[3]
    assert vend.data(f"/products/{product['id']}") == product
    assert vend.data(f"/products/{product['id'].upper()}") == product
    assert vend.status(f"/products/{uuid4()}") == 404
    assert set(FIELDS) <= set(product)


def test_numbers_and_stamps_on_the_wire(vend: VendClient) -> None:
    product = next(each for each in vend.data("/products") if each["price_including_tax"])
    assert product["price_excluding_tax"] == round(product["price_including_tax"] / 1.15, 5)
    assert product["updated_at"].endswith("+00:00")
    assert len(product["updated_at"]) == len("2026-11-01T03:00:00+00:00")


def test_a_sku_makes_every_other_parameter_ignored(vend: VendClient) -> None:
    (product,) = vend.data(f"/products?sku=MUG-BLUE&after={2**62}&page_size=0&deleted=true")
    assert product["sku"] == "MUG-BLUE"
    assert vend.skus(f"/products?sku={product['product_codes'][1]['code']}") == ["MUG-BLUE"]
    assert vend.get("/products?sku=NOTHING") == {"data": [], "version": {"min": None, "max": None}}
    vend.plant("products", {"id": product["id"], "deleted_at": GONE})
    assert vend.skus("/products?sku=MUG-BLUE&deleted=true") == []


def test_the_case_of_a_sku(vend: VendClient) -> None:
    assert vend.skus("/products?sku=mug-blue") == []
    vend.switch(sku_case="ignored")
    assert vend.skus("/products?sku=mug-blue") == ["MUG-BLUE"]


def test_new_codes_replace_old_ones(vend: VendClient) -> None:
    (key,) = vend.plant("products", {"sku": "A", "product_codes": [{"type": "custom", "code": "B"}]})
    assert [vend.skus(f"/products?sku={code}") for code in "AB"] == [["A"], ["A"]]
    vend.plant("products", {"id": key, "sku": "C", "product_codes": []})
    assert [vend.skus(f"/products?sku={code}") for code in "ABC"] == [[], [], ["C"]]


@pytest.mark.parametrize("name", ["name", "family_name"])
def test_a_name_gives_the_whole_family(vend: VendClient, name: str) -> None:
    family = vend.data(f"/products?{name}=Bowl&page_size=1")
    assert len(family) == 7
    (parent,) = [each for each in family if each["has_variants"]]
    assert parent["variant_parent_id"] is None
    assert (parent["is_active"], parent["has_inventory"]) == (False, False)
    assert {each["variant_parent_id"] for each in family} == {None, parent["id"]}
    assert len({each["family_id"] for each in family}) == len({each["handle"] for each in family}) == 1
    assert {"BOWL", "BOWL-BLUE"} < {each["sku"] for each in family}
    assert "Bowl / Blue" in {each["variant_name"] for each in family}


def test_a_parent_that_is_sold(vend: VendClient) -> None:
    family = vend.data("/products?name=Mug")
    (parent,) = [each for each in family if each["has_variants"]]
    assert (parent["sku"], parent["has_inventory"]) == ("MUG", True)
    assert all(each["variant_parent_id"] == parent["id"] for each in family if each is not parent)


def test_search_wants_the_sku_in_lower_case(vend: VendClient) -> None:
    assert vend.skus("/search?type=products&sku=mug-blue") == ["MUG-BLUE"]
    assert vend.skus("/search?type=products&sku=MUG-BLUE") == []
    assert set(vend.skus("/search?type=products&sku=mug-blue&sku=bowl")) == {"MUG-BLUE", "BOWL"}
    assert set(vend.get("/search?type=products")) == {"data"}
    assert [vend.status(f"/search{query}") for query in ("", "?type=gift", "?type=products&page_size=0")] == [400] * 3


def test_search_pages_and_orders(vend: VendClient) -> None:
    vend.plant("products", *[{"sku": f"Z{number:04d}"} for number in range(10)])
    some = vend.skus("/search?type=products&order_by=sku&order_direction=desc&page_size=2&offset=1")
    assert some == ["Z0008", "Z0007"]


def test_search_shows_deleted_ones_on_request(vend: VendClient) -> None:
    vend.plant("products", {"sku": "OLD", "deleted_at": GONE})
    assert vend.skus("/search?type=products&sku=old") == []
    assert vend.skus("/search?type=products&sku=old&deleted=true") == ["OLD"]


def test_pictures_can_be_left_out(vend: VendClient) -> None:
    (key,) = vend.plant("products", {"sku": "P", "images": [{"url": "x"}]})
    assert vend.data("/products?sku=P")[0]["images"] == [{"url": "x"}]
    end = vend.record("products", key)["version"] - 1
    assert vend.data(f"/products?include_images=false&after={end}")[0]["images"] == []


@pytest.mark.parametrize(
    ("mode", "shown"), [("both", {"active", "is_active"}), ("active", {"active"}), ("is_active", {"is_active"})]
)
def test_both_names_of_active_or_one(vend: VendClient, mode: str, shown: set[str]) -> None:
    vend.switch(active_fields=mode)
    product = vend.data("/products?page_size=1")[0]
    assert {"active", "is_active"} & set(product) == shown
    assert set(FIELDS) - {"active", "is_active"} <= set(product)


@pytest.mark.parametrize("token", ['"12,50"', "NaN", "1e400", "-3", "null", "2.63158", r'"a\nb\u0001"', r'"\ud800"'])
def test_any_value_is_planted_and_served_as_it_stands(vend: VendClient, token: str) -> None:
    text = f'{{"sku":"ODD","price_excluding_tax":{token}}}'
    vend.control("POST", "records/vend/products", text=text)
    assert f'"price_excluding_tax":{token},' in vend.call("GET", "2026-07/products?sku=ODD").text


def test_a_record_without_any_default(vend: VendClient) -> None:
    record = {"id": str(uuid4()), "only": 1}
    vend.plant("products", record, replace=True, silent=True)
    assert vend.data(f"/products/{record['id']}") == record
    vend.plant("products", {**record, "version": "odd"}, replace=True, silent=True)
    assert vend.data(f"/products/{record['id']}")["version"] == "odd"


def test_the_same_products_as_the_other_back_office() -> None:
    with seeded("unleashed", "vend", products=300) as running, requests.Session() as session:
        vend = VendClient(running, session)
        codes = [each["ProductCode"] for each in vend.control("GET", "records/unleashed/products")["records"]]
        rows = vend.records("products")
        ids = {each["Guid"] for each in vend.control("GET", "records/unleashed/products")["records"]}
    sold = {row["sku"] for row in rows if not (row["has_variants"] and not row["is_active"]) and not row["deleted_at"]}
    assert sold == set(codes)
    assert not ids & {row["id"] for row in rows}
    assert [row["sku"] for row in rows] != sorted(row["sku"] for row in rows)


def test_the_seeded_shop_is_plausible() -> None:
    with Sandbox(services=("vend",)) as running, requests.Session() as session:
        vend = VendClient(running, session)
        rows, stock = vend.records("products"), vend.records("stock")
    assert sum(row["deleted_at"] is not None for row in rows) == 20
    assert 10 < sum(not row["is_active"] for row in rows if not row["has_variants"] and not row["deleted_at"]) < 60
    assert 5 < sum(row["price_including_tax"] is None for row in rows if not row["deleted_at"]) < 60
    names = [row["name"] for row in rows if not row["variant_parent_id"]]
    assert len(names) == len(set(names))
    families = {row["family_id"] for row in rows if row["has_variants"]}
    assert len(families) == 6
    assert max(sum(row["family_id"] == each for row in rows) for each in families) < 200
    products = {row["product_id"] for row in stock}
    assert 920 < len(products) < 980
    assert len(products) < len(stock) < 2 * len(products)
    assert 20 < sum(float(row["current_inventory_level"]) < 0 for row in stock) < 120


def without_times(rows: list[Json]) -> str:
    return json.dumps([{name: value for name, value in row.items() if not name.endswith("_at")} for row in rows])


@pytest.mark.parametrize("kind", ["products", "stock", "customers", "outlets"])
def test_the_same_seed_gives_the_same_records(vend: VendClient, kind: str) -> None:
    before = without_times(vend.records(kind))
    vend.control("POST", "reset")
    assert without_times(vend.records(kind)) == before
    with Sandbox(products=60, services=("vend",), seed=8) as other, requests.Session() as session:
        different = without_times(VendClient(other, session).records(kind)) != before
        assert different or kind == "outlets"
