"""`syncctl import customers`: found by code or by e-mail, changed only in what the list tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Shop

COLUMNS = "code, name, company, email, phone, billing, shipping"


def bring(shop: Shop, text: str | dict[str, Any] | list[dict[str, Any]], *options: str) -> Result:
    """Imports CSV text, or objects as JSON Lines."""
    rows = [text] if isinstance(text, dict) else text
    lines = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    (shop.folder / "list").write_text(lines)
    return shop.run("import", "customers", "list", *options)


def stored(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(f"SELECT {COLUMNS} FROM customers ORDER BY id")


ANN = {
    "code": "C-1",
    "name": "Ann <Ann> \U0001f469\u200d\U0001f4bb",
    "company": 'Ann & "Co"',
    "email": "Ann+Tag@Example.org",
    "phone": "+64 4 123",
    "billing": {"address1": "1 High St", "city": "Wellington", "country": "nz"},
    "shipping": {"name": "Bob", "postcode": "6011"},
}
ANN_STORED = (
    *("C-1", ANN["name"], 'Ann & "Co"', "Ann+Tag@Example.org", "+64 4 123"),
    '{"address1": "1 High St", "city": "Wellington", "country": "NZ"}',
    '{"name": "Bob", "postcode": "6011"}',
)


def test_both_forms_tell_the_same(shop: Shop) -> None:
    assert bring(shop, ANN).code == 0
    assert stored(shop) == [ANN_STORED]
    header = (
        "Code,name,company,email,phone,billing_address1,billing_city,billing_country,shipping_name,shipping_postcode"
    )
    row = f'C-1,{ANN["name"]},"Ann & ""Co""",Ann+Tag@Example.org,+64 4 123,1 High St,Wellington,NZ,Bob,6011'
    assert bring(shop, f"{header},shipping_city\n{row},\n", "-v").out == "0 new, 0 changed, 1 unchanged\n"
    assert stored(shop) == [ANN_STORED]
    assert shop.value("SELECT created_by FROM customers") == "import"


def test_a_second_list_changes_only_what_it_tells(shop: Shop) -> None:
    bring(shop, [ANN, {"code": "C-2", "name": "Bob"}])
    result = bring(shop, [{"code": "C-1", "phone": "", "shipping": None}, {"code": "C-2", "name": "Bob"}], "-v")
    assert result.out == "0 new, 1 changed, 1 unchanged\n"
    assert stored(shop)[0] == (*ANN_STORED[:4], None, ANN_STORED[5], None)


def test_without_a_code_it_is_the_only_one_with_the_email(shop: Shop) -> None:
    bring(shop, ANN)
    bring(shop, "email,phone\nann+tag@example.ORG,5\nbob@example.org,6\n\u00c4@example.org,7\n")
    bring(shop, "email,phone\n\u00e4@EXAMPLE.org,8\n")
    assert [(row[0], row[4]) for row in stored(shop)] == [("C-1", "5"), (None, "6"), (None, "8")]


def test_an_email_of_two_customers_says_nothing_of_either(shop: Shop) -> None:
    bring(shop, [{"code": "C-1", "email": "a@example.org"}, {"code": "C-2", "email": "A@example.org"}])
    result = bring(shop, "email,phone\na@example.org,5\nbob@example.org,6\n", "--skip-bad")
    said = "line 2: The shop has 2 customers with the e-mail 'a@example.org'. Give the line the code of one of them."
    assert (result.code, result.err) == (65, said + "\n")
    assert [row[4] for row in stored(shop)] == [None, None, "6"]


def test_a_new_email_of_a_known_code_is_no_other_customer(shop: Shop) -> None:
    bring(shop, ANN)
    bring(shop, {"code": "C-1", "email": "new@example.org"})
    assert [row[3] for row in stored(shop)] == ["new@example.org"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,name\n,Ann\n", "line 2: It has neither code nor e-mail"),
        ("name,phone\nAnn,1\n", "line 1: The header line has no column code or email"),
        (
            "code,billing\nC-1,x\n",
            "line 1: There is no column 'billing'; there are code, name, company, email, phone, bil",
        ),
        (
            "code,billing_country\nC-1,New Zealand\n",
            "line 2: billing: country 'NEW ZEALAND' is not the code of a country",
        ),
        ('{"code": "C-1", "billing": "x"}', "line 1: billing is not an object"),
        ('{"code": "C-1", "billing": {"zip": "x"}}', "line 1: billing: There is no key 'zip'"),
        ('{"code": "C-1", "billing_city": "x"}', "line 1: There is no key 'billing_city'"),
        ('{"code": 7}', "line 1: code is not a text"),
        ('{"code": "1", "name": ' + "[" * 100_000, "line 1: This is not JSON of a list: it is nested too deep"),
        ("code\nC-1\nc-1\n", "line 2: code 'C-1' differs only in case from 'c-1' in line 3"),
        ("email\na@b\nA@b\n", "line 2: e-mail 'a@b' differs only in case from 'A@b' in line 3"),
        ("code,email\nC-1,a@b\n,a@b\n", "line 3: e-mail 'a@b' stands also in line 2"),
    ],
)
def test_a_bad_line_keeps_the_list_out(shop: Shop, text: str, said: str) -> None:
    result = bring(shop, text)
    assert result.code == 65
    assert result.err.startswith(said)
    assert stored(shop) == []


def test_two_codes_may_have_one_email(shop: Shop) -> None:
    assert bring(shop, "code,email\nC-1,a@b\nC-2,a@b\n").code == 0
    assert [row[0] for row in stored(shop)] == ["C-1", "C-2"]


def test_a_code_that_differs_in_case_from_the_shops_is_a_bad_line(shop: Shop) -> None:
    bring(shop, ANN)
    assert "line 1: code 'c-1' differs only in case from 'C-1', which the shop has" in bring(shop, {"code": "c-1"}).err


def test_a_dry_run_stores_nothing(shop: Shop) -> None:
    assert bring(shop, ANN, "--dry-run").code == 0
    assert stored(shop) == []


def test_json_counts_and_lists_what_is_wrong(shop: Shop) -> None:
    told = bring(shop, [ANN, {"name": "x"}], "--skip-bad", "--json").json()
    assert (told["command"], told["exit_code"], told["stored"], told["created"]) == ("import customers", 65, True, 1)
    assert [error["record"] for error in told["errors"]] == ["line 2"]


def test_names_of_any_length_are_kept(shop: Shop) -> None:
    bring(shop, {"code": "C", "name": "\U0001f600" * 10_000, "billing": {"address1": "x" * 600}})
    assert shop.rows("SELECT length(name), length(billing ->> 'address1') FROM customers") == [(10_000, 600)]


def test_a_customer_that_the_shop_wrote_is_found(shop: Shop, tmp_path: Path) -> None:
    bring(shop, {"code": "other"})
    shop.write("INSERT INTO customers (email, billing) VALUES ('Ann@example.org', '{\"city\":\"Nelson\"}')")
    bring(shop, {"email": "ann@example.org", "name": "Ann"})
    assert stored(shop)[1] == (None, "Ann", None, "ann@example.org", None, '{"city":"Nelson"}', None)
    assert shop.value("SELECT created_by FROM customers WHERE name = 'Ann'") == "shop"
