"""`syncctl metrics`, read by Prometheus' own parser."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

import pytest
from conftest import Shop
from prometheus_client.parser import text_string_to_metric_families

from syncctl.commands.metrics import exposition

pytestmark = pytest.mark.products(10)
Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Found:
    """Each sample by its name and labels; every family has its help and its type."""
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation and family.type in ("gauge", "counter") for family in families)
    assert len({family.name for family in families}) == len(families)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Found, name: str, connector: str = "unleashed", **labels: str) -> float:
    return found[f"syncctl_{name}", frozenset({"connector": connector, **labels}.items())]


def test_the_numbers_are_those_of_status(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("sync-oldest")
    status = shop.ok("status", "--json").only()
    found = parsed(shop.ok("metrics").out)
    assert value(found, "settings_ok") == 1
    assert value(found, "products") == status["products"] == 10
    assert value(found, "freshness_seconds") <= 60
    assert value(found, "freshness_promised_seconds") == 7200
    assert value(found, "calls_total", purpose="recent") == 2
    assert value(found, "calls_total", purpose="oldest") == shop.value("SELECT count(*) - 2 FROM calls")
    assert value(found, "window_calls", window="month", by="us") == shop.value("SELECT count(*) FROM calls")
    assert value(found, "window_limit_calls", window="month") == 125_000
    last = value(found, "last_success_timestamp_seconds", command="sync-recent")
    assert last == pytest.approx(shop.value("SELECT finished_at / 1000.0 FROM runs WHERE id = 1"), abs=1)
    assert value(found, "product_age_seconds", percentile="100") == pytest.approx(
        status["age_seconds"]["oldest"], abs=30
    )


def test_what_nobody_knows_has_no_sample(shop: Shop) -> None:
    assert shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong").code == 77
    found = parsed(shop.ok("metrics").out)
    assert value(found, "errors") == 1
    unknown = ("freshness_seconds", "product_age_seconds", "window_forecast_calls", "last_success")
    assert not [name for name, _ in found if any(word in name for word in unknown)]


def test_a_token_s_end_is_told(consented: Shop) -> None:
    found = parsed(consented.ok("metrics").out)
    (token,) = consented.ok("status", "--json").json()["connectors"]
    days = (value(found, "token_expiry_timestamp_seconds", "xero") - _now(consented)) / 86400
    assert days == pytest.approx(token["token"]["days"], abs=0.1)


def _now(shop: Shop) -> float:
    return float(shop.value("SELECT strftime('%s', 'now')"))


def test_labels_are_escaped(shop: Shop) -> None:
    shop.ok("sync-recent")
    connector = shop.ok("status", "--json").only()
    odd = 'a"b\\n\nd'
    found = parsed(exposition([connector | {"name": odd}]))
    assert value(found, "products", odd) == 10


def test_a_file_is_whole_and_anybody_may_read_it(shop: Shop) -> None:
    shop.ok("sync-recent")
    target = shop.folder / "out" / "syncctl.prom"
    target.parent.mkdir()
    target.write_text("old")
    before = target.stat().st_ino
    mask = os.umask(0o077)
    try:
        assert shop.ok("metrics", "--output", str(target)).out == ""
    finally:
        os.umask(mask)
    assert value(parsed(target.read_text()), "products") == 10
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.stat().st_ino != before, "another file took its name"
    assert [path.name for path in target.parent.iterdir()] == ["syncctl.prom"]


def test_a_file_that_cannot_be_written_is_told(shop: Shop) -> None:
    shop.ok("sync-recent")
    result = shop.run("metrics", "--output", "/proc/nowhere/syncctl.prom")
    assert (result.code, "/proc/nowhere/syncctl.prom cannot be written" in result.err) == (74, True)


def test_a_wrong_setting_of_a_connector_shows(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert value(parsed(shop.run("metrics", SYNCCTL_UNLEASHED_API_KEY="").out), "settings_ok") == 0


def test_json_has_the_same_samples(shop: Shop) -> None:
    shop.ok("sync-recent")
    told: list[Mapping[str, object]] = shop.ok("metrics", "--json").json()["metrics"]
    assert {"name": "syncctl_products", "labels": {"connector": "unleashed"}, "value": 10} in told
