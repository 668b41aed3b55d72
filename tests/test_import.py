"""`syncctl import products`: the shop's own list arrives whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from conftest import Shop

BAD = 'sku,name,price\nMUG,Mug,4.50\n,No code,1\nCUP,Cup,"4,50"\n'


def write(folder: Path, text: str) -> str:
    (folder / "list.csv").write_text(text)
    return str(folder / "list.csv")


def test_a_good_list_is_stored(shop: Shop) -> None:
    shop.ok("import", "products", write(shop.folder, "sku,name,price,price_includes_tax\nMUG,Mug,4.50,yes\n"))
    assert shop.rows("SELECT sku, name, price, price_includes_tax, created_by FROM products") == [
        ("MUG", "Mug", "4.50", 1, "import")
    ]


def test_one_bad_line_keeps_the_others_out(shop: Shop) -> None:
    result = shop.run("import", "products", write(shop.folder, BAD))
    assert result.code == 65
    assert [line.partition(":")[0] for line in result.err.splitlines()] == ["line 3", "line 4", "Nothing was stored"]
    assert shop.rows("SELECT * FROM products") == []


def test_skip_bad_stores_the_good_ones_and_still_complains(shop: Shop) -> None:
    result = shop.run("import", "products", write(shop.folder, BAD), "--skip-bad", "--json")
    assert result.code == 65
    assert (result.json()["stored"], result.json()["created"], len(result.json()["errors"])) == (True, 1, 2)
    assert shop.rows("SELECT sku FROM products") == [("MUG",)]


def test_a_sku_that_differs_in_case_from_the_shops_is_a_bad_line(shop: Shop) -> None:
    shop.ok("import", "products", write(shop.folder, "sku\nMUG\n"))
    result = shop.run("import", "products", write(shop.folder, "sku\nmug\n"))
    assert result.code == 65
    assert "line 2" in result.err
    assert "MUG" in result.err


def test_a_second_list_changes_only_what_it_tells(shop: Shop) -> None:
    shop.ok("import", "products", write(shop.folder, "sku,name,price\nMUG,Mug,4.50\nCUP,Cup,1\n"))
    result = shop.ok("import", "products", write(shop.folder, "sku,price\nMUG,5\nCUP,1\n"), "-v")
    assert result.out == "0 new, 1 changed, 1 unchanged\n"
    assert shop.rows("SELECT name, price FROM products WHERE sku = 'MUG'") == [("Mug", "5.00")]


def test_a_dry_run_stores_nothing(shop: Shop) -> None:
    result = shop.ok("import", "products", write(shop.folder, "sku\nMUG\nCUP\n"), "--dry-run")
    assert result.out == "2 lines would be stored; nothing was, as this is a dry run\n"
    assert shop.rows("SELECT * FROM products") == []


def test_a_dry_run_tells_what_bad_lines_lead_to(shop: Shop) -> None:
    result = shop.run("import", "products", write(shop.folder, BAD), "--dry-run")
    assert (result.code, result.out, "Nothing would be stored: mend" in result.err) == (65, "", True)
    result = shop.run("import", "products", write(shop.folder, BAD), "--dry-run", "--skip-bad")
    assert (result.code, result.out.partition(";")[0]) == (65, "1 line would be stored")
    assert shop.rows("SELECT * FROM products") == []


def test_a_missing_file_is_wrong_usage(shop: Shop) -> None:
    result = shop.run("import", "products", "nowhere.csv")
    assert result.code == 2
    assert "nowhere.csv" in result.err


def test_an_imported_product_is_linked_by_the_next_run(shop: Shop) -> None:
    shop.upstream.put("products", {"ProductCode": "OWN-1", "ProductDescription": "Ours", "DefaultSellPrice": 3})
    shop.ok("import", "products", write(shop.folder, "sku,name\nOWN-1,Our own\n"))
    shop.ok("sync-recent")
    assert shop.rows("SELECT name, price FROM catalogue WHERE sku = 'OWN-1'") == [("Ours", "3.00")]
    assert shop.value("SELECT count(*) FROM products WHERE sku = 'OWN-1'") == 1
