"""Several services at once: the same goods in all of them, and trouble with one is no trouble for the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Shop, Upstream
from seeded import seeded

from syncctl.http import transport

ALL = ("unleashed", "xero", "vend")
NOWHERE = "00000000-0000-4000-8000-00000000dead"
PLENTY = "100000/minute, 125000/month"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with all three services."""
    (tmp_path / ".env").touch(mode=0o600)
    with seeded() as sandbox:
        yield Shop(tmp_path, sandbox.env() | {"SYNCCTL_UNLEASHED_LIMITS": PLENTY}, Upstream(sandbox.url))


def upstream(shop: Shop, service: str) -> Upstream:
    return Upstream(shop.upstream.url.removesuffix("/_sandbox"), service)


def parts(result: Result) -> dict[str, dict[str, Any]]:
    """The connectors of `--json` by name."""
    return {part["name"]: part for part in result.json()["connectors"]}


def shown(shop: Shop, sku: str = "MUG") -> tuple[Any, ...]:
    """Price, whether it includes tax, currency and quantity, as the shop reads them."""
    (row,) = shop.rows("SELECT price, price_includes_tax, currency, available FROM catalogue WHERE sku = ?", sku)
    return row


def sold_everywhere(shop: Shop) -> str:
    """The SKU of a product that all three have, active, with a price and stock."""
    return str(
        shop.value(
            "SELECT sku FROM remote_products JOIN looks USING (record) JOIN remote_stock USING (record)"
            " WHERE state = 'active' AND prices <> '{}' AND available > 0 GROUP BY sku"
            " HAVING count(DISTINCT looks.connector) = 3 ORDER BY sku LIMIT 1"
        )
    )


def test_a_quiet_run_costs_two_calls_each_and_xero_one(shop: Shop) -> None:
    shop.run("sync-recent")
    shop.upstream.advance(90_000)
    shop.run("sync-recent")
    assert {name: part["calls"] for name, part in parts(shop.run("sync-recent", "--json")).items()} == {
        "unleashed": 2, "xero": 1, "vend": 2,
    }  # fmt: skip


def test_the_same_goods_are_linked_each_with_its_own_id(shop: Shop) -> None:
    shop.run("sync-recent")
    links = shop.rows(
        "SELECT count(DISTINCT connector), count(DISTINCT remote_id) FROM remote_products JOIN products"
        " ON products.id = product_id WHERE products.sku = ? GROUP BY product_id",
        sold_everywhere(shop),
    )
    assert links == [(3, 3)]


FAULTS = {
    "down": ("503-text", 69, "answers 503"),
    "signed out": ("401", 77, "credentials|token"),
    "not understood": ("garbage", 76, "no JSON|no token"),
}


@pytest.mark.parametrize("ill", ALL)
@pytest.mark.parametrize("trouble", FAULTS)
def test_one_in_trouble_never_stops_the_others(
    shop: Shop, ill: str, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TRIES", 1)  # to try again would only take time
    kind, code, words = FAULTS[trouble]
    for method in ("GET", "POST"):
        fault = {"service": ill, "match": {"method": method, "path": "."}, "times": 99, "kind": kind}
        shop.upstream.request("POST", "faults", fault)
    result = shop.run("sync-recent", "--json")
    for name, part in parts(result).items():
        assert (part["created"] > 0) == (name != ill), result
    (error,) = parts(result)[ill]["errors"]
    assert re.search(words, error["message"]), error
    assert result.code == code


def test_a_wrong_setting_stops_its_own_connector_only(shop: Shop) -> None:
    result = shop.run("sync-recent", "--json", SYNCCTL_VEND_API_VERSION="2025-01")
    assert result.code == 78
    assert [name for name, part in parts(result).items() if not part["created"]] == ["vend"]
    assert "2026-04" in parts(result)["vend"]["errors"][0]["message"]


def test_a_used_up_budget_ends_its_own_connector_only(shop: Shop) -> None:
    shop.run("sync-recent")
    result = shop.run("sync-recent", "--json", SYNCCTL_XERO_LIMITS="1/day")
    assert result.code == 0
    assert [name for name, part in parts(result).items() if part["deferred_until"]] == ["xero"]


def test_each_field_comes_from_its_owner_and_a_changed_owner_shows_at_the_next_run(shop: Shop) -> None:
    shop.run("sync-recent")
    sku = sold_everywhere(shop)
    first = shown(shop, sku)
    xero, vend = upstream(shop, "xero"), upstream(shop, "vend")
    xero.put("products", {"Code": sku, "SalesDetails": {"UnitPrice": 77.5}, "QuantityOnHand": 41})
    vend.put("products", {"sku": sku, "price_including_tax": 88})
    shop.run("sync-recent")
    assert shown(shop, sku) == first
    shop.run("sync-recent", SYNCCTL_PRICE_FROM="vend", SYNCCTL_STOCK_FROM="xero")
    assert shown(shop, sku) == ("88.00", 1, "NZD", 41)
    shop.run("sync-recent", SYNCCTL_PRICE_FROM="xero")
    assert shown(shop, sku)[:3] == ("77.50", None, "NZD")
    assert shown(shop, sku)[3] == first[3]


def test_an_outlet_that_does_not_exist_keeps_what_the_shop_shows(shop: Shop) -> None:
    owner = {"SYNCCTL_STOCK_FROM": "vend"}
    shop.run("sync-recent", **owner)
    sku = sold_everywhere(shop)
    before = shown(shop, sku)
    result = shop.run("sync-recent", "--connector", "vend", **owner, SYNCCTL_VEND_OUTLETS=NOWHERE)
    assert result.code == 78
    assert re.search(f"none at OUTLETS '{NOWHERE}'.*SYNCCTL_VEND_OUTLETS", result.err)
    assert shown(shop, sku) == before


def test_a_page_of_one_record_is_enough_where_goods_lie_in_two_places(shop: Shop) -> None:
    result = shop.run("sync-recent", "--connector", "vend", "--json", SYNCCTL_VEND_PAGE_SIZE="1")
    assert result.code == 0, result


def test_a_second_account_of_the_same_kind_has_its_own_name(shop: Shop) -> None:
    second = {name.replace("UNLEASHED", "BRANCH"): value for name, value in shop.env.items() if "UNLEASHED" in name} | {
        "SYNCCTL_CONNECTORS": "unleashed,branch:unleashed"
    }
    result = shop.run("sync-recent", "--json", **second)
    assert {name: part["errors"] for name, part in parts(result).items()} == {"unleashed": [], "branch": []}
    assert len({part["seen"] for part in parts(result).values()}) == 1


def test_status_and_doctor_speak_of_all(shop: Shop) -> None:
    shop.run("sync-recent")
    names = list(ALL)
    assert [part["name"] for part in shop.run("status", "--json").json()["connectors"]] == names
    result = shop.run("doctor", "--json")
    assert result.code == 0, result
    assert list(parts(result)) == names


def dry(shop: Shop, name: str, *args: str) -> dict[str, Any]:
    """What a run of one connector would cost."""
    result = shop.run(*args, "--connector", name, "--dry-run", "--json")
    (forecast,) = result.json()["connectors"]
    found: dict[str, Any] = forecast
    return found


def zeros(shop: Shop, name: str) -> None:
    """Somebody sets all stock of a service to zero."""
    places = shop.rows(
        "SELECT remote_id, location FROM looks JOIN remote_stock USING (record) WHERE connector = ?", name
    )
    if name == "xero":
        records = [{"ItemID": remote_id, "QuantityOnHand": 0} for remote_id, _ in places]
        upstream(shop, name).put("products", *records)
    else:
        records = [{"product_id": p, "outlet_id": o, "current_inventory_level": 0} for p, o in places]
        upstream(shop, name).put("stock", *records)


@pytest.mark.parametrize("name", ["vend", "xero"])
@pytest.mark.parametrize("command", [("sync-recent",), ("sync-oldest", "--limit", "2000")])
def test_all_stock_at_zero_is_refused_before_any_of_it_is_stored(
    large: Shop, name: str, command: tuple[str, ...]
) -> None:
    owner = {"SYNCCTL_STOCK_FROM": name, "SYNCCTL_CONNECTORS": name}
    large.run("sync-recent", **owner)
    before = large.rows("SELECT sku, available FROM catalogue ORDER BY sku")
    zeros(large, name)
    for _ in range(2):
        assert large.run(*command, **owner).code == 65
        assert large.rows("SELECT sku, available FROM catalogue ORDER BY sku") == before
    large.run("sync-recent", "--accept-loss", **owner)
    assert large.value("SELECT count(*) FROM catalogue WHERE available > 0") == 0


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose records come in several pages and portions."""
    (tmp_path / ".env").touch(mode=0o600)
    with seeded("vend", "xero", products=1000) as sandbox:
        yield Shop(tmp_path, sandbox.env(), Upstream(sandbox.url))


def test_a_loss_told_in_several_pages_is_refused_as_a_whole_and_for_as_long_as_nobody_accepts_it(large: Shop) -> None:
    only = {"SYNCCTL_CONNECTORS": "vend"}
    large.run("sync-recent", **only)
    ids = [row[0] for row in large.rows("SELECT remote_id FROM remote_products WHERE state = 'active' LIMIT 320")]
    upstream(large, "vend").put("products", *({"id": each, "deleted_at": "2026-11-23T00:00:00+00:00"} for each in ids))
    for _ in range(2):
        result = large.run("sync-recent", **only)
        assert result.code == 65
        assert "deleted 320 of 1000 products, so nothing was marked" in result.err
        assert large.value("SELECT count(*) FROM remote_products WHERE state = 'gone'") == 0
    large.ok("sync-recent", "--accept-loss", **only)
    assert large.value("SELECT count(*) FROM remote_products WHERE state = 'gone'") == 320


def test_a_deletion_that_is_taken_back_before_it_was_believed_is_none(large: Shop) -> None:
    only = {"SYNCCTL_CONNECTORS": "vend"}
    large.run("sync-recent", **only)
    ids = [row[0] for row in large.rows("SELECT remote_id FROM remote_products WHERE state = 'active' LIMIT 320")]
    for deleted in ("2026-11-23T00:00:00+00:00", None):
        upstream(large, "vend").put("products", *({"id": each, "deleted_at": deleted} for each in ids))
        result = large.run("sync-recent", **only)
    assert (result.code, large.value("SELECT count(*) FROM remote_products WHERE state = 'gone'")) == (0, 0)


def test_a_product_that_comes_back_comes_with_its_stock(shop: Shop) -> None:
    owner = {"SYNCCTL_STOCK_FROM": "vend"}
    shop.run("sync-recent", **owner)
    sku = sold_everywhere(shop)
    before = shown(shop, sku)
    for deleted in ("2026-11-23T00:00:00+00:00", None):
        upstream(shop, "vend").put("products", {"sku": sku, "deleted_at": deleted})
        shop.run("sync-recent", **owner)
    assert before[3]
    assert shown(shop, sku) == before


@pytest.mark.parametrize("name", ["vend", "xero"])
def test_the_forecast_of_a_full_read_is_what_it_costs(large: Shop, name: str) -> None:
    only = {"SYNCCTL_CONNECTORS": name}
    large.run("sync-recent", **only)
    large.extra |= only
    for command in (("sync-recent", "--full"), ("sync-oldest", "--limit", "400"), ("sync-oldest", "--limit", "9000")):
        expected = dry(large, name, *command)["expected"]
        spent = parts(large.run(*command, "--json"))[name]["calls"]
        assert abs(expected - spent) <= 1, (command, expected, spent)


@pytest.mark.parametrize("command", ["sync-recent", "doctor"])
def test_a_damaged_token_file_stops_those_only_that_need_a_token(shop: Shop, command: str) -> None:
    shop.state.with_name("syncctl.db.tokens").write_text("{")
    result = shop.run(command, "--json")
    assert result.code == 74
    assert {name: len(part["errors"]) for name, part in parts(result).items()} == {"unleashed": 0, "xero": 1, "vend": 0}
    assert "tokens is damaged" in parts(result)["xero"]["errors"][0]["message"]
    assert parts(result)["vend"]["calls"]


def test_a_service_that_hangs_takes_only_its_share_of_max_seconds(shop: Shop) -> None:
    shop.upstream.fault("hold", times=9)
    result = shop.run("sync-recent", "--json", "--max-seconds", "15")
    assert result.code == 69
    assert {name: part["created"] > 0 for name, part in parts(result).items()} == {
        "unleashed": False, "xero": True, "vend": True,
    }  # fmt: skip
    assert re.search(r"silent for \d s, as long as --max-seconds", parts(result)["unleashed"]["errors"][0]["message"])
    assert parts(result)["unleashed"]["calls"] == 1


def test_explain_names_the_owners_of_price_and_stock(shop: Shop) -> None:
    shop.run("sync-recent", SYNCCTL_STOCK_FROM="xero")
    story = shop.ok("explain", "product", sold_everywhere(shop), SYNCCTL_STOCK_FROM="xero").out
    assert "the shop takes its price from unleashed, its stock from xero" in story


def test_a_first_read_of_unknown_length_is_announced(large: Shop) -> None:
    said = large.run("sync-recent", "-v", SYNCCTL_CONNECTORS="vend").err
    assert "vend: reading all products, 200 a call; the service does not say how many there are" in said
