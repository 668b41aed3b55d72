"""Vend as a service: its settings, its limits, its refusals, and the commands against it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Shop, StillClock, Upstream
from contract import connected
from requests import exceptions
from requests_mock import ANY, Mocker
from vendbench import HARBOUR, MAIN, VendBench, VendTest

from syncctl.connectors.base import Check, Connector
from syncctl.connectors.declared import Limit, Rate, Values
from syncctl.connectors.vend import Vend
from syncctl.errors import CredentialsError, DeferredError, RefusedError, UnavailableError
from syncctl.models import Kind
from syncctl.sandbox import Sandbox

NOW = "Mon, 23 Nov 2026 12:00:00 GMT"
OUTLETS = [{"id": MAIN, "name": "Main Street"}, {"id": HARBOUR, "name": "Harbour"}]
OAUTH = {"CLIENT_ID": "id", "CLIENT_SECRET": "hidden", "REFRESH_TOKEN": "first"}


def values(**settings: str) -> Values:
    given = {"DOMAIN_PREFIX": "demo", "API_VERSION": "2026-07"} | settings
    return Values("till", Vend.address(given), given)


def doctored(connector: Connector, now: str = NOW, **bodies: Any) -> Mapping[str, Check]:
    """What the doctor finds at that time, with some of the answers replaced."""
    url = f"{connector.values.base_url}/api/{connector.setting('API_VERSION')}"
    with Mocker(real_http=True) as mocker:
        headers = {"Date": now, "X-RateLimit-Limit": "650", "X-RateLimit-Remaining": "649"}
        mocker.get(f"{url}/outlets", json=bodies.pop("outlets", {"data": OUTLETS}), headers=headers)
        for path, body in bodies.items():
            mocker.get(f"{url}/{path}", json=body)
        return {check.subject: check for check in connector.check()}


class TestSettings:
    """What may be set, and what it leads to."""

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({}, r"SYNCCTL_TILL_TOKEN is not set.*CLIENT_ID, .*CLIENT_SECRET for OAuth"),
            ({"TOKEN": "t", **OAUTH}, "SYNCCTL_TILL_TOKEN and SYNCCTL_TILL_CLIENT_ID are both set"),
            ({"TOKEN": "t", "REFRESH_TOKEN": "r"}, "SYNCCTL_TILL_TOKEN and SYNCCTL_TILL_REFRESH_TOKEN are both set"),
            ({"REFRESH_TOKEN": "r"}, "^SYNCCTL_TILL_CLIENT_ID and SYNCCTL_TILL_CLIENT_SECRET are not set"),
            ({"CLIENT_ID": "id"}, "^SYNCCTL_TILL_CLIENT_SECRET is not set"),
            ({"TOKEN": "t", "API_VERSION": "2026-01"}, "SYNCCTL_TILL_API_VERSION: 2026-01 .* set 2026-04 or later"),
            ({"TOKEN": "t", "STATUS": "LAYBY"}, "SYNCCTL_TILL_STATUS: no order is posted as LAYBY; set one of CLOSED"),
        ],
    )
    def test_settings_that_do_not_go_together_are_told(self, settings: dict[str, str], words: str) -> None:
        assert re.search(words, "; ".join(Vend.wrong(values(**settings))))

    @pytest.mark.parametrize("settings", [{"TOKEN": "t"}, OAUTH, {"TOKEN": "t", "API_VERSION": "2026-04"}])
    def test_either_way_to_sign_in_is_right(self, settings: dict[str, str]) -> None:
        assert list(Vend.wrong(values(**settings))) == []

    def test_the_address_is_that_of_the_store(self) -> None:
        assert values().base_url == "https://demo.retail.lightspeed.app"
        assert Vend.account(values()) == "demo"

    def test_a_token_is_refreshed_by_a_form_at_an_address_without_a_date(self) -> None:
        assert Vend.grant(values(TOKEN="t")) is None
        grant = Vend.grant(values(**OAUTH))
        assert grant
        assert grant.url == "https://demo.retail.lightspeed.app/api/1.0/token"
        assert grant.form == {"client_id": "id", "client_secret": "hidden"}
        assert (grant.basic, grant.refresh_token, grant.grace) == (None, "first", 0)

    @pytest.mark.parametrize(("registers", "calls"), [("1", 350), ("2", 650), ("12", 3650)])
    def test_the_limit_grows_with_the_registers(self, registers: str, calls: int) -> None:
        assert Vend.allowance({"REGISTERS": registers}) == (Limit(calls, 300),)

    @pytest.mark.parametrize(
        ("headers", "rates"),
        [
            ({"X-RateLimit-Limit": "650", "X-RateLimit-Remaining": "12"}, [Rate(300, 12, 650)]),
            ({"X-RateLimit-Remaining": "0"}, [Rate(300, 0, None)]),
            ({"X-RateLimit-Limit": "650"}, []),
            ({"X-RateLimit-Limit": "-1", "X-RateLimit-Remaining": "many"}, []),
            ({}, []),
        ],
    )
    def test_the_service_tells_what_is_left(self, headers: dict[str, str], rates: list[Rate]) -> None:
        assert list(Vend.rates(headers)) == rates

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ('{"error": "Too Many Requests", "message": "slow down"}', "Too Many Requests: slow down"),
            ('{"error": "Forbidden", "details": {"scope": "products:read"}}', "Forbidden: scope: products:read"),
            ('{"errors": ["sku is taken", {"field": "name"}]}', "sku is taken; field: name"),
            ('{"errors": {"sku": ["is taken", "is long"]}}', "sku: is taken; is long"),
            ('{"error": null, "errors": []}', ""),
            ("[1]", "[1]"),
            ("<html><h1>Bad gateway</h1></html>", "Bad gateway"),
        ],
    )
    def test_the_words_of_every_error_body_are_found(self, body: str, words: str) -> None:
        assert Vend.service_words(body) == words


class TestDoctor(VendTest):
    """What the doctor says."""

    @pytest.mark.parametrize(
        ("version", "now", "level"),
        [
            ("2026-07", "Thu, 01 Jul 2027 00:00:00 GMT", "warning"),
            ("2026-07", "Wed, 30 Jun 2027 23:59:59 GMT", "ok"),
            ("2026-04", "Wed, 31 Mar 2027 23:59:59 GMT", "ok"),
            ("2026-10", "Wed, 30 Sep 2026 23:59:59 GMT", "warning"),
            ("2026-10", "Thu, 01 Oct 2026 00:00:00 GMT", "ok"),
        ],
    )
    def test_the_version_is_compared_with_the_date(self, bench: VendBench, version: str, now: str, level: str) -> None:
        check = doctored(bench.restarted(API_VERSION=version), now)["version"]
        assert check.level == level
        assert version in check.message
        assert ("SYNCCTL_VEND_API_VERSION" in check.remedy) == (level == "warning")

    def test_outlets_are_listed_with_their_ids(self, bench: VendBench) -> None:
        check = doctored(bench.connector)["outlets"]
        assert f"{MAIN} (Main Street), {HARBOUR} (Harbour)" in check.message
        assert doctored(bench.restarted(OUTLETS=HARBOUR.upper()))["outlets"].level == "ok"

    def test_what_is_deleted_does_not_count(self, bench: VendBench) -> None:
        rows = [{"id": "o1", "name": "Open"}, {"id": "o2", "name": "Shut", "deleted_at": "2026-01-01T00:00:00+00:00"}]
        found = doctored(bench.connector, outlets={"data": rows})
        assert "Shut" not in found["outlets"].message

    def test_an_unknown_outlet_is_wrong(self, bench: VendBench) -> None:
        nowhere = "0b5e7a00-1111-4000-8000-00000000dead"
        check = doctored(bench.restarted(OUTLETS=f"{MAIN},{nowhere}"))["outlets"]
        assert check.level == "wrong"
        assert nowhere in check.message
        assert MAIN not in check.message
        assert f"{MAIN} (Main Street)" in check.remedy

    @pytest.mark.parametrize("registers", ["1", "3"])
    def test_another_number_of_registers_is_told(self, bench: VendBench, registers: str) -> None:
        before = bench.calls()
        check = next(each for each in bench.restarted(REGISTERS=registers).check() if each.subject == "registers")
        assert bench.calls() - before == 2
        assert (check.level, check.remedy) == ("warning", "Set SYNCCTL_VEND_REGISTERS=2")

    def test_another_currency_is_wrong(self, bench: VendBench) -> None:
        assert doctored(bench.restarted(CURRENCY="NZD"))["retailer"].level == "ok"
        check = doctored(bench.restarted(CURRENCY="EUR"))["retailer"]
        assert (check.level, check.remedy) == ("wrong", "Set SYNCCTL_VEND_CURRENCY=NZD")

    @pytest.mark.parametrize("body", [{}, [], {"data": None}, {"data": [1]}, {"data": {"currency": 5}}])
    def test_odd_answers_are_no_crash(self, bench: VendBench, body: object) -> None:
        assert len(doctored(bench.connector, outlets=body, retailer=body)) == 6

    def test_a_right_that_only_the_doctor_needs_is_a_warning(self, bench: VendBench) -> None:
        bench.upstream.switch(personal_scopes="granted")
        scopes = "products:read inventory:read outlets:read"
        bench.upstream.request("POST", "tokens", {"service": "vend", "scope": scopes})
        found = doctored(bench.connector)
        assert {name: found[name].level for name in ("outlets", "retailer", "registers")} == {
            "outlets": "ok", "retailer": "warning", "registers": "ok",
        }  # fmt: skip
        assert "retailer:read and payment_types:read" in found["retailer"].remedy


class TestRefusals(VendTest):
    """What becomes of answers that are none."""

    @pytest.mark.parametrize("shape", ["message", "details", "errors", "errors_object"])
    def test_a_missing_scope_is_named(self, bench: VendBench, shape: str) -> None:
        bench.upstream.switch(personal_scopes="granted", error_shape=shape)
        bench.upstream.request("POST", "tokens", {"service": "vend", "scope": "products:read"})
        bench.connector.pull(Kind.PRODUCTS, None)
        with pytest.raises(CredentialsError, match=r"403.*inventory:read") as caught:
            bench.connector.pull(Kind.STOCK, None)
        assert "Authorise again" in caught.value.remedy

    @pytest.mark.parametrize("form", ["date", "200"])
    def test_a_limit_is_respected_until_its_date(self, bench: VendBench, clock: StillClock, form: str) -> None:
        connector = bench.restarted(clock)
        bench.upstream.fault("429", window="five_minutes", retry_after=form, seconds=200)
        with pytest.raises(DeferredError) as caught:
            connector.pull(Kind.PRODUCTS, None)
        assert (caught.value.until - clock.now()).total_seconds() == 200

    @pytest.mark.parametrize("form", ["body", "absent"])
    def test_a_limit_without_a_date_is_tried_again(self, bench: VendBench, clock: StillClock, form: str) -> None:
        bench.upstream.switch(retry_after=form)
        connector = bench.restarted(clock)
        bench.upstream.fault("429", times=2, window="five_minutes")
        before = bench.calls()
        assert list(connector.pull(Kind.PRODUCTS, None).records)
        assert bench.calls() - before == 3

    def test_a_read_by_post_is_asked_for_again(self, bench: VendBench, clock: StillClock) -> None:
        match = {"method": "POST", "path": "inventory"}
        bench.upstream.fault("502-html", match=match)
        before = bench.calls()
        assert list(bench.restarted(clock).pull(Kind.STOCK, None).records)
        assert bench.calls() - before == 2

    def test_a_version_that_is_not_served_names_its_setting(self, bench: VendBench) -> None:
        with Mocker() as mocker:
            mocker.get(f"{bench.url}/products", status_code=404, json={"error": "Version not found"})
            with pytest.raises(RefusedError, match=r"404.*Set SYNCCTL_VEND_API_VERSION"):
                bench.connector.pull(Kind.PRODUCTS, None)

    @pytest.mark.parametrize("setting", ["DOMAIN_PREFIX", "BASE_URL"])
    def test_a_host_that_is_not_found_names_the_setting_it_is_from(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, setting: str
    ) -> None:
        own = shop.env.pop("SYNCCTL_VEND_BASE_URL")
        shop.extra |= {"SYNCCTL_VEND_BASE_URL": own} if setting == "BASE_URL" else {}
        error = exceptions.ConnectionError("NameResolutionError: no such host")
        with connected(shop, monkeypatch) as connector, Mocker() as mocker:
            mocker.get(ANY, exc=error)
            with pytest.raises(UnavailableError, match=f"Check SYNCCTL_VEND_{setting}, and the machine's DNS"):
                connector.pull(Kind.PRODUCTS, None)

    def test_an_unusable_quantity_is_told_under_the_sku(self, bench: VendBench, shop: Shop) -> None:
        bench.set_stock(bench.add("ODD"), '"many"')
        (problem,) = shop.run("sync-recent", "--json").only()["errors"]
        assert (problem["record"], "'many'" in problem["message"]) == ("ODD", True)

    def test_a_page_of_html_is_told_by_its_words(self, bench: VendBench, clock: StillClock) -> None:
        bench.upstream.fault("502-html", times=9)
        connector = bench.restarted(clock)
        with pytest.raises(UnavailableError, match=r"502.*Back soon"):
            connector.pull(Kind.PRODUCTS, None)


class TestTokens(VendTest):
    """OAuth instead of a personal token."""

    @pytest.fixture
    def shop(self, sandbox: Sandbox, tmp_path: Path) -> Shop:
        (tmp_path / ".env").touch(mode=0o600)
        upstream = Upstream(sandbox.url, "vend")
        tokens = upstream.request("GET", "tokens")["vend"]
        env = sandbox.env() | {f"SYNCCTL_VEND_{name}": tokens[name.lower()] for name in OAUTH}
        del env["SYNCCTL_VEND_TOKEN"]
        return Shop(tmp_path, env, upstream, {"SYNCCTL_VEND_REGISTERS": "2"})

    def test_one_token_serves_many_runs_and_a_spent_one_is_replaced(self, shop: Shop) -> None:
        fetched = "SELECT count(*) FROM calls WHERE path LIKE '%/api/1.0/token'"
        shop.ok("sync-recent")
        assert shop.ok("sync-recent", "--json").only()["calls"] == 2
        assert shop.value(fetched) == 1
        shop.upstream.request("POST", "tokens", {"service": "vend", "expire": True})
        shop.ok("sync-recent")
        assert shop.value(fetched) == 2
        assert shop.value("SELECT count(*) FROM calls WHERE status >= 400") == 1

    def test_a_scope_that_was_not_granted_is_told(self, shop: Shop) -> None:
        scopes = "products:read outlets:read registers:read retailer:read payment_types:read"
        shop.upstream.request("POST", "tokens", {"service": "vend", "scope": scopes})
        result = shop.run("doctor", "--json")
        (check,) = (check for check in result.only()["checks"] if check["subject"] == "scopes")
        assert (result.code, check["level"]) == (78, "wrong")
        assert "inventory:read" in check["message"]
        assert "products:read" not in check["message"]


AVAILABLE = "SELECT available FROM catalogue WHERE sku = ?"


class TestCommands(VendTest):
    """The commands, as cron runs them."""

    @staticmethod
    def calls(result: Result) -> int:
        found: int = result.only()["calls"]
        return found

    def test_the_catalogue_is_that_of_the_service(self, bench: VendBench, shop: Shop) -> None:
        shop.ok("sync-recent")
        mirrored = shop.rows("SELECT remote_id FROM remote_products WHERE state <> 'gone'")
        assert {remote_id for (remote_id,) in mirrored} == bench.ids(Kind.PRODUCTS)
        assert self.calls(shop.ok("sync-recent", "--json")) == 2

    @pytest.mark.parametrize(
        "switch",
        [
            {"stock_bumps_product": "yes"},
            {"oldest_version": "2026-10"},
            {"user_agent": "403"},
            {"short_pages": "yes"},
            {"active_fields": "active"},
            {"deleted_product": "200", "inventory_unknown": "empty", "sku_case": "ignored"},
        ],
    )
    def test_whichever_way_the_service_behaves_the_result_is_the_same(
        self, bench: VendBench, shop: Shop, switch: dict[str, str]
    ) -> None:
        bench.upstream.switch(**switch)
        sold, doomed = bench.add("SOLD"), bench.add("DOOMED")
        shop.ok("sync-recent")
        bench.set_stock(sold, "6")
        bench.product(doomed, deleted_at="2026-11-23T00:00:00+00:00")
        shop.ok("sync-recent")
        shop.ok("sync-product", "SOLD")
        mirrored = shop.rows("SELECT remote_id FROM remote_products WHERE state <> 'gone'")
        assert {remote_id for (remote_id,) in mirrored} == bench.ids(Kind.PRODUCTS)
        assert shop.rows("SELECT sku, available, state FROM catalogue WHERE sku IN ('SOLD', 'DOOMED') ORDER BY 1") == [
            ("DOOMED", 0, "gone"), ("SOLD", 6, "active"),
        ]  # fmt: skip

    def test_stock_is_the_sum_of_the_chosen_outlets_without_a_read(self, bench: VendBench, shop: Shop) -> None:
        remote_id = bench.add("TWO-PLACES")
        bench.stock(remote_id, HARBOUR, -2)
        shop.ok("sync-recent")
        assert shop.value(AVAILABLE, "TWO-PLACES") == 5
        assert self.calls(shop.ok("sync-recent", "--json", SYNCCTL_VEND_OUTLETS=HARBOUR)) == 2
        assert shop.value(AVAILABLE, "TWO-PLACES") == -2

    PRICES = "SELECT price, price_includes_tax FROM catalogue WHERE sku = 'TAXED'"

    def test_an_outlet_without_any_stock_is_told_once_a_run(self, bench: VendBench, shop: Shop) -> None:
        nowhere = "0b5e7a00-1111-4000-8000-00000000dead"
        bench.stock(bench.add("HERE"), HARBOUR, 2)
        outlets = {"SYNCCTL_VEND_OUTLETS": f"{MAIN},{nowhere}"}
        for _ in range(2):
            result = shop.run("sync-recent", "--json", **outlets)
            (problem,) = result.only()["errors"]
            assert result.code == 65
            assert problem["record"] == f"OUTLETS {nowhere}"
            assert "SYNCCTL_VEND_OUTLETS" in problem["remedy"]
            assert shop.value(AVAILABLE, "HERE") == 7
        shop.ok("sync-recent", SYNCCTL_VEND_OUTLETS=f"{MAIN},{HARBOUR}")

    def test_an_sku_that_differs_only_in_case_is_told_from_the_mirror(self, bench: VendBench, shop: Shop) -> None:
        bench.upstream.switch(sku_case="exact")
        bench.add("Kettle")
        shop.ok("sync-recent")
        result = shop.run("sync-product", "kettle", "--json")
        (error,) = result.only()["errors"]
        assert (result.code, error["record"]) == (65, "kettle")
        assert error["message"] == "vend does not know this SKU; Vend has Kettle, which differs only in case"

    def test_the_settings_of_the_sandbox_leave_the_doctor_nothing_to_say(self, sandbox: Sandbox, shop: Shop) -> None:
        told = {name: value for name, value in sandbox.env().items() if name == "SYNCCTL_VEND_REGISTERS"}
        shop.extra.clear()
        shop.extra |= told
        checks = shop.ok("doctor", "--json").only()["checks"]
        assert {check["level"] for check in checks} == {"ok"}

    def test_another_price_tier_shows_and_takes_no_call(self, bench: VendBench, shop: Shop) -> None:
        remote_id = bench.add("TAXED")
        bench.product(remote_id, price_including_tax=11.5, price_excluding_tax=10)
        shop.ok("sync-recent")
        assert shop.rows(self.PRICES) == [("11.50", 1)]
        calls = bench.calls()
        shop.ok("status", SYNCCTL_VEND_PRICE_TIER="excluding_tax")
        assert shop.rows(self.PRICES) == [("10.00", 0)]
        assert bench.calls() == calls

    def test_a_price_and_whether_tax_is_in_it_belong_together(self, bench: VendBench, shop: Shop) -> None:
        remote_id = bench.add("TAXED")
        bench.product(remote_id, price_including_tax=11.5, price_excluding_tax="12,50")
        assert "its price in tier excluding_tax '12,50' is not a number" in shop.run("sync-recent").err
        shop.run("sync-recent", SYNCCTL_VEND_PRICE_TIER="excluding_tax")
        assert shop.rows(self.PRICES) == [(None, None)]
        for offered, kept in ((10, ("10.00", 0)), ("12,50", ("10.00", 0)), (None, (None, None))):
            bench.product(remote_id, price_excluding_tax=offered)
            shop.run("sync-recent", SYNCCTL_VEND_PRICE_TIER="excluding_tax")
            assert shop.rows(self.PRICES) == [kept]
        shop.ok("status")
        assert shop.rows(self.PRICES) == [("11.50", 1)]

    def test_a_deleted_product_is_gone_with_the_next_delta(self, bench: VendBench, shop: Shop) -> None:
        remote_id = bench.add("DOOMED")
        shop.ok("sync-recent")
        bench.product(remote_id, deleted_at="2026-11-23T00:00:00+00:00")
        assert self.calls(shop.ok("sync-recent", "--json")) == 2
        assert shop.rows("SELECT state, available FROM catalogue WHERE sku = 'DOOMED'") == [("gone", 0)]

    def test_one_product_is_read_at_once(self, bench: VendBench, shop: Shop) -> None:
        shop.ok("sync-recent")
        remote_id = bench.add("NEW")
        shop.ok("sync-product", "NEW")
        assert shop.value(AVAILABLE, "NEW") == 7
        bench.set_stock(remote_id, "3")
        assert self.calls(shop.ok("sync-product", "NEW", "--json")) == 2
        assert shop.value(AVAILABLE, "NEW") == 3

    def twins(self, bench: VendBench, shop: Shop) -> tuple[str, str]:
        """Two products of the SKU TWIN, the first of them linked; what it costs to be told so."""
        first = bench.add("TWIN")
        shop.ok("sync-recent")
        second = bench.add("TWIN")
        assert shop.run("sync-recent").code == 65
        bench.set_stock(first, "3")
        result = shop.run("sync-product", "TWIN", "--json")
        assert (result.code, self.calls(result)) == (65, 2)
        (error,) = result.only()["errors"]
        assert first in error["message"]
        assert second in error["message"]
        assert shop.value(AVAILABLE, "TWIN") == 3
        return first, second

    def test_a_twin_that_was_given_its_own_sku_is_seen_in_two_calls(self, bench: VendBench, shop: Shop) -> None:
        _, second = self.twins(bench, shop)
        bench.product(second, sku="OTHER", product_codes=None)
        assert self.calls(shop.ok("sync-product", "TWIN", "--json")) == 2
        assert shop.value(AVAILABLE, "OTHER") == 7
        bench.product(second, sku="TWIN", product_codes=None)
        assert shop.run("sync-recent").code == 65
        again = shop.run("sync-product", "TWIN", "--json")
        assert (again.code, self.calls(again)) == (65, 2), "both are linked now, each to a product of its own"

    def test_a_linked_twin_that_was_given_another_sku_is_seen_in_two_calls(self, bench: VendBench, shop: Shop) -> None:
        first, _ = self.twins(bench, shop)
        bench.product(first, sku="ANOTHER", product_codes=None)
        mended = shop.run("sync-product", "TWIN", "--json")
        assert self.calls(mended) == 2
        assert "is now called ANOTHER" in mended.err

    def test_what_vanished_or_changed_without_a_trace_is_found_in_time(self, bench: VendBench, shop: Shop) -> None:
        ghost, quiet = bench.add("GHOST"), bench.add("QUIET")
        shop.ok("sync-recent")
        bench.delete(ghost)
        bench.upstream.put("products", {"id": quiet, "price_including_tax": 3}, silent=True)
        for _ in range(6):
            shop.ok("sync-oldest", "--limit", "40")
        assert shop.rows("SELECT sku, state, price FROM catalogue WHERE sku IN ('GHOST', 'QUIET') ORDER BY 1") == [
            ("GHOST", "gone", "10.00"), ("QUIET", "active", "3.00"),
        ]  # fmt: skip

    def test_settings_are_checked_before_any_call(self, shop: Shop) -> None:
        before = shop.upstream.calls()
        result = shop.run("sync-recent", SYNCCTL_VEND_API_VERSION="2025-13", SYNCCTL_VEND_OUTLETS="Main Street")
        assert result.code == 78
        assert "SYNCCTL_VEND_API_VERSION" in result.err
        assert "SYNCCTL_VEND_OUTLETS" in result.err
        assert shop.upstream.calls() == before

    def test_no_secret_is_written(self, shop: Shop) -> None:
        shop.ok("sync-recent")
        token = shop.env["SYNCCTL_VEND_TOKEN"]
        assert json.dumps(shop.rows("SELECT * FROM accounts"), default=str).count(token) == 0
        assert token.encode() not in shop.state.read_bytes()
