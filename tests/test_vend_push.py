"""`post-invoices` to Vend: each order of the shop becomes one sale, with customer, products and payments."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from conftest import Shop
from posting import Json, customer, line, once, only_error, order, place, post, states
from vendbench import VendBench
from vendposting import (
    CARD,
    DISCOUNT,
    GST,
    NO_TAX,
    NOBODY,
    QUAY,
    REGISTER,
    ROUNDING,
    SHIPPING,
    USER,
    VendPosting,
    arrived,
    charge,
    paid,
    sales,
    there,
    writes,
)

from syncctl.connectors._vend_refusals import cause_of
from syncctl.errors import RefusedError
from syncctl.models import Kind
from syncctl.models_push import NewProduct, Outgoing, guid_of

SALES = "SELECT count(*) FROM calls WHERE path LIKE '%/sales%' AND method = ?"


def known(shop: Shop, number: str, **more: Any) -> Json:
    """An order of somebody whom the shop knows, with a customer code."""
    email = f"{number}@shop.test"
    who = customer(shop, code=f"C-{number}", email=email)
    return order(number, customer_id=who, customer={"code": f"C-{number}", "email": email, "name": "Ann Lee"}, **more)


def until_quiet(shop: Shop) -> None:
    """Lets time pass and runs what cron would run, until nothing is left to do."""
    for _ in range(8):
        if not shop.value("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'due', 'sending')"):
            return
        shop.upstream.advance(3600)
        shop.write("UPDATE outbox SET due_at = due_at - 3600000, sent_at = sent_at - 3600000")
        post(shop)
    raise AssertionError(shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'"))


def held(shop: Shop, **settings: str) -> Json:
    """Runs `post-invoices`, which has one thing to tell; what it is."""
    result = shop.run("post-invoices", "--json", **settings)
    assert result.code == 65, result
    return only_error(result)


def cause(shop: Shop) -> str:
    found: str = shop.value("SELECT cause FROM outbox WHERE kind = 'orders'")
    return found


class TestSale(VendPosting):
    """What a sale looks like there."""

    def test_an_order_arrives_with_what_it_needs(self, shop: Shop) -> None:
        placed = known(shop, "1001", total="23.00", placed_at="2026-11-20T12:30:00Z")
        place(shop, placed | {"lines": (line("MUG"), line("NEW-1", "5.00", "2"))})
        shop.write("UPDATE orders SET note = 'Leave it at the door'")
        paid(shop, "1001")
        result = post(shop, "--order", "1001")
        assert not result["errors"]
        assert (result["posted"], result["customers_created"], result["products_created"]) == (1, 1, 1)
        assert states(shop) == {"done": 1}
        (sale,) = sales(shop)
        assert (sale["state"], sale["attributes"], sale["date"]) == ("closed", [], "2026-11-20T12:30:00+00:00")
        assert (sale["source"]["id"], sale["invoice_number"]) == ("demo-1001", "demo-1001")
        assert (sale["source"]["register_id"], sale["source"]["author"]["id"]) == (REGISTER, USER)
        assert Decimal(str(sale["totals"]["price_incl_tax"])) == 23
        assert [(each["amount"], each["type"]["config_id"]) for each in sale["payments"]] == [(23, CARD)]
        for word in ("demo-1001", "Leave it at the door", "Ann Lee", "1001@shop.test"):
            assert word in sale["note"]

    def test_a_guest_buys_without_a_customer(self, shop: Shop) -> None:
        place(shop, order("1001"))
        before = there(shop, "customers")
        assert post(shop)["customers_created"] == 0
        assert there(shop, "customers") == before
        assert not sales(shop)[0].get("customer_id")
        assert "1001@shop.test" in sales(shop)[0]["note"]

    def test_a_second_run_costs_no_call(self, shop: Shop) -> None:
        place(shop, known(shop, "1001"))
        post(shop)
        assert post(shop)["calls"] == 0
        assert arrived(shop) == once(["1001"])

    @pytest.mark.parametrize(
        ("status", "state", "attributes"),
        [
            ("CLOSED", "closed", []),
            ("SAVED", "parked", []),
            ("ONACCOUNT", "pending", ["onaccount"]),
            ("AWAITING_DISPATCH", "pending", ["delivery"]),
        ],
    )
    def test_what_it_becomes_can_be_chosen(self, shop: Shop, status: str, state: str, attributes: list[str]) -> None:
        place(shop, known(shop, "1001"))
        assert post(shop, SYNCCTL_VEND_STATUS=status)["posted"] == 1
        assert [(sale["state"], sale["attributes"]) for sale in sales(shop)] == [(state, attributes)]

    @pytest.mark.parametrize("sku", ["A B", "A/B", "A'B\"", "Ä-1", "A&b=c", "A,B"])
    def test_odd_skus_are_no_trouble(self, shop: Shop, sku: str) -> None:
        for number in ("1", "2"):
            place(shop, order(number, line(sku)))
            assert post(shop)["posted"] == 1
        assert [each["sku"] for each in there(shop, "products")].count(sku) == 1

    def test_odd_people_are_no_trouble(self, shop: Shop) -> None:
        placed = known(shop, "1")
        placed["customer"] |= {"name": "<b>Zoë</b> 🦊 O'Neil", "billing": {"address1": "x" * 600, "city": "Ōtaki"}}
        place(shop, placed, order("2", customer={}), order("3", *(line() for _ in range(300)), total="3450.00"))
        assert (post(shop)["posted"], post(shop)["errors"]) == (3, [])
        assert "🦊" in next(sale["note"] for sale in sales(shop) if sale["invoice_number"] == "demo-1")

    def test_an_order_posted_by_an_older_integration_is_left_alone(self, shop: Shop) -> None:
        place(shop, order("1001"))
        shop.write("INSERT INTO posted_elsewhere SELECT id, 'vend', 'sale-77' FROM orders")
        assert post(shop)["posted"] == 0
        assert not sales(shop)


class TestSums(VendPosting):
    """Whatever the shop's prices are, the sale comes to what was paid, with the shop's tax."""

    LINES: tuple[tuple[tuple[Json, ...], str, int], ...] = (
        ((line(price="9.99", quantity="3"),), "29.97", 1),
        ((line(price="14.50", quantity="3"),), "50.03", 0),
        ((line(price="14.50", quantity="3", tax_amount="6.52"),), "50.02", 0),
        ((line(price="10.00"), line(price="5.00", rate="0")), "16.50", 0),
        ((line(price="115.00"), charge("discount", "-11.50")), "103.50", 1),
        ((line(price="115.00"), charge("shipping", "5.75")), "120.75", 1),
        ((line(price="0.3333", quantity="3"),), "1.15", 0),
        ((line(price="10.00", quantity="1.5"),), "17.25", 0),
        ((line(price="0.00"),), "0.00", 0),
        (tuple(line(price="0.99", quantity="7") for _ in range(120)), "831.60", 1),
    )

    @pytest.mark.parametrize(("lines", "total", "includes"), LINES)
    @pytest.mark.parametrize(
        "switches", [{"sale_prices": "as_sent"}, {"sale_create_answer": "id"}, {"sale_create_answer": "text"}], ids=str
    )
    def test_a_sale_comes_to_the_shops_total(
        self, shop: Shop, lines: tuple[Json, ...], total: str, includes: int, switches: dict[str, object]
    ) -> None:
        shop.upstream.switch(payments_must_match="yes", **switches)
        place(shop, order("1", *lines, total=total, prices_include_tax=includes))
        paid(shop, "1")
        result = post(shop)
        assert (result["posted"], result["errors"]) == (1, [])
        (sale,) = sales(shop)
        assert abs(Decimal(str(sale["totals"]["price_incl_tax"])) - Decimal(total)) < Decimal("0.005")

    def test_each_line_has_its_product_and_its_tax(self, shop: Shop) -> None:
        lines = line(price="115.00"), charge("shipping", "5.00", "0"), charge("discount", "-11.50")
        place(shop, order("1", *lines, total="108.50", prices_include_tax=1))
        post(shop)
        items = sales(shop)[0]["line_items"]
        assert [each["product"]["id"] for each in items][1:] == [SHIPPING, DISCOUNT]
        assert [each["tax"]["id"] for each in items] == [GST, NO_TAX, GST]
        assert [(each["pricing"]["price"], each["tax"]["amount"]) for each in items] == [(100, 15), (5, 0), (-10, -1.5)]

    def test_what_five_decimals_cannot_say_goes_to_a_rounding_line_where_that_is_wanted(self, shop: Shop) -> None:
        place(shop, order("1", line(price="0.333335", quantity="3001", rate="0"), total="1000.34"))
        error = held(shop)
        assert "1000.35 (1 lines) and not to the shop's 1000.34" in error["message"]
        assert "ROUNDING" in error["remedy"]
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop, SYNCCTL_VEND_ROUNDING=ROUNDING)["posted"] == 1
        assert sales(shop)[0]["line_items"][-1]["product"]["id"] == ROUNDING
        assert sales(shop)[0]["totals"]["price_incl_tax"] == pytest.approx(1000.34, abs=0.005)

    def test_another_sum_than_the_shops_is_told(self, shop: Shop) -> None:
        """As where the service did not take the prices as they were sent."""
        shop.upstream.switch(sale_create_answer="id")
        place(shop, order("1"))
        post(shop)
        (sale,) = sales(shop)
        shop.upstream.put("sales", {"id": sale["id"], "totals": {**sale["totals"], "price_incl_tax": 12}})
        shop.write("UPDATE outbox SET state = 'sending', sent_at = sent_at - 900000 WHERE kind = 'orders'")
        assert "its total is 12.00 and not 11.50" in held(shop)["message"]

    def test_ids_alone_are_read_back_for_the_first_sales_of_a_run(self, shop: Shop) -> None:
        shop.upstream.switch(sale_create_answer="id")
        place(shop, *(order(str(number)) for number in range(30)))
        assert post(shop)["posted"] == 30
        assert (shop.value(SALES, "POST"), shop.value(SALES, "GET")) == (30, 10)


class TestHeld(VendPosting):
    """What is held before any call that changes something, with one sentence."""

    @pytest.mark.parametrize(
        ("change", "settings", "words"),
        [
            ({"lines": (line(rate="0.2"),), "total": "12.00"}, {}, "0.20:CODE"),
            ({"lines": (line(rate=None),), "total": "10.00"}, {}, "tax_rate"),
            ({"lines": (line(tax_amount="0"),), "total": "10.00"}, {}, "makes 1.50"),
            ({"lines": (line(), charge("fee", "1.00")), "total": "12.65"}, {}, "SYNCCTL_VEND_FEE"),
            ({"currency": "EUR"}, {}, "EUR"),
            ({}, {"SYNCCTL_VEND_CURRENCY": ""}, "SYNCCTL_VEND_CURRENCY is not set"),
            ({}, {"SYNCCTL_VEND_REGISTER": ""}, "SYNCCTL_VEND_REGISTER is not set"),
            ({}, {"SYNCCTL_VEND_USER": ""}, "SYNCCTL_VEND_USER is not set"),
            ({}, {"SYNCCTL_VEND_STATUS": "ONACCOUNT"}, "has no customer"),
        ],
        ids=str,
    )
    def test_one_sentence_says_what_to_mend(
        self, shop: Shop, change: Json, settings: dict[str, str], words: str
    ) -> None:
        place(shop, order("1") | change)
        error = held(shop, **settings)
        assert error["record"] == "1"
        assert words in error["message"] + error["remedy"]
        assert not shop.value(SALES, "POST")

    @pytest.mark.parametrize(
        ("method", "amount", "words"), [("bank", None, "bank:ID"), ("card", "5.00", "come to 5.00 and not to 11.50")]
    )
    def test_payments_that_do_not_fit_hold_the_order(
        self, shop: Shop, method: str, amount: str | None, words: str
    ) -> None:
        place(shop, order("1"))
        paid(shop, "1", method=method, amount=amount)
        error = held(shop)
        assert words in error["message"] + error["remedy"]
        assert not shop.value(SALES, "POST")

    def test_a_closed_sale_without_its_payments_is_held_until_they_are_there(self, shop: Shop) -> None:
        place(shop, order("1", payments=()))
        error = held(shop)
        assert error["message"] == "it has no payments, and comes to 11.50"
        assert error["remedy"] == "Give the order its payments in the shop, or set SYNCCTL_VEND_STATUS=ONACCOUNT"
        assert (cause(shop), shop.value(SALES, "POST")) == ("payments", 0)
        paid(shop, "1")
        assert post(shop, "--order", "1")["posted"] == 1

    def test_what_costs_nothing_needs_no_payment(self, shop: Shop) -> None:
        place(shop, order("1", line(price="0.00"), total="0.00", payments=()))
        assert post(shop)["posted"] == 1

    def test_a_part_may_be_paid_of_what_is_on_account(self, shop: Shop) -> None:
        place(shop, known(shop, "1"))
        paid(shop, "1", amount="5.00")
        assert post(shop, SYNCCTL_VEND_STATUS="ONACCOUNT")["posted"] == 1
        assert [each["amount"] for each in sales(shop)[0]["payments"]] == [5]

    def test_it_is_posted_once_the_setting_is_mended(self, shop: Shop) -> None:
        place(shop, order("1"))
        held(shop, SYNCCTL_VEND_REGISTER="")
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop)["posted"] == 1


SHAPES = ["message", "details", "errors", "errors_object"]
FORMS = [("422", "message"), ("404", "details"), ("400", "errors"), ("422", "errors_object")]


class TestRefused(VendPosting):
    """What Vend refuses, in whatever form and with whatever status: a cause and a remedy."""

    REFUSALS: tuple[tuple[str, str, str], ...] = (
        ("REGISTER", NOBODY, "register"),
        ("USER", NOBODY, "user"),
        ("TAX", f"0.15:{NOBODY}", "tax-code"),
        ("PAYMENTS", f"card:{NOBODY}", "payment-type"),
        ("SHIPPING", NOBODY, "settings"),
    )

    @pytest.mark.parametrize("refusal", REFUSALS)
    @pytest.mark.parametrize(("status", "shape"), FORMS)
    def test_a_wrong_setting_is_named(self, shop: Shop, refusal: tuple[str, str, str], status: str, shape: str) -> None:
        name, value, why = refusal
        shop.upstream.switch(unknown_reference=status, error_shape=shape)
        place(shop, order("1", line(), charge("shipping", "1.00"), total="12.65"))
        paid(shop, "1")
        error = held(shop, **{f"SYNCCTL_VEND_{name}": value})
        assert (cause(shop), states(shop)) == (why, {"due": 1})
        assert f"SYNCCTL_VEND_{name}" in error["remedy"]
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop)["posted"] == 1

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_closed_register_is_told(self, shop: Shop, shape: str) -> None:
        shop.upstream.switch(error_shape=shape)
        shop.upstream.put("registers", {"id": REGISTER, "is_open": False})
        place(shop, order("1"))
        paid(shop, "1")
        assert "Open the register" in held(shop)["remedy"]
        assert cause(shop) == "register-closed"

    def test_payments_that_vend_does_not_take_are_told(self) -> None:
        said = RefusedError(
            "The service refuses call 7 with 422: The payments must equal its total", status=422, call=7
        )
        assert cause_of(said) == "payments"

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_refused_post_code_is_told(self, shop: Shop, shape: str) -> None:
        shop.upstream.switch(error_shape=shape)
        placed = known(shop, "1")
        placed["customer"] |= {"billing": {"postcode": "ABC", "country": "NZ"}}
        place(shop, placed)
        assert "post code" in post_and_tell(shop)
        assert shop.value("SELECT cause FROM outbox WHERE kind = 'customers'") == "postcode"
        assert not arrived(shop)

    def test_a_missing_scope_costs_no_try(self, shop: Shop) -> None:
        shop.upstream.switch(personal_scopes="granted")
        scopes = "products:read inventory:read customers:read sales:read"
        shop.upstream.request("POST", "tokens", {"service": "vend", "scope": scopes})
        place(shop, order("1"))
        result = shop.run("post-invoices", "--json")
        assert result.code == 77
        assert "sales:write" in result.out
        assert shop.rows("SELECT state, tries FROM outbox WHERE kind = 'orders'") == [("due", 0)]

    def test_a_refused_order_stops_no_other(self, shop: Shop) -> None:
        place(shop, order("1", line(rate="0.2"), total="12.00"), order("2"))
        assert post(shop)["posted"] == 1
        assert arrived(shop) == once(["2"])


def post_and_tell(shop: Shop) -> str:
    """All that a run has to tell."""
    return str(shop.run("post-invoices", "--json").only()["errors"])


class TestCustomers(VendPosting):
    """Found, else created; nothing that is there is ever written to."""

    def test_a_known_customer_is_used_and_not_touched(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"id": NOBODY, "customer_code": "C-9", "first_name": "Old", "last_name": None})
        who = customer(shop, code="C-9", email="new@x.test")
        place(shop, order("1", customer_id=who, customer={"code": "C-9", "name": "New", "email": "new@x.test"}))
        before = there(shop, "customers"), writes(shop, "customers")
        assert post(shop)["customers_created"] == 0
        assert (there(shop, "customers"), writes(shop, "customers")) == before
        assert sales(shop)[0]["customer_id"] == NOBODY

    def test_a_new_one_is_created_as_entered(self, shop: Shop) -> None:
        placed = known(shop, "1")
        billing = {"address1": "1 Quay St", "city": "Auckland", "postcode": "1010", "country": "NZ"}
        placed["customer"] |= {"phone": "021 555", "company": "Lee Ltd", "billing": billing}
        place(shop, placed)
        assert post(shop)["customers_created"] == 1
        (made,) = [each for each in there(shop, "customers") if each["customer_code"] == "C-1"]
        assert (made["first_name"], made["last_name"], made["company_name"]) == ("Ann", "Lee", "Lee Ltd")
        assert (made["email"], made["phone"]) == ("1@shop.test", "021 555")
        assert (made["postal_city"], made["physical_postcode"], made["postal_country_id"]) == ("Auckland", "1010", "NZ")
        assert sales(shop)[0]["customer_id"] == made["id"]

    def test_a_card_number_that_is_blacked_out_is_no_error(self, shop: Shop) -> None:
        placed = known(shop, "1")
        placed["customer"] |= {"company": "4111 1111 1111 1111"}
        place(shop, placed)
        assert not post(shop)["errors"]
        assert arrived(shop) == once(["1"])

    @pytest.mark.parametrize("taken", ["422", "409", "400"])
    @pytest.mark.parametrize("lag", [0, 600])
    def test_a_code_that_is_taken_is_that_of_the_customer(self, shop: Shop, taken: str, lag: int) -> None:
        """Created since the last look by somebody else, and shown by the search only later."""
        shop.upstream.switch(customer_code_taken=taken, search_lag=lag)
        place(shop, known(shop, "1"))
        shop.extra["SYNCCTL_VEND_ROLES"] = "products,stock,invoices"
        shop.upstream.put("customers", {"id": NOBODY, "customer_code": "C-1", "first_name": "A", "last_name": None})
        shop.run("post-invoices")
        until_quiet(shop)
        assert arrived(shop) == once(["1"])
        assert [each["id"] for each in there(shop, "customers") if each["customer_code"] == "C-1"] == [NOBODY]
        assert writes(shop, "customers")[NOBODY] == 0


class TestProducts(VendPosting):
    """Found, else created with what the shop knows."""

    @pytest.mark.parametrize(
        ("tier", "includes", "price"),
        [("including_tax", 1, (10, 11.5)), ("excluding_tax", 1, (10, 11.5)), ("including_tax", 0, (11.5, 13.225))],
    )
    def test_a_new_one_has_one_price(self, shop: Shop, tier: str, includes: int, price: tuple[float, float]) -> None:
        total = "11.50" if includes else "13.23"
        place(shop, order("1", line("NEW-1", "11.50"), total=total, prices_include_tax=includes))
        assert post(shop, SYNCCTL_VEND_PRICE_TIER=tier)["products_created"] == 1
        (made,) = [each for each in there(shop, "products") if each["sku"] == "NEW-1"]
        assert (made["price_excluding_tax"], made["price_including_tax"]) == pytest.approx(price, abs=0.00002)

    def test_what_the_shop_knows_of_it_comes_along(self, shop: Shop) -> None:
        shop.write(
            "INSERT INTO products (sku, name, barcode, price, price_includes_tax)"
            " VALUES ('NEW-1', 'Egg cup', '4006381333931', '4.60', 1)"
        )
        place(shop, order("1", line("NEW-1")))
        post(shop)
        (made,) = [each for each in there(shop, "products") if each["sku"] == "NEW-1"]
        assert (made["name"], made["price_including_tax"]) == ("Egg cup", 4.6)
        assert ("EAN", "4006381333931") in [(each["type"], each["code"]) for each in made["product_codes"]]

    def test_a_barcode_of_another_product_stops_no_order(self, shop: Shop) -> None:
        taken = next(code["code"] for each in there(shop, "products") for code in each["product_codes"][1:])
        shop.write("INSERT INTO products (sku, name, barcode) VALUES ('NEW-1', 'Egg cup', ?)", taken)
        place(shop, order("1", line("NEW-1")))
        assert post(shop)["products_created"] == 1

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_name_of_another_product_gets_the_sku_behind_it(self, shop: Shop, shape: str) -> None:
        shop.upstream.switch(error_shape=shape)
        place(shop, order("1", {**line("NEW-1"), "description": "Mug"}))
        assert post(shop)["products_created"] == 1
        assert [each["name"] for each in there(shop, "products") if each["sku"] == "NEW-1"] == ["Mug (NEW-1)"]

    @pytest.mark.parametrize("taken", ["422", "409", "400"])
    def test_an_sku_that_is_taken_is_that_of_the_product(self, shop: Shop, bench: VendBench, taken: str) -> None:
        """It came between the look and the creation: whoever sent it is told to look once more."""
        shop.upstream.switch(sku_taken=taken)
        remote_id = bench.add("NEW-1")
        row = Outgoing("NEW-1", guid_of("demo", "products", "NEW-1"), NewProduct("NEW-1", "Egg cup"))
        (outcome,) = bench.connector.push(Kind.PRODUCTS, [row])
        assert (outcome.result, outcome.cause) == ("unknown", "exists")
        (seen,) = bench.connector.seek(Kind.PRODUCTS, [row])
        assert seen
        assert (seen.remote_id, seen.reference) == (remote_id, "NEW-1")

    @pytest.mark.parametrize(("status", "shape"), FORMS)
    @pytest.mark.parametrize("shown", ["404", "200"])
    def test_one_that_is_not_there_any_more_is_made_again(
        self, shop: Shop, status: str, shape: str, shown: str
    ) -> None:
        shop.upstream.switch(unknown_reference=status, error_shape=shape, deleted_product=shown)
        (mug,) = [each for each in there(shop, "products") if each["sku"] == "MUG"]
        shop.upstream.delete("products", mug["id"])
        place(shop, order("1", line("PLATE"), line("MUG"), total="23.00"))
        result = post(shop)
        assert (result["posted"], result["products_created"]) == (1, 1)
        assert arrived(shop) == once(["1"])
        gone = shop.rows("SELECT DISTINCT remote_id FROM changes WHERE after = 'gone'")
        assert gone == [(mug["id"],)]

    def test_a_customer_who_is_not_there_any_more_is_made_again(self, shop: Shop) -> None:
        place(shop, known(shop, "1"))
        post(shop)
        (made,) = [each for each in there(shop, "customers") if each["customer_code"] == "C-1"]
        shop.upstream.delete("customers", made["id"])
        who = shop.value("SELECT id FROM customers")
        again = {"code": "C-1", "email": "1@shop.test", "name": "Ann Lee"}
        place(shop, order("2", customer_id=who, customer=again))
        assert post(shop)["posted"] == 1
        assert arrived(shop) == once(["1", "2"])


class TestExactlyOnce(VendPosting):
    """Whatever an answer does, and whichever way the service behaves where its documentation is silent."""

    SWITCHES: tuple[dict[str, object], ...] = (
        {},
        {"sale_repeated": "409", "customer_code_taken": "409", "sku_taken": "409"},
        {"sale_lines_without_id": "append", "sale_create_answer": "id"},
        {"sale_create_answer": "text", "payments_must_match": "yes", "sale_prices": "refreshed"},
        {"search_lag": 600, "customer_code_taken": "allowed", "sku_taken": "allowed"},
    )
    PATHS = ("/sales", "/customers", "/products")
    FAULTS = ("drop-after", "drop-before", "500", "503-text", "truncated", "429", "garbage", "html")
    LOST = ("drop-after", "drop-before", "500", "garbage")  # the answers that leave open what the service did
    CASES = (
        *(({}, fault, path) for fault, path in product(FAULTS, PATHS)),
        *((switches, fault, path) for switches, fault, path in product(SWITCHES[1:], LOST, PATHS)),
        *((switches, "none", "") for switches in SWITCHES),
    )

    @pytest.mark.parametrize(("switches", "fault", "path"), CASES, ids=str)
    def test_each_order_is_there_once(self, shop: Shop, switches: dict[str, object], fault: str, path: str) -> None:
        shop.upstream.switch(**switches)
        numbers = ["1001", "1002", "1003"]
        for number in numbers:
            place(shop, known(shop, number, total="14.95") | {"lines": (line("MUG"), line(f"NEW-{number}", "3.00"))})
        paid(shop, *numbers)
        if fault != "none":
            limit: Json = {"retry_after": "0"} if fault == "429" else {}
            shop.upstream.fault(fault, match={"method": "POST", "path": path}, skip=1, **limit)
        before = writes(shop, "customers")
        shop.run("post-invoices")
        until_quiet(shop)
        check_once(shop, numbers)
        after = writes(shop, "customers")
        assert {each: after[each] for each in before} == before


def check_once(shop: Shop, numbers: list[str]) -> None:
    """Each order, customer and new product is there once, and each sale has its two lines."""
    assert arrived(shop) == once(numbers)
    assert states(shop) == {"done": len(numbers)}
    assert [len(sale["line_items"]) for sale in sales(shop)] == [2] * len(numbers)
    codes = [each["customer_code"] for each in there(shop, "customers")]
    assert sorted(code for code in codes if code.startswith("C-1")) == [f"C-{number}" for number in numbers]
    skus = [each["sku"] for each in there(shop, "products")]
    assert sorted(sku for sku in skus if sku.startswith("NEW-")) == [f"NEW-{number}" for number in numbers]


class TestCost(VendPosting):
    """The calls of a run."""

    @pytest.mark.parametrize("answer", ["full", "id"])
    def test_two_hundred_orders(self, shop: Shop, answer: str) -> None:
        """Sixty new customers and ten new products: two feeds, a call for each creation, and one for each order."""
        shop.upstream.switch(sale_create_answer=answer)
        people = [customer(shop, code=f"C-{number}", email=f"c{number}@shop.test") for number in range(60)]
        for number in range(200):
            who = number % 60
            lines = (line("MUG"), line("PLATE"), line(f"NEW-{number % 10}"))
            told = {"code": f"C-{who}", "email": f"c{who}@shop.test", "name": "Ann Lee"}
            place(shop, order(str(number), *lines, total="34.50", customer_id=people[who], customer=told))
        result = post(shop, "--yes-all")
        assert (result["posted"], result["customers_created"], result["products_created"]) == (200, 60, 10)
        assert result["calls"] <= (275 if answer == "full" else 285)

    def test_an_order_with_everything_known_is_one_call(self, shop: Shop) -> None:
        place(shop, order("1"))
        assert post(shop, SYNCCTL_READ_SOLD="no")["calls"] == 1

    def test_what_was_sold_is_read_again_by_the_feed(self, shop: Shop) -> None:
        before = shop.value("SELECT available FROM catalogue WHERE sku = 'MUG'")
        place(shop, order("1"))
        paid(shop, "1")
        result = post(shop)
        assert (result["posted"], result["read_again"], result["errors"]) == (1, 1, [])
        assert result["calls"] <= 3
        assert shop.value("SELECT available FROM catalogue WHERE sku = 'MUG'") == before - 1


class TestDoctor(VendPosting):
    """What is checked where orders are posted."""

    def checks(self, shop: Shop, **settings: str) -> dict[str, Json]:
        changed = {f"SYNCCTL_VEND_{name}": value for name, value in settings.items()}
        return {each["subject"]: each for each in shop.run("doctor", "--json", **changed).only()["checks"]}

    def test_all_is_right(self, shop: Shop) -> None:
        found = self.checks(shop)
        assert {found[name]["level"] for name in ("register", "user", "taxes", "payment types")} == {"ok"}

    @pytest.mark.parametrize(
        ("subject", "settings", "words"),
        [
            ("register", {"REGISTER": NOBODY}, f"{QUAY} (Quay)"),
            ("register", {"REGISTER": ""}, "SYNCCTL_VEND_REGISTER is not set"),
            ("user", {"USER": NOBODY}, f"{USER} (Robin)"),
            ("taxes", {"TAX": f"0.15:{NOBODY}"}, f"0.15:{GST} (GST)"),
            ("taxes", {"TAX": f"0.2:{GST}"}, f"{GST} is 0.15 and not 0.2"),
            ("payment types", {"PAYMENTS": f"card:{NOBODY}"}, f"{CARD} (Card)"),
        ],
    )
    def test_what_is_not_there_is_told(self, shop: Shop, subject: str, settings: dict[str, str], words: str) -> None:
        check = self.checks(shop, **settings)[subject]
        assert check["level"] == "wrong"
        assert words in check["message"] + check["remedy"]

    def test_a_closed_register_is_told(self, shop: Shop) -> None:
        shop.upstream.put("registers", {"id": REGISTER, "is_open": False})
        assert self.checks(shop)["register"]["level"] == "warning"

    def test_a_register_that_sells_from_elsewhere_is_told(self, shop: Shop) -> None:
        outlets = {REGISTER[:-2] + end: level for end, level in (("01", "ok"), ("02", "warning"))}
        assert {outlet: self.checks(shop, OUTLETS=outlet)["register"]["level"] for outlet in outlets} == outlets

    def test_a_disabled_payment_type_is_told(self, shop: Shop) -> None:
        shop.upstream.put("payment_types", {"id": CARD, "disabled": True})
        assert self.checks(shop)["payment types"]["level"] == "wrong"

    def test_the_stores_own_discount_product_is_offered(self, shop: Shop) -> None:
        assert DISCOUNT in self.checks(shop, DISCOUNT="")["discount"]["remedy"]

    def test_sales_on_account_go_to_xero_by_themselves(self, shop: Shop) -> None:
        assert "Xero" in self.checks(shop, STATUS="ONACCOUNT")["status"]["message"]
