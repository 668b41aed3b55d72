"""`sync-product`: single products, now, by hand."""

from __future__ import annotations

import pytest
from conftest import Shop
from test_pull import mirror, upstream, upstream_id

GUID = "bbbbbbbb-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"


def product(sku: str, guid: str = GUID, **fields: object) -> dict[str, object]:
    return {"Guid": guid, "ProductCode": sku, "ProductDescription": sku, "DefaultSellPrice": 10, **fields}


def test_linked_products_go_in_lists(shop: Shop) -> None:
    shop.ok("sync-recent")
    skus = [sku for (sku,) in shop.rows("SELECT sku FROM products ORDER BY sku LIMIT 60")]
    for sku in skus:
        shop.upstream.put("products", {"ProductCode": sku, "DefaultSellPrice": 3})
    result = shop.ok("sync-product", "--json", *skus).only()
    assert (result["calls"], result["changed"]) == (4, 60)
    assert mirror(shop) == upstream(shop)


@pytest.mark.parametrize(("sku", "calls"), [("MUG", 2), ("NEW-HERE", 2), ("NOWHERE", 1)])
def test_one_product_costs_two_calls_at_most(shop: Shop, sku: str, calls: int) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", product("NEW-HERE"))
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 4})
    assert shop.run("sync-product", "--json", sku).only()["calls"] == calls
    assert shop.rows("SELECT price, available FROM catalogue WHERE sku = 'NEW-HERE'") == (
        [("10.00", 4)] if sku == "NEW-HERE" else []
    )


def test_it_works_before_anything_was_read(shop: Shop) -> None:
    shop.ok("sync-product", "MUG")
    assert shop.value("SELECT count(*) FROM catalogue WHERE sku = 'MUG' AND price IS NOT NULL") == 1
    shop.ok("sync-recent")
    assert mirror(shop) == upstream(shop)


@pytest.mark.parametrize("sku", ["NOWHERE", "MU", "mug ", "ÜBER", "100%", "a'b\"c"])
def test_an_unknown_sku_is_told_in_one_sentence(shop: Shop, sku: str) -> None:
    shop.upstream.put("products", product("mug-other"))
    result = shop.run("sync-product", sku, "--json")
    assert result.code == 65
    assert {error["record"] for error in result.only()["errors"]} == {sku.strip()}
    assert all(error["remedy"] for error in result.only()["errors"])
    assert any("does not know this SKU" in error["message"] for error in result.only()["errors"])
    assert shop.value("SELECT count(*) FROM products") == 0


def test_an_unknown_sku_does_not_stop_the_others(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 3})
    result = shop.run("sync-product", "NOWHERE", "MUG", "--json")
    assert (result.code, result.only()["changed"]) == (65, 1)
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("read_before", [True, False])
def test_an_sku_that_differs_only_in_case_is_told_and_not_taken(shop: Shop, *, read_before: bool) -> None:
    if read_before:
        shop.ok("sync-recent")
    result = shop.run("sync-product", "mUG")
    assert result.code == 65
    assert "unleashed does not know this SKU; Unleashed has MUG, which differs only in case" in result.err
    assert len(result.err.splitlines()) == 1
    assert shop.value("SELECT count(*) FROM products WHERE sku = 'mUG'") == 0


@pytest.mark.parametrize("read_before", [True, False])
def test_all_skus_that_differ_only_in_case_are_told_in_one_sentence(shop: Shop, *, read_before: bool) -> None:
    shop.upstream.put("products", product("mug"))
    if read_before:
        shop.run("sync-recent")
    (error,) = shop.run("sync-product", "mUG", "--json").only()["errors"]
    assert error["message"].endswith("Unleashed has MUG and mug, which differ only in case")


@pytest.mark.parametrize("read_before", [True, False])
def test_two_products_of_one_sku_are_told_and_never_guessed(shop: Shop, *, read_before: bool) -> None:
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER, DefaultSellPrice=99))
    if read_before:
        assert shop.run("sync-recent").code == 65
    result = shop.run("sync-product", "TWIN")
    assert result.code == 65
    assert GUID in result.err
    assert OTHER in result.err
    assert shop.value("SELECT count(*) FROM catalogue WHERE sku = 'TWIN' AND price IS NOT NULL") == 0


def test_a_twin_of_a_linked_product_is_told_each_time(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", product("MUG", DefaultSellPrice=99))
    assert shop.run("sync-recent").code == 65
    for _ in range(2):
        result = shop.run("sync-product", "MUG", "-v", "--json")
        assert (result.code, result.only()["calls"]) == (65, 2)
        (error,) = result.only()["errors"]
        assert (error["record"], error["remedy"]) == ("MUG", "Give each product its own SKU there")
        assert {GUID, upstream_id(shop, "MUG")} <= set(error["message"].replace(",", "").split())
    assert "MUG: name Mug," in shop.run("sync-product", "MUG", "-v").out, "the link holds"


@pytest.mark.parametrize("mend", ["rename", "delete"])
def test_twins_are_no_longer_told_of_once_a_person_has_mended_one(shop: Shop, mend: str) -> None:
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER, DefaultSellPrice=99))
    assert shop.run("sync-recent").code == 65
    assert shop.run("sync-product", "TWIN", "--json").only()["calls"] == 2
    if mend == "rename":
        shop.upstream.put("products", {"Guid": OTHER, "ProductCode": "UNTWINNED"})
    else:
        shop.upstream.delete("products", OTHER)
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 4})
    assert shop.ok("sync-product", "TWIN", "--json").only()["calls"] == (2 if mend == "rename" else 3)
    untwinned = [("UNTWINNED", "99.00", 0)] if mend == "rename" else []
    rows = shop.rows("SELECT sku, price, available FROM catalogue WHERE sku LIKE '%TWIN%' ORDER BY sku")
    assert rows == [("TWIN", "10.00", 4), *untwinned]


def test_a_mended_twin_of_a_linked_product_is_seen(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", product("MUG", DefaultSellPrice=99))
    assert shop.run("sync-recent").code == 65
    shop.upstream.put("products", {"Guid": GUID, "ProductCode": "MUG-2"})
    assert shop.ok("sync-product", "MUG", "--json").only()["calls"] == 2
    assert shop.value("SELECT price FROM catalogue WHERE sku = 'MUG-2'") == "99.00"


def test_none_of_twins_is_shown_as_the_one(shop: Shop) -> None:
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER, DefaultSellPrice=99))
    for _ in range(2):
        assert "price" not in shop.run("sync-product", "TWIN", "-v").out


@pytest.mark.parametrize("known", [True, False])
def test_what_a_dry_run_promises_for_twins_is_what_they_cost(shop: Shop, *, known: bool) -> None:
    shop.upstream.put("products", product("TWIN"), product("TWIN", OTHER))
    if known:
        assert shop.run("sync-recent").code == 65
    promised = shop.ok("sync-product", "TWIN", "--dry-run", "--json").only()
    assert promised["minimum"] <= shop.run("sync-product", "TWIN", "--json").only()["calls"] <= promised["expected"]


def test_a_product_that_is_gone_is_told(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.delete("products", upstream_id(shop, "MUG"))
    result = shop.run("sync-product", "MUG", "--json")
    assert (result.code, result.only()["gone"]) == (65, 1)
    assert "no longer has this product" in result.err
    assert shop.rows("SELECT available, state FROM catalogue WHERE sku = 'MUG'") == [(0, "gone")]
    again = shop.run("sync-product", "MUG", "--json")
    assert (again.code, again.only()["calls"]) == (65, 1)
    assert "does not know this SKU" in again.err


def test_a_renamed_product_keeps_its_link(shop: Shop) -> None:
    shop.upstream.put("products", product("OLD'NAME"))
    shop.ok("sync-recent")
    shop.upstream.put("products", {"Guid": GUID, "ProductCode": "NEW'NAME", "DefaultSellPrice": 4})
    result = shop.run("sync-product", "OLD'NAME")
    assert result.code == 65
    assert "is now called NEW'NAME" in result.err
    assert shop.rows("SELECT sku, price FROM catalogue WHERE sku LIKE '%''NAME'") == [("OLD'NAME", "4.00")]
    remedy = result.err[result.err.index("UPDATE products") :].strip().removesuffix(".")
    before = shop.value("SELECT count(DISTINCT sku) FROM products")
    shop.write(remedy)
    assert shop.rows("SELECT sku, price FROM catalogue WHERE sku LIKE '%''NAME'") == [("NEW'NAME", "4.00")]
    assert shop.value("SELECT count(DISTINCT sku) FROM products") == before
    shop.ok("sync-product", "NEW'NAME")


def test_before_and_after_are_shown_to_whoever_looks(shop: Shop) -> None:
    shop.upstream.put("stock", {"ProductCode": "MUG", "AvailableQty": 9})
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 5})
    shop.ok("sync-recent")
    assert shop.ok("sync-product", "MUG").out == ""
    shop.upstream.put("stock", {"ProductCode": "MUG", "AvailableQty": 7.5})
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": None})
    shown = shop.ok("sync-product", "MUG", "-v").out.splitlines()[0]
    assert shown == "unleashed: MUG: name Mug, price 5.00 -> none, available 9 -> 7.5, state active"
    unchanged = shop.ok("sync-product", "MUG", "-v").out.splitlines()[0]
    assert unchanged == "unleashed: MUG: name Mug, price none, available 7.5, state active"


def test_a_gone_product_shows_no_stock(shop: Shop) -> None:
    shop.upstream.put("products", product("GHOST"))
    shop.upstream.put("stock", {"ProductGuid": GUID, "AvailableQty": 4})
    shop.ok("sync-recent")
    shop.upstream.delete("products", GUID)
    shown = shop.run("sync-product", "GHOST", "-v").out.splitlines()[0]
    assert shown == "unleashed: GHOST: name GHOST, price 10.00, available 4 -> 0, state active -> gone"
    explained = shop.ok("explain", "product", "GHOST").out
    assert "seen last" not in explained
    assert "state: active -> gone" in explained
    assert ", and 1 gone" in shop.ok("status").out


def test_a_product_without_a_stock_record_has_none(shop: Shop) -> None:
    shop.upstream.put("products", product("NEVER-MOVED"))
    assert "available 0, state active" in shop.ok("sync-product", "NEVER-MOVED", "-v").out


def test_a_long_request_is_cut_for_people_only(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("sync-product", *[sku for (sku,) in shop.rows("SELECT sku FROM products LIMIT 20")])
    (sku,) = shop.rows("SELECT sku FROM remote_products JOIN looks USING (record) WHERE product_call > 2")[0]
    (record,) = shop.ok("explain", "product", sku, "--json").json()["records"]
    request = record["product_last_seen"]["request"]
    assert len(request) > 200
    assert f"{request[:63]}…\n" in shop.ok("explain", "product", sku).out


def test_an_sku_given_twice_is_asked_for_once(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert shop.ok("sync-product", "--json", "MUG", " MUG ").only()["calls"] == 2


@pytest.mark.parametrize("skus", [[""], ["  "], ["MUG\udcff"]])
def test_what_is_no_sku_is_wrong_usage(shop: Shop, skus: list[str]) -> None:
    assert shop.run("sync-product", *skus).code == 2
    assert shop.upstream.calls() == 0


def test_an_explained_sku_that_is_no_text_is_wrong_usage(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert shop.run("explain", "product", "MUG\udcff").code == 2


def test_inactive_products_are_read_too(shop: Shop) -> None:
    shop.upstream.put("products", product("RETIRED", Obsolete=True))
    shop.ok("sync-product", "RETIRED")
    assert shop.rows("SELECT state FROM remote_products WHERE sku = 'RETIRED'") == [("inactive",)]
    assert shop.value("SELECT count(*) FROM products") == 0, "what is not for sale is not put into the shop"
