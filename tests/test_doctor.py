"""What `syncctl doctor` finds on this machine, and at a service that orders are posted to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import posting
import pytest
import vendposting
from conftest import Result, Shop, Upstream
from offices import opened
from seeded import seeded

Json = dict[str, Any]


def levels(result: Result) -> dict[str, str]:
    """The level of each finding about this machine."""
    return {each["subject"]: each["level"] for each in result.json()["here"]}


def at_service(shop: Shop, service: str, **settings: str) -> tuple[dict[str, Json], int]:
    """What is found at the service, by subject, and the calls that it cost."""
    changed = {f"SYNCCTL_{service.upper()}_{name}": value for name, value in settings.items()}
    one = shop.run("doctor", "--json", **changed).only()
    return {each["subject"]: each for each in one["checks"]}, one["calls"]


def settings_file(folder: Path, shop: Shop) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in shop.env.items() if name.startswith("SYNCCTL_")))
    return file


def test_what_others_can_read_is_wrong(shop: Shop) -> None:
    assert levels(shop.ok("doctor", "--json"))["state"] == "ok"
    shop.state.chmod(0o644)
    result = shop.run("doctor")
    assert result.code == 78
    assert (
        f"wrong    syncctl: state: {shop.state} has mode 644: others can use it. chmod 600 {shop.state}" in result.out
    )


def test_tokens_are_their_owners_alone(shop: Shop) -> None:
    tokens = shop.state.with_name("syncctl.db.tokens")
    tokens.write_text("{}")
    tokens.chmod(0o640)
    result = shop.run("doctor", "--json", SYNCCTL_STATE_GROUP="root")
    assert levels(result)["tokens"] == "wrong"


def test_settings_that_only_this_shell_has_are_named(shop: Shop) -> None:
    out = shop.run("doctor").out
    assert "warning  syncctl: cron: environment: only this shell has " in out
    assert "SYNCCTL_UNLEASHED_API_KEY" in out
    assert shop.env["SYNCCTL_UNLEASHED_API_KEY"] not in out


def test_a_file_that_cron_would_not_find_is_told(shop: Shop, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "config" / "syncctl"
    home.mkdir()
    file = settings_file(folder, shop)
    at_home = Shop(home, {"XDG_CONFIG_HOME": str(folder.parent)}, shop.upstream, {"SYNCCTL_STATE": ""})
    told = f"cron would not find it, as it starts in {home}. Add --env-file {file} to its lines"
    assert told in at_home.run("doctor").out
    assert levels(at_home.run("doctor", "--json", "--env-file", str(file)))["cron: settings"] == "ok"
    settings_file(home, shop)
    assert levels(at_home.run("doctor", "--json"))["cron: settings"] == "ok"


def test_all_that_is_found_stands_in_one_order_on_one_stream(shop: Shop) -> None:
    """With a wrong setting, a service that is down and used-up calls among the services."""
    three = {
        "SYNCCTL_CONNECTORS": "vend,xero,unleashed,late:unleashed",
        "SYNCCTL_XERO_CLIENT_ID": "i",
        "SYNCCTL_XERO_CLIENT_SECRET": "s",
        "SYNCCTL_XERO_AUTH_URL": f"{shop.upstream.url}/nowhere",
        "SYNCCTL_LATE_API_ID": "other",
        "SYNCCTL_LATE_API_KEY": "other",
        "SYNCCTL_LATE_BASE_URL": shop.env["SYNCCTL_UNLEASHED_BASE_URL"],
        "SYNCCTL_LATE_LIMITS": "1/month",
    }
    (shop.folder / ".env").chmod(0o644)
    result = shop.run("doctor", **three)
    assert (result.code, result.err) == (78, "")
    found = [tuple(line.split()[:2]) for line in result.out.splitlines()]
    assert [each for each in dict.fromkeys(found) if each[1] != "syncctl:"] == [
        ("wrong", "vend:"), ("wrong", "xero:"), ("ok", "unleashed:"), ("wrong", "late:"),
    ]  # fmt: skip
    assert f"warning  syncctl: settings: {shop.folder}/.env holds secrets" in result.out


@pytest.mark.parametrize("service", ["unleashed", "vend", "xero"])
def test_who_does_not_post_pays_for_no_check_of_posting(service: str, tmp_path: Path) -> None:
    """Though settings of posting may still stand there."""
    with opened(service, tmp_path) as office:
        prefix = f"SYNCCTL_{service.upper()}"
        assert office.shop.env[f"{prefix}_TAX"]
        result = office.shop.run("doctor", "--json", **{f"{prefix}_ROLES": "products"})
        dry = office.shop.run("doctor", "--dry-run", "--json", **{f"{prefix}_ROLES": "products"})
    assert {each["level"] for each in result.only()["checks"]} == {"ok"}
    assert (result.only()["calls"], dry.only()["expected"]) == (2 if service != "xero" else 1, 2)


class TestUnleashed:
    @pytest.fixture(autouse=True)
    def _posting(self, shop: Shop) -> None:
        shop.extra |= posting.SETTINGS

    def test_all_is_right_within_five_calls(self, shop: Shop) -> None:
        found, calls = at_service(shop, "unleashed", GUEST="create")
        assert {each["level"] for each in found.values()} == {"ok"}
        assert calls <= 5

    @pytest.mark.parametrize(
        ("tax", "subject", "words"),
        [
            ("0.2:G.S.T.", "tax G.S.T.", "its rate is 0.15, and SYNCCTL_UNLEASHED_TAX says 0.2"),
            ("0.15:VAT", "tax VAT", "0.15:G.S.T."),
        ],
    )
    def test_a_wrong_tax_is_told(self, shop: Shop, tax: str, subject: str, words: str) -> None:
        found, _ = at_service(shop, "unleashed", TAX=tax)
        assert found[subject]["level"] == "wrong"
        assert words in found[subject]["message"] + found[subject]["remedy"]

    def test_the_customer_of_guests_is_looked_for(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "WEB", "CustomerName": "Web shop"})
        found, calls = at_service(shop, "unleashed", GUEST="WEB")
        assert (found["guests"]["level"], found["guests"]["message"]) == (
            "ok", "orders of guests are those of Web shop (WEB)",
        )  # fmt: skip
        assert calls <= 5
        found, _ = at_service(shop, "unleashed", GUEST="WEBB")
        assert (found["guests"]["level"], found["guests"]["message"]) == ("wrong", "there is no customer WEBB")

    def test_a_product_for_shipping_is_looked_for_among_those_that_were_read(self, shop: Shop) -> None:
        def told() -> tuple[str, str]:
            found, calls = at_service(shop, "unleashed", SHIPPING="POSTAGE", GUEST="WEB")
            assert calls <= 5
            return found["shipping"]["level"], found["shipping"]["message"] + found["shipping"]["remedy"]

        level, words = told()
        assert (level, "syncctl sync-recent" in words) == ("warning", True)
        shop.ok("sync-recent")
        level, words = told()
        assert (level, "SYNCCTL_UNLEASHED_SHIPPING names the product POSTAGE" in words) == ("wrong", True)
        for obsolete, level in ((False, "ok"), (True, "warning")):
            shop.upstream.put("products", {"ProductCode": "POSTAGE", "Name": "Postage", "Obsolete": obsolete})
            shop.ok("sync-recent")
            assert told()[0] == level
        assert "discount" not in at_service(shop, "unleashed")[0], "a charge line needs no product"

    def test_a_link_to_xero_is_told(self, shop: Shop) -> None:
        assert "native link" not in at_service(shop, "unleashed")[0]
        contact = "11111111-2222-4333-8444-555555555555"
        shop.upstream.put("customers", {"CustomerCode": "AA", "CustomerName": "Ann", "XeroContactId": contact})
        assert at_service(shop, "unleashed")[0]["native link"]["level"] == "warning"


@pytest.mark.parametrize("service", ["unleashed", "vend"])
def test_who_is_to_post_is_told_what_posting_needs(service: str, tmp_path: Path) -> None:
    with seeded(service, products=6) as running:
        (tmp_path / ".env").touch(mode=0o600)
        roles = {f"SYNCCTL_{service.upper()}_ROLES": "products,invoices", "SYNCCTL_TIMEZONE": "Pacific/Auckland"}
        shop = Shop(tmp_path, running.env() | roles, Upstream(running.url, service))
        result = shop.run("doctor")
        assert result.code == 78
        assert f"Set SYNCCTL_{service.upper()}_TAX from 0." in result.out
        assert shop.run("doctor", "--json").only()["calls"] <= 5


class TestXero:
    def test_five_calls_are_enough(self, tmp_path: Path) -> None:
        with opened("xero", tmp_path) as office:
            found, calls = at_service(office.shop, "xero", GUEST="NOBODY")
        assert (found["guests"]["level"], found["guests"]["remedy"]) == (
            "warning", "Run syncctl sync-customers, or set SYNCCTL_XERO_GUEST=create",
        )  # fmt: skip
        assert calls <= 5


class TestVend(vendposting.VendPosting):
    def test_five_calls_are_enough(self, shop: Shop) -> None:
        found, calls = at_service(shop, "vend")
        assert calls == 5
        assert {found[name]["level"] for name in ("outlets", "register", "retailer", "user", "taxes")} == {"ok"}

    def test_products_that_settings_name_are_looked_for(self, shop: Shop) -> None:
        found, calls = at_service(shop, "vend", FEE=vendposting.NOBODY, SHIPPING=vendposting.SHIPPING.upper())
        levels = {name: found[name]["level"] for name in ("shipping", "discount", "fee")}
        assert (levels, calls) == ({"shipping": "ok", "discount": "ok", "fee": "wrong"}, 5)
        assert "Correct SYNCCTL_VEND_FEE" in found["fee"]["remedy"]
        found, _ = at_service(shop, "vend", FEE=vendposting.NOBODY, ROLES="invoices")
        assert (found["fee"]["level"], found["fee"]["remedy"]) == ("ok", "")

    def test_an_outlet_without_a_register_is_told(self, shop: Shop) -> None:
        nowhere = "0b5e7a00-1111-4000-8000-00000000dead"
        assert at_service(shop, "vend", OUTLETS=nowhere)[0]["outlets"]["level"] == "warning"
