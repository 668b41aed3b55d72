"""Which orders are posted and when, what holds one, and how long it is tried again."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from conftest import Result, Shop
from postbox import Postbox, serving
from posting import (
    Json,
    arrived,
    customer,
    line,
    moment,
    once,
    only_error,
    order,
    place,
    post,
    records,
    sales,
)

pytestmark = [pytest.mark.products(6), pytest.mark.usefixtures("posting")]


def held(shop: Shop, *args: str, **settings: str) -> Json:
    """Runs `post-invoices`, which has one thing to tell; what it is."""
    result: Result = shop.run("post-invoices", "--json", *args, **settings)
    assert result.code == 65, result
    assert not arrived(shop)
    return only_error(result)


def cause(shop: Shop) -> tuple[str, str]:
    ((state, found),) = shop.rows("SELECT state, cause FROM outbox WHERE kind = 'orders'")
    return state, found


class TestWhichOrders:
    def test_only_those_of_certain_statuses(self, shop: Shop) -> None:
        place(shop, order("1", status="paid"), order("2", status="pending"), order("3", status="completed"))
        post(shop)
        assert arrived(shop) == once(["1", "3"])
        post(shop, SYNCCTL_POST_STATUSES="pending")
        assert arrived(shop) == once(["1", "2", "3"])

    def test_one_that_is_cancelled_while_it_waits_is_not_posted(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0.07"), total="10.70"))
        held(shop)
        shop.write("UPDATE orders SET status = 'cancelled'")
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop, SYNCCTL_UNLEASHED_TAX="0.07:G.S.T.")["posted"] == 0

    @pytest.mark.parametrize("state", ["due", "gave_up"])
    def test_one_that_is_cancelled_after_a_refusal_is_put_back_until_its_status_returns(
        self, shop: Shop, state: str
    ) -> None:
        place(shop, order("1", line(rate="0"), total="10.00"))
        held(shop, SYNCCTL_UNLEASHED_TAX="0.15:G.S.T.")
        shop.write("UPDATE outbox SET state = ?", state)
        shop.write("UPDATE orders SET status = 'cancelled'")
        result = post(shop)
        assert [result[name] for name in ("rejected", "gave_up", "skipped")] == [0, 0, 1]
        (row,) = shop.ok("queue", "list", "--skipped", "--json").json()["rows"]
        assert "cancelled" in row["message"]
        assert "again" in row["remedy"]
        shop.write("UPDATE orders SET status = 'paid'")
        assert post(shop)["posted"] == 1

    def test_older_ones_than_the_role_are_skipped(self, shop: Shop) -> None:
        place(shop, order("1", placed_at=moment(hours=3)), order("2"))
        result = post(shop)
        assert (result["posted"], result["skipped"]) == (1, 1)
        assert arrived(shop) == once(["2"])

    def test_a_date_says_from_when_on(self, shop: Shop) -> None:
        place(shop, order("1", placed_at=moment(days=5)), order("2", placed_at=moment(days=2)))
        assert post(shop, SYNCCTL_UNLEASHED_POST_SINCE=moment(days=3)[:10])["posted"] == 1
        assert arrived(shop) == once(["2"])

    def test_what_was_too_old_is_posted_once_the_date_is_moved_or_it_is_named(self, shop: Shop) -> None:
        place(shop, *(order(str(number), placed_at=moment(days=number)) for number in (2, 6)))
        result = shop.run("post-invoices", "-v")
        assert "2 orders of before" in result.err
        assert "SYNCCTL_UNLEASHED_POST_SINCE says from when on" in result.err
        assert post(shop, SYNCCTL_UNLEASHED_POST_SINCE=moment(days=3)[:10])["posted"] == 1
        assert arrived(shop) == once(["2"])
        assert post(shop, "--order", "6")["posted"] == 1
        assert arrived(shop) == once(["2", "6"])

    def test_a_flood_needs_a_word_from_a_person(self, shop: Shop) -> None:
        place(shop, *(order(str(number)) for number in range(51)))
        assert "51 orders are new" in held(shop)["message"]
        assert post(shop, "--yes-all")["posted"] == 51

    def test_what_only_looks_tells_of_a_flood_too(self, shop: Shop) -> None:
        place(shop, *(order(str(number)) for number in range(51)))
        told = shop.ok("post-invoices", "--dry-run").out
        assert "51 orders wait for a person's word" in told
        assert re.search(r"with --yes-all at most \d+ calls", told)
        assert "51 orders wait for a person's word" in shop.ok("explain", "order", "7").out
        assert "51 orders" not in shop.ok("post-invoices", "--dry-run", "--yes-all").out.replace("for 51 orders", "")

    def test_the_queue_and_a_monitor_tell_of_a_flood(self, shop: Shop) -> None:
        shop.write("UPDATE meta SET value = value - 86400000 * 20 WHERE key LIKE 'invoices_since.%'")
        place(shop, order("1", placed_at=moment(days=13)))
        told = shop.ok("queue", "list")
        assert "unleashed: 1 order waits for a person's word" in told.out
        assert "syncctl post-invoices --yes-all" in told.out
        check = shop.run("status", "--check")
        assert (check.code, "--yes-all" in check.out, "cron" in check.out) == (2, True, False)
        assert "1 order waits for a person's word" in shop.ok("status").out

    def test_a_flood_is_mailed_with_the_command_that_posts_it(self, shop: Shop) -> None:
        place(shop, *(order(str(number)) for number in range(51)))
        with serving(Postbox()) as box:
            shop.run("post-invoices", **box.env())
            mail = box.only()
            assert mail["Subject"] == "syncctl demo: 1 failed (unleashed: flood)"
            again = f"syncctl post-invoices --env-file {shop.folder / '.env'} --connector unleashed --yes-all"
            assert f"To try now: {again}" in mail.get_content()
            shop.run("post-invoices", "--yes-all", **box.env())
            mail = box.only()
            assert mail["Subject"] == "syncctl demo: 1 recovered (unleashed: flood)"
            assert "flood stop of post-invoices" in mail.get_content()

    def test_the_flood_is_told_whole_whatever_the_limit(self, shop: Shop) -> None:
        place(shop, *(order(str(number), placed_at=moment(days=8)) for number in range(5)))
        since = {"SYNCCTL_UNLEASHED_POST_SINCE": moment(days=30)[:10]}
        assert "5 orders are new" in held(shop, "--limit", "3", **since)["message"]

    def test_an_order_older_than_a_week_needs_a_word_too(self, shop: Shop) -> None:
        place(shop, order("1", placed_at=moment(days=8)), order("2"))
        since = {"SYNCCTL_UNLEASHED_POST_SINCE": moment(days=30)[:10]}
        assert "--yes-all" in held(shop, **since)["remedy"]
        assert post(shop, "--yes-all", **since)["posted"] == 2

    def test_a_run_that_posted_until_the_calls_were_used_up_has_succeeded(self, shop: Shop) -> None:
        place(shop, order("1"))
        post(shop)
        shop.write("UPDATE run_connectors SET deferred_until = 1 WHERE run = (SELECT max(id) FROM runs)")
        told = {each["command"]: each["last_success"] for each in shop.ok("status", "--json").only()["commands"]}
        assert told["post-invoices"]

    def test_a_customer_is_called_by_what_people_know(self, shop: Shop) -> None:
        place(shop, order("1", customer_id=customer(shop, code="WHO-1", email="who@shop.test")))
        post(shop)
        shop.write("UPDATE outbox SET state = 'gave_up', message = 'no' WHERE kind = 'customers'")
        assert "customer WHO-1: given up" in shop.ok("queue", "list").out

    def test_named_orders_alone(self, shop: Shop) -> None:
        place(shop, order("1"), order("2"), order("3", placed_at=moment(days=20)))
        assert post(shop, "--order", "2", "--order", "3")["posted"] == 2
        assert arrived(shop) == once(["2", "3"])

    def test_a_name_that_the_shop_does_not_know(self, shop: Shop) -> None:
        assert held(shop, "--order", "77")["record"] == "77"

    def test_a_named_order_of_before_the_role_is_posted_with_a_word(self, shop: Shop) -> None:
        place(shop, order("1", placed_at=moment(days=2)))
        result = shop.run("post-invoices", "--order", "1", "-v")
        assert "is posted, as --order names it" in result.err
        assert arrived(shop) == once(["1"])

    def test_so_many_at_most(self, shop: Shop) -> None:
        place(shop, *(order(str(number), placed_at=moment(seconds=-number)) for number in range(5)))
        assert post(shop, "--limit", "2")["posted"] == 2
        assert arrived(shop) == once(["0", "1"])
        assert post(shop)["posted"] == 3


class TestWhatNoOrderNeeds:
    def test_a_product_that_its_order_does_not_name_any_more_is_forgotten(self, shop: Shop) -> None:
        place(shop, order("1", line("X" * 200)))
        shop.run("post-invoices")
        assert [row["kind"] for row in listed(shop)] == ["products", "orders"]
        shop.write("UPDATE order_lines SET sku = 'MUG'")
        assert post(shop)["posted"] == 1
        assert not listed(shop)


def listed(shop: Shop) -> list[Json]:
    rows: list[Json] = shop.ok("queue", "list", "--json").json()["rows"]
    return sorted(rows, key=lambda row: (row["kind"] == "orders", row["id"]))


class TestSharedAddresses:
    def test_a_second_one_with_the_address_of_a_linked_one_is_created(self, shop: Shop) -> None:
        first = customer(shop, code="FAM-1", email="family@x.test")
        entered = {"code": "FAM-1", "name": "Ann Family", "email": "family@x.test"}
        place(shop, order("1", customer_id=first, customer=entered))
        assert post(shop)["customers_created"] == 1
        shop.ok("sync-customers")
        second = customer(shop, code="FAM-2", email="family@x.test")
        place(shop, order("2", customer_id=second, customer=entered | {"code": "FAM-2", "name": "Bob Family"}))
        assert post(shop)["customers_created"] == 1
        assert {sale["Customer"]["CustomerCode"] for sale in sales(shop)} == {"FAM-1", "FAM-2"}

    def test_one_record_that_two_of_the_shop_may_be_is_told_as_one(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "OLD-9", "CustomerName": "Fam", "Email": "fam@x.test"})
        shop.ok("sync-customers")
        numbers = [customer(shop, code=code, email="fam@x.test") for code in ("FAM-1", "FAM-2")]
        place(shop, order("1", customer_id=numbers[0], customer={"email": "fam@x.test", "code": "FAM-1"}))
        assert "another customer of the shop" in held(shop)["message"]


class TestHeld:
    @pytest.mark.parametrize(
        ("change", "settings", "word"),
        [
            ({"lines": (line(rate="0.2"),), "total": "12.00"}, {}, "0.20:CODE"),
            ({"lines": (line(rate=None),), "total": "10.00"}, {}, "tax_rate"),
            ({"currency": "EUR"}, {}, "exchange_rate"),
            ({"total": "11.49"}, {}, "lines"),
            ({"customer": {}}, {}, "GUEST"),
            ({}, {"SYNCCTL_UNLEASHED_GUEST": "NOBODY"}, "GUEST"),
            ({}, {"SYNCCTL_UNLEASHED_WAREHOUSE": "MOON"}, "WAREHOUSE"),
            ({}, {"SYNCCTL_UNLEASHED_TAX": "0.15:VAT"}, "TAX"),
        ],
        ids=str,
    )
    def test_one_sentence_says_what_to_mend(
        self, shop: Shop, change: Json, settings: dict[str, str], word: str
    ) -> None:
        place(shop, order("1") | change)
        error = held(shop, **settings)
        assert error["record"] == "1"
        assert word in error["remedy"] + error["message"]

    def test_a_charge_whose_product_is_not_there_names_the_setting(self, shop: Shop) -> None:
        place(shop, order("1", {**line(), "kind": "shipping", "sku": None}))
        assert "SYNCCTL_UNLEASHED_SHIPPING=NOSKU" in held(shop, SYNCCTL_UNLEASHED_SHIPPING="NOSKU")["remedy"]

    def test_an_amount_of_too_many_digits_is_told_as_that(self, shop: Shop) -> None:
        place(shop, order("1", line(price="99999999999999999.99"), total="114999999999999999.99"))
        assert "more than 12 digits" in held(shop)["message"]

    def test_a_held_order_stops_no_other(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0.2"), total="12.00"), order("2"))
        assert post(shop)["posted"] == 1
        assert arrived(shop) == once(["2"])

    def test_it_is_posted_once_the_setting_is_mended(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0"), total="10.00"))
        held(shop, SYNCCTL_UNLEASHED_TAX="0.15:G.S.T.")
        assert post(shop)["posted"] == 0
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop)["posted"] == 1

    def test_retry_now_waits_for_nothing(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0"), total="10.00"))
        held(shop, SYNCCTL_UNLEASHED_TAX="0.15:G.S.T.")
        assert shop.run("retry-queue", "--json").only()["posted"] == 0
        assert shop.run("retry-queue", "--json", "--now").only()["posted"] == 1

    def test_the_pattern_ends_in_giving_up(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0.2"), total="12.00"))
        waits = []
        for _ in range(3):
            held(shop, SYNCCTL_RETRY="1h,2h")
            waits.append(
                shop.value(
                    "SELECT (due_at - (SELECT max(at) FROM attempts)) / 3600000.0 FROM outbox WHERE kind = 'orders'"
                )
            )
            shop.write("UPDATE outbox SET due_at = 0")
        assert 0.8 <= waits[0] <= 1.3  # a fifth more or less, and the time that the run took
        assert 1.6 <= waits[1] <= 2.5
        assert cause(shop) == ("gave_up", "tax-unmapped")
        assert shop.run("post-invoices", "--json").only()["gave_up"] == 1

    @pytest.mark.parametrize(("fault", "more"), [("429", {"retry_after": 7200}), ("403", {})])
    def test_a_limit_or_refused_credentials_cost_no_try(self, shop: Shop, fault: str, more: Json) -> None:
        place(shop, order("1"))
        shop.upstream.fault(fault, match={"method": "POST", "path": "/SalesOrders"}, **more)
        shop.run("post-invoices", "--json")
        ((state, tries),) = shop.rows("SELECT state, tries FROM outbox WHERE kind = 'orders'")
        assert (state, tries) == ("due", 0)


class TestSums:
    @pytest.mark.parametrize(
        ("lines", "total", "includes"),
        [
            ((line(price="9.99", quantity="3"),), "29.97", 1),
            ((line(price="14.50", quantity="3"),), "50.03", 0),
            ((line(price="10.00"), line(price="5.00", rate="0")), "16.50", 0),
            ((line(price="115.00"), {**line(price="-11.50"), "kind": "discount", "sku": None}), "103.50", 1),
            ((line(price="115.00"), {**line(price="5.75"), "kind": "shipping", "sku": None}), "120.75", 1),
            ((line(price="0.00"),), "0.00", 0),
        ],
    )
    def test_an_order_comes_to_what_the_shop_says(
        self, shop: Shop, lines: tuple[Json, ...], total: str, includes: int
    ) -> None:
        place(shop, order("1", *lines, total=total, prices_include_tax=includes))
        result = post(shop)
        assert not result["errors"]
        (stored,) = sales(shop)
        assert Decimal(str(stored["Total"])) == Decimal(total)

    def test_a_cent_goes_to_a_rounding_line_where_that_is_wanted(self, shop: Shop) -> None:
        place(shop, order("1", line(price="14.50", quantity="3", tax_amount="6.52"), total="50.02"))
        error = held(shop)
        assert "50.03" in error["message"]
        assert "ROUNDING" in error["remedy"]
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop, SYNCCTL_UNLEASHED_ROUNDING="charge")["posted"] == 1
        (stored,) = sales(shop)
        assert stored["Total"] == 50.02

    def test_the_day_of_an_order_is_that_of_the_shop(self, shop: Shop) -> None:
        place(shop, order("1", placed_at="2026-11-20T12:30:00Z"))
        post(shop, "--order", "1")
        (stored,) = sales(shop)
        assert "2026-11-21" in str(stored["OrderDate"]) or "1795" in str(stored["OrderDate"]), stored["OrderDate"]

    def test_an_order_in_another_currency_takes_the_rate_that_it_carries(self, shop: Shop) -> None:
        place(shop, order("1", currency="AUD", exchange_rate="0.92"))
        result = post(shop)
        assert not result["errors"]
        (stored,) = sales(shop)
        assert (stored["Currency"]["CurrencyCode"], stored["ExchangeRate"]) == ("AUD", 0.92)

    def test_an_order_in_another_currency_than_its_customer_is_held(self, shop: Shop) -> None:
        own = {"CurrencyCode": "NZD"}
        shop.upstream.put("customers", {"CustomerCode": "C-9", "Email": "jo@x.test", "Currency": own})
        place(shop, order("1", currency="AUD", exchange_rate="0.92", customer={"email": "jo@x.test"}))
        assert "its customer in NZD" in held(shop)["message"]

    def test_without_a_warehouse_the_default_one_is_taken(self, shop: Shop) -> None:
        del shop.extra["SYNCCTL_UNLEASHED_WAREHOUSE"]
        place(shop, order("1"), order("2"))
        post(shop)
        assert [each["Warehouse"]["WarehouseCode"] for each in sales(shop)] == ["MAIN", "MAIN"]
        assert shop.value("SELECT count(*) FROM calls WHERE path LIKE '/Warehouses%'") == 1


class TestCustomers:
    def test_a_known_customer_is_used_and_not_touched(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "C-9", "CustomerName": "Old", "Email": "old@x.test"})
        number = customer(shop, code="C-9", email="new@x.test")
        place(shop, order("1", customer_id=number, customer={"code": "C-9", "name": "New", "email": "new@x.test"}))
        before = records(shop, "customers")
        assert post(shop)["customers_created"] == 0
        assert records(shop, "customers") == before
        assert sales(shop)[0]["Customer"]["CustomerCode"] == "C-9"

    def test_a_customer_whom_the_mirror_knows_is_linked_without_a_call(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "C-9", "CustomerName": "Old", "Email": "old@x.test"})
        shop.ok("sync-customers")
        number = customer(shop, code="C-9", email="new@x.test")
        place(shop, order("1", customer_id=number, customer={"code": "C-9", "name": "New"}))
        result = post(shop, SYNCCTL_READ_SOLD="no")
        assert (result["errors"], result["posted"], result["calls"]) == ([], 1, 1)

    def test_an_order_that_waits_for_a_customer_costs_no_call_until_that_one_is_tried(self, shop: Shop) -> None:
        place(shop, order("1"))
        shop.upstream.fault("drop-before", match={"method": "POST", "path": "/Customers"})
        assert post(shop)["waiting"] == 1
        assert post(shop)["calls"] == shop.run("retry-queue", "--json").only()["calls"] == 0
        assert shop.run("retry-queue", "--now", "--json").only()["calls"] > 0

    def test_two_who_may_be_meant_hold_the_order(self, shop: Shop) -> None:
        shop.upstream.put("customers", *({"CustomerCode": code, "Email": "jo@x.test"} for code in ("A", "B")))
        number = customer(shop, email="jo@x.test")
        place(shop, order("1", customer_id=number, customer={"email": "jo@x.test"}))
        result = shop.run("post-invoices", "--json")
        assert not arrived(shop)
        assert "links add" in str(result.only()["errors"])

    def test_guests_share_one_customer_where_that_is_wanted(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "WEB", "CustomerName": "Web shop"})
        place(shop, order("1"), order("2"))
        result = post(shop, SYNCCTL_UNLEASHED_GUEST="WEB")
        assert (result["posted"], result["customers_created"]) == (2, 0)
        assert {each["Customer"]["CustomerCode"] for each in sales(shop)} == {"WEB"}

    def test_who_stands_for_all_guests_is_no_person(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "WEB", "Email": "jo@x.test"})
        shop.extra["SYNCCTL_UNLEASHED_GUEST"] = "WEB"
        shop.ok("sync-customers")
        place(shop, order("1"))
        place(shop, order("2", customer_id=customer(shop, email="jo@x.test"), customer={"email": "jo@x.test"}))
        assert post(shop)["customers_created"] == 1
        assert [each["Customer"]["CustomerCode"] == "WEB" for each in sales(shop)] == [True, False]

    def test_a_guest_who_comes_again_is_the_same_customer(self, shop: Shop) -> None:
        place(
            shop,
            *(order(number, customer={"email": email}) for number, email in (("1", "Jo@x.test"), ("2", "jo@X.test"))),
        )
        assert post(shop)["customers_created"] == 1
        place(shop, order("3", customer={"email": "jo@x.test"}))
        assert post(shop)["customers_created"] == 0

    def test_without_the_role_customers_each_is_looked_up(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "C-9", "Email": "old@x.test"})
        number = customer(shop, code="C-9")
        place(shop, order("1", customer_id=number, customer={"code": "C-9"}))
        assert post(shop, SYNCCTL_UNLEASHED_ROLES="products,stock,invoices")["customers_created"] == 0
        assert arrived(shop) == once(["1"])

    def test_without_a_mirror_a_guest_who_becomes_a_customer_is_looked_up_again(self, shop: Shop) -> None:
        shop.write("UPDATE cursors SET stamp = NULL WHERE kind = 'customers'")
        shop.upstream.put("customers", {"CustomerCode": "C-9", "Email": "jo@x.test"})
        alone = {"SYNCCTL_UNLEASHED_ROLES": "products,stock,invoices"}
        place(shop, order("1", customer={"email": "jo@x.test"}))
        post(shop, **alone)
        number = customer(shop, email="jo@x.test")
        place(shop, order("2", customer_id=number, customer={"email": "jo@x.test"}))
        assert post(shop, **alone)["customers_created"] == 0
        assert arrived(shop) == once(["1", "2"])


class TestDeadLinks:
    def test_a_customer_who_is_not_there_any_more_is_made_again(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"CustomerCode": "C-9", "CustomerName": "Old", "Email": "old@x.test"})
        number = customer(shop, code="C-9", email="new@x.test")
        shop.ok("sync-customers")
        (stored,) = [each for each in records(shop, "customers") if each["CustomerCode"] == "C-9"]
        shop.upstream.delete("customers", stored["Guid"])
        place(shop, order("1", customer_id=number, customer={"code": "C-9", "name": "New"}))
        result = post(shop)
        assert (result["posted"], result["customers_created"]) == (1, 1)
        assert arrived(shop) == once(["1"])

    def test_a_product_that_is_not_there_any_more_is_made_again(self, shop: Shop) -> None:
        (mug,) = [each for each in records(shop, "products") if each["ProductCode"] == "MUG"]
        shop.upstream.delete("products", mug["Guid"])
        place(shop, order("1"))
        result = post(shop)
        assert (result["posted"], result["products_created"]) == (1, 1)
        assert arrived(shop) == once(["1"])


@pytest.mark.parametrize("command", [["post-invoices"], ["post-invoices", "--dry-run"], ["retry-queue"]], ids=str)
def test_a_connector_that_there_is_not_is_said_to_be_none(shop: Shop, command: list[str]) -> None:
    result = shop.run(*command, "--connector", "nope")
    assert (result.code, "there is no nope" in result.err) == (78, True)
