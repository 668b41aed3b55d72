"""The shop's product list: what is read, what is refused with its line, and what then stands in the table."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.models import Problem
from syncctl.shop.listing import clash, guess_form, read
from syncctl.shop.product import PRODUCTS, ShopProduct
from syncctl.state.database import Database
from syncctl.state.shop import Counts, case_clashes, store


def items(text: str | bytes, name: str = "-") -> list[ShopProduct | Problem]:
    data = text.encode() if isinstance(text, str) else text
    return list(read(name, io.BytesIO(data), PRODUCTS))


def products(text: str | bytes) -> dict[str, dict[str, object]]:
    """The fields of each product of a list without problems."""
    found = items(text)
    assert [item for item in found if isinstance(item, Problem)] == []
    return {item.sku: dict(item.fields) for item in found if isinstance(item, ShopProduct)}


def problems(text: str | bytes) -> dict[str, str]:
    """What is said of each line, the remedy behind it."""
    found = [item for item in items(text) if isinstance(item, Problem)]
    assert all(problem.remedy for problem in found)
    return {problem.record: f"{problem.message} / {problem.remedy}" for problem in found}


def skus(text: str | bytes) -> list[str]:
    return [item.sku for item in items(text) if isinstance(item, ShopProduct)]


def line(**fields: object) -> str:
    return json.dumps({"sku": "A", **fields}) + "\n"


# What is read

FULL = {
    "name": 'Tea, "green"\u2122',
    "barcode": "0012",
    "price": Decimal("12.5"),
    "price_includes_tax": True,
    "currency": "NZD",
}


def test_all_columns_as_json_lines_and_as_csv() -> None:
    fields = {**FULL, "price": "12.5", "currency": "nzd", "barcode": " 0012 "}
    assert products(line(**fields)) == {"A": FULL}
    row = 'barcode,SKU,Price,price_includes_tax,name,currency\n0012, A ,12.5,Yes,"Tea, ""green""\u2122",NZD\n'
    assert products(row) == {"A": FULL}


def test_what_a_line_does_not_tell_is_not_told() -> None:
    assert products(line()) == {"A": {}}
    assert products("sku,price\nA,1\n") == {"A": {"price": Decimal(1)}}


def test_what_is_empty_is_taken_away() -> None:
    nothing = dict.fromkeys(FULL) | {"name": ""}
    assert products(line(**dict.fromkeys(FULL))) == {"A": nothing}
    assert products(f"sku,{','.join(FULL)}\nA,,,,,\n") == {"A": nothing}


def test_a_price_keeps_every_digit() -> None:
    assert products('{"sku": "A", "price": 0.123456789012}')["A"]["price"] == Decimal("0.123456789012")
    assert products('{"sku": "A", "price": 999999999999.10}')["A"]["price"] == Decimal("999999999999.10")


@pytest.mark.parametrize(("text", "value"), [(True, True), (0, False), ("1", True), ("NO", False), ("false", False)])
def test_words_for_true_and_false(text: object, value: bool) -> None:
    assert products(line(price_includes_tax=text)) == {"A": {"price_includes_tax": value}}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_blank_lines_and_a_byte_order_mark(end: str, mark: str) -> None:
    rows = ["", "sku,name", "", "A,x", ",", "B,y,z", ""]
    assert skus(mark + end.join(rows)) == ["A"]
    assert list(problems(mark + end.join(rows))) == ["line 6"]
    lines = ["", '{"sku": "A"}', "  ", '{"sku": 1}', '{"sku": "B"}']
    assert skus(mark + end.join(lines)) == ["A", "B"]
    assert list(problems(mark + end.join(lines))) == ["line 4"]


def test_names_of_any_length_on_one_line() -> None:
    name = "é" * 10_000
    assert products(line(name=name)) == products(f"sku,name\nA,{name}\n") == {"A": {"name": name}}
    assert products(line(name="a\nb\x00\tc\u200b"))["A"]["name"] == "a b  c"
    assert products('sku,name\nA,"a\nb"\n')["A"]["name"] == "a b"


def test_lines_are_counted_as_an_editor_does() -> None:
    text = 'sku,name\nA,"one\ntwo\n\nthree"\nB\n"C","x\ny"\nD,1,2\n'
    assert skus(text) == ["A", "C"]
    assert list(problems(text)) == ["line 6", "line 9"]


def test_the_form_is_seen_from_the_content_then_from_the_name() -> None:
    assert guess_form("list.csv", ' \ufeff{"sku"'.strip()) == "jsonl"
    assert guess_form("-", "\n \n  {") == "jsonl"
    assert guess_form("List.NDJSON", "oops") == "jsonl"
    assert guess_form("-", "sku,name") == guess_form("list.csv", "") == guess_form("list.txt", "x") == "csv"


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
ROWS = st.lists(st.tuples(TEXTS.filter(str.isprintable), TEXTS), min_size=1, max_size=8)


@given(ROWS)
def test_both_forms_tell_the_same(rows: list[tuple[str, str]]) -> None:
    """Line by line (no text here has a line end), the problems included."""
    file = io.StringIO()
    csv.writer(file).writerows([("sku", "name"), *((f"#{sku}", name) for sku, name in rows)])
    lines = "\n".join(["", *(json.dumps({"sku": f"#{sku}", "name": name}) for sku, name in rows)])
    assert items(file.getvalue()) == items(lines)


# What is refused


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sku": " "}, "It has no SKU"),
        ({"sku": None}, "It has no SKU"),
        ({"sku": 12}, "sku is not a text / Put it in quotes"),
        ({"sku": ["A"]}, "sku is not a text"),
        ({"sku": "A\u200bB"}, "sku 'A\\u200bB' has an invisible character (U+200B)"),
        ({"sku": "A\nB"}, "has an invisible character (U+000A)"),
        ({"sku": "A\ud800"}, "sku has half of a surrogate pair"),
        ({"name": 5}, "name is not a text"),
        ({"barcode": 9400000000001}, "barcode is not a text"),
        ({"barcode": "9.4E+12"}, "barcode '9.4E+12' was rounded by a spreadsheet"),
        ({"price": "12,50"}, "price '12,50' is not an amount / Write digits with a dot and nothing else, as 12.50"),
        ({"price": "-1"}, "price '-1' is not an amount"),
        ({"price": -1}, "price '-1' is not an amount"),
        ({"price": "1e3"}, "price '1e3' is not an amount"),
        ({"price": "$5"}, "price '$5' is not an amount"),
        ({"price": ".5"}, "price '.5' is not an amount"),
        ({"price": "\u0661"}, "is not an amount"),
        ({"price": "9" * 13}, "has more than 12 digits before or after the dot"),
        ({"price": "x" * 999}, "…' is not an amount"),
        ({"price": float("nan")}, "price 'NaN' is not an amount"),
        ({"price": True}, "price is not a text"),
        ({"price_includes_tax": "maybe"}, "price_includes_tax 'maybe' is neither true nor false"),
        ({"price_includes_tax": 2}, "price_includes_tax '2' is neither true nor false"),
        ({"currency": "dollar"}, "currency 'DOLLAR' is not a currency"),
        ({"pirce": "1"}, "There is no key 'pirce'; there are sku, name, barcode, price, price_includes_tax, currency"),
        ({"\ud800": "1"}, "There is no key '\\ud800'"),
    ],
)
def test_a_value_that_cannot_be_used(fields: dict[str, object], message: str) -> None:
    text = json.dumps({"sku": "Z"}) + "\n" + line(**fields)
    assert message in problems(text)["line 2"]
    assert skus(text) == ["Z"], "the other lines are read"
    problems(text)["line 2"].encode()  # it can be printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"sku": "A"', "This is not JSON: "),
        ("A-1", "This is not JSON: "),
        ('"A-1"', "This is not a JSON object"),
        ('{"sku": "A", "sku": "B"}', "A key stands twice"),
        ('{"sku": ' + "[" * 100_000, "nested too deep"),
        ('{"sku": "A", "price": ' + "9" * 5000 + "}", "has more than 12 digits"),
        ('{"sku": "A", "price": 1e400}', "price '1e400' is not an amount"),
    ],
)
def test_a_line_that_is_no_product(text: str, message: str) -> None:
    assert message in problems('{"sku": "Z"}\n' + text)["line 2"]


def test_bytes_that_are_not_utf8_cost_their_own_line_only() -> None:
    said = "This is not UTF-8 text / Save it as UTF-8"
    rows = b"sku,name\nA,caf\xe9\nB,caf\xc3\xa9\n"
    assert (problems(rows), skus(rows)) == ({"line 2": said}, ["B"])
    lines = b'{"sku": "A", "caf\xe9": 1}\n{"sku": "B"}\n'
    assert (problems(lines), skus(lines)) == ({"line 1": said}, ["B"])
    assert problems("sku,name\nA,x\n".encode("utf-16")) == {"line 1": said}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A,x\nB,y\n", "The header line has no column sku / Begin with a line of column names, as sku,name,"),
        ("sku;name\nA;x\n", "The columns are separated with semicolons / Separate them with commas, "),
        ('name;"SKU";price\nx;A;4,50\n', "The columns are separated with semicolons"),
        ("sku\tname\nA\tx\n", "The columns are separated with tabs"),
        ("code;name\nA;x\n", "The header line has no column sku"),
        ("sku,name,SKU\nA,x,B\n", "A column stands twice in the header line"),
        ('[{"sku": "A"},\n{"sku": "B"}]', "A JSON array begins here / Write one object a line, as jq -c '.[]' does"),
    ],
)
def test_a_list_without_form_is_one_problem(text: str, message: str) -> None:
    (found,) = items(text)
    assert isinstance(found, Problem)
    assert (found.record, f"{found.message} / {found.remedy}".startswith(message)) == ("line 1", True)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
@pytest.mark.parametrize("name", ["-", "a.csv", "a.jsonl"])
def test_an_empty_file_is_an_empty_list_whatever_its_name(text: str, name: str) -> None:
    assert items(text, name) == []
    assert items("sku,name\n", name if name != "a.jsonl" else "-") == []


def test_an_unknown_column_is_told_once_and_its_cells_are_left_out() -> None:
    text = "sku,pirce,name\nA,1,x\nB,2,y\n"
    assert list(problems(text)) == ["line 1"]
    assert "There is no column 'pirce'" in problems(text)["line 1"]
    assert problems(text)["line 1"].endswith("leave it out; with --skip-bad the lines are stored without it")
    assert [item.fields for item in items(text) if isinstance(item, ShopProduct)] == [{"name": "x"}, {"name": "y"}]


def test_a_line_with_another_number_of_cells_is_told_what_it_lacks() -> None:
    assert problems("sku,name,price\nA\nB,x,1,5\nC,x,\n") == {
        "line 2": "It has 1 cell, the header line 3 / Give each line all cells, also those that are empty",
        "line 3": "It has 4 cells, the header line 3 / Put text that has a comma in quotes",
    }


def test_a_quote_that_is_not_closed_says_how_much_was_lost() -> None:
    text = 'sku,name\nA,x\nB,"y\nC,z\nD,z\n'
    assert skus(text) == ["A"]
    assert "This is not CSV: " in problems(text)["line 3"]
    assert "nothing up to line 5 was read" in problems(text)["line 3"]
    assert list(problems('sku,name\nA,"x"y\nB,z\n')) == ["line 2"]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (("A", "B", "A "), {1: "SKU 'A' stands also in line 3", 3: "SKU 'A' stands also in line 1"}),
        (
            ("a", "B", "A"),
            {
                1: "SKU 'a' differs only in case from 'A' in line 3",
                3: "SKU 'A' differs only in case from 'a' in line 1",
            },
        ),
        (("ä", "B", "Ä"), {1: "SKU 'ä' differs only in case", 3: "SKU 'Ä' differs only in case"}),
    ],
)
def test_of_lines_with_one_sku_none_is_taken(codes: tuple[str, ...], said: dict[int, str]) -> None:
    text = "".join(line(sku=code) for code in codes)
    assert skus(text) == ["B"]
    found = problems(text)
    assert {number: found[f"line {number}"].startswith(message) for number, message in said.items()} == {
        1: True,
        3: True,
    }


# What is stored


def put(database: Database, *lines: str) -> Counts:
    return store(database, [item for item in items("".join(lines)) if isinstance(item, ShopProduct)])


def table(database: Database) -> list[tuple[object, ...]]:
    sql = "SELECT sku, name, barcode, price, price_includes_tax, currency, created_by FROM products ORDER BY id"
    return [tuple(row) for row in database.rows(sql)]


def test_a_list_is_stored_by_sku(database: Database) -> None:
    full = {**FULL, "price": "12.5"}
    assert put(database, line(**full), line(sku="B")) == Counts(created=2, changed=0, unchanged=0)
    assert table(database) == [
        ("A", FULL["name"], "0012", "12.50", 1, "NZD", "import"),
        ("B", "", None, None, None, None, "import"),
    ]


def test_only_what_differs_is_written(database: Database) -> None:
    put(database, line(name="x", price="1"), line(sku="B", price="2"), line(sku="C"))
    before = database.connection.total_changes
    again = [line(name="x", price="1.0"), line(sku="B", price="3"), line(sku="C"), line(sku="D")]
    assert put(database, *again) == Counts(created=1, changed=1, unchanged=2)
    assert database.connection.total_changes - before == 2


def test_what_a_line_leaves_out_stays_and_what_it_empties_goes(database: Database) -> None:
    put(database, line(name="x", price="1", barcode="7", price_includes_tax=False))
    assert put(database, line(name="y", barcode=None)) == Counts(0, 1, 0)
    assert table(database) == [("A", "y", None, "1.00", 0, None, "import")]


def test_a_product_of_another_maker_keeps_its_maker(database: Database) -> None:
    database.connection.execute("INSERT INTO products (sku, name) VALUES ('A', 'x')")
    assert put(database, line(name="y")) == Counts(0, 1, 0)
    assert table(database)[0][-1] == "shop"


def test_a_list_that_fails_leaves_nothing(database: Database) -> None:
    good, bad = ShopProduct(1, "A", {}), ShopProduct(2, " not trimmed ", {})
    with pytest.raises(Exception, match="CHECK"):
        store(database, [good, bad])
    assert table(database) == []


def test_an_empty_list_is_stored_too(database: Database) -> None:
    assert store(database, []) == Counts(0, 0, 0)
    assert case_clashes(database, "products.sku", []) == {}


def test_skus_that_the_shop_has_in_other_capitals_only(database: Database) -> None:
    put(database, *(line(sku=sku) for sku in ("Abc", "Äpfel", "x1", "Été")))
    database.connection.execute("INSERT INTO products (sku) VALUES ('X1'), ('ÉTÉ')")
    many = [f"n{number}" for number in range(1200)]
    wanted = ["ABC", "äpfel", "x1", "X1", "Été", "ÉTÉ", "new", "neü", *many, "aBC"]
    assert case_clashes(database, "products.sku", wanted) == {
        "ABC": "Abc",
        "aBC": "Abc",
        "äpfel": "Äpfel",
    }
    assert clash(ShopProduct(7, "ABC", {}), "Abc").record == "line 7"


def test_clashes_are_found_without_reading_the_whole_table(database: Database) -> None:
    seen: list[str] = []
    database.connection.set_trace_callback(seen.append)
    case_clashes(database, "products.sku", ["A", "B"])
    database.connection.set_trace_callback(None)
    plan = [row["detail"] for sql in seen for row in database.rows(f"EXPLAIN QUERY PLAN {sql}")]
    assert not [step for step in plan if step.startswith("SCAN products")], plan
