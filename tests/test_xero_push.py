"""`post-invoices` to Xero: in few calls, with payments, and without touching a contact but as configured."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import Shop
from offices import opened
from posting import Json, customer, line, moment, once, only_error, order, place, post, states
from xero_posting import arrived, invoices, paid, payments, records


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened("xero", tmp_path) as office:
        yield office.shop


def test_an_order_arrives_with_what_it_needs(shop: Shop) -> None:
    place(shop, paid("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"))
    result = post(shop)
    assert not result["errors"]
    assert (result["posted"], result["customers_created"], result["products_created"]) == (1, 1, 1)
    (stored,) = invoices(shop)
    assert (stored["InvoiceNumber"], stored["Total"], stored["Status"]) == ("demo-1001", 23.0, "PAID")
    assert payments(shop) == {"demo-1001/1": 1}


def test_a_line_without_a_description_has_the_name_of_its_product(shop: Shop) -> None:
    """As the shop has it, else as the service has it; the SKU where neither has one."""
    place(shop, *(paid(number, line(sku)) for number, sku in (("1", "MUG"), ("2", "MUG"), ("3", "NEW-1"))))
    names = [name for (name,) in shop.rows("SELECT name FROM remote_products WHERE sku = 'MUG'")]
    for number, name in (("1", "Mug, blue"), ("2", "")):
        shop.write("UPDATE products SET name = ? WHERE sku = 'MUG'", name)
        post(shop, "--order", number)
    post(shop)
    told = {each["Reference"]: each["LineItems"][0]["Description"] for each in invoices(shop)}
    assert told == {"1": "Mug, blue", "2": names[0], "3": "NEW-1"}


def test_a_second_run_costs_no_call(shop: Shop) -> None:
    place(shop, paid("1001"))
    post(shop)
    assert post(shop)["calls"] == 0


def test_fifty_orders_in_few_calls(shop: Shop) -> None:
    """Contacts are written twice: all have one name, and 49 of them get a suffix."""
    numbers = [str(number) for number in range(1001, 1051)]
    place(shop, *(paid(number, line("MUG"), line("NEW", "3.00"), total="14.95") for number in numbers))
    result = post(shop, SYNCCTL_READ_SOLD="no")
    assert (result["posted"], result["customers_created"], result["errors"]) == (50, 50, [])
    assert arrived(shop) == once(numbers)
    assert payments(shop) == once(f"demo-{number}/1" for number in numbers)
    assert result["calls"] <= 8


def test_more_than_fifty_are_never_sent_at_once(shop: Shop) -> None:
    shop.upstream.put("customers", {"ContactNumber": "WEB", "Name": "Web shop"})
    place(shop, *(paid(str(number)) for number in range(51)))
    assert post(shop, "--yes-all", SYNCCTL_XERO_GUEST="WEB")["posted"] == 51
    sent = shop.rows("SELECT substr(path, 1, 9), count(*) FROM calls WHERE method = 'PUT' GROUP BY 1 ORDER BY 1")
    assert sent == [("/Invoices", 2), ("/Payments", 2)]


def test_what_was_sold_is_read_again_with_all_items(shop: Shop) -> None:
    sku, before = shop.rows("SELECT sku, available FROM catalogue WHERE available > 5 ORDER BY sku")[0]
    place(shop, paid("1", line(sku)))
    assert shop.value("SELECT available FROM catalogue WHERE sku = ?", sku) == before - 1
    result = post(shop)
    assert (result["posted"], result["read_again"], result["errors"]) == (1, 1, [])
    assert shop.value("SELECT available FROM catalogue WHERE sku = ?", sku) == before - 1


def test_a_dry_run_tells_the_calls(shop: Shop) -> None:
    place(shop, *(paid(str(number), customer_id=customer(shop, code=f"C-{number}")) for number in range(3)))
    shop.upstream.put("customers", *({"ContactNumber": f"C-{number}", "Name": f"N {number}"} for number in range(3)))
    shop.ok("sync-customers")
    told = shop.run("post-invoices", "--dry-run", "--json").only()
    assert told["minimum"] <= post(shop)["calls"] <= told["expected"]


SWITCHES: tuple[Json, ...] = (
    {"batch_500": "half"},
    {"batch_500": "all"},
    {"unstored": "OK_zero"},
    {"unstored": "OK_null"},
    {"unknown_account": "remove"},
    {"error_key": "Description"},
    {"final_dot": "no"},
    {"contact_match": "name"},
    {"in_flight": "409"},
    {"voided_listed": "no"},
)
FAULTS = ("drop-after", "drop-before", "500", "503-text", "502-html", "truncated", "garbage", "html")
PATHS = ("/Contacts", "/Items", "/Invoices", "/Payments")


def test_the_setting_that_names_a_wrong_account_is_told(shop: Shop) -> None:
    place(shop, order("1", {**line(price="10.00"), "kind": "shipping", "sku": None}))
    error = only_error(shop.run("post-invoices", "--json", SYNCCTL_XERO_SHIPPING="999"))
    assert error["remedy"] == "Correct SYNCCTL_XERO_SHIPPING: an active account of Xero that takes it"


def test_a_new_item_that_needs_an_account_names_the_setting_of_items(shop: Shop) -> None:
    place(shop, paid("1", line("NEW-9")))
    errors = shop.run("post-invoices", "--json", SYNCCTL_XERO_ACCOUNT="").only()["errors"]
    assert any("SYNCCTL_XERO_ACCOUNT" in each["remedy"] for each in errors), errors
    assert not any("PAYMENTS" in each["remedy"] for each in errors), errors


def test_an_account_that_takes_no_payments_names_the_method_that_is_mapped_to_it(shop: Shop) -> None:
    place(shop, paid("1"))
    error = only_error(shop.run("post-invoices", "--json", SYNCCTL_XERO_PAYMENTS="card:200"))
    assert "SYNCCTL_XERO_PAYMENTS (card:200)" in error["remedy"]


@pytest.mark.parametrize("amounts", [("20.00",), ("20.00", "-8.50"), ("11.50", "8.50")])
def test_payments_beyond_the_total_hold_the_order(shop: Shop, amounts: tuple[str, ...]) -> None:
    place(shop, order("1", payments=[{"method": "card", "amount": amount} for amount in amounts]))
    error = held(shop)
    assert "20.00" in error["message"]
    assert "11.50" in error["message"]


class TestExactlyOnce:
    """Whatever an answer does, and whichever way the service behaves where its documentation is silent."""

    NUMBERS = ("1001", "1002", "1003")

    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("path", PATHS)
    def test_each_is_there_once_whatever_the_answer(self, shop: Shop, fault: str, path: str) -> None:
        self.place(shop)
        shop.upstream.fault(fault, match={"method": "PUT", "path": path})
        post(shop)
        self.check(shop)

    @pytest.mark.parametrize("switches", SWITCHES, ids=str)
    @pytest.mark.parametrize("path", PATHS)
    def test_each_is_there_once_however_it_behaves(self, shop: Shop, switches: Json, path: str) -> None:
        shop.upstream.switch(**switches)
        self.place(shop)
        shop.upstream.fault("drop-after", match={"method": "PUT", "path": path})
        post(shop)
        shop.upstream.switch(batch_500="no")  # else some would be refused for ever
        self.check(shop)

    def place(self, shop: Shop) -> None:
        orders = (
            paid(number, line("MUG"), line(f"NEW-{number}", "3.00"), total="14.95") | named(number)
            for number in self.NUMBERS
        )
        place(shop, *orders)

    def check(self, shop: Shop) -> None:
        until_quiet(shop)
        assert arrived(shop) == once(self.NUMBERS)
        assert states(shop) == {"done": 3}
        assert payments(shop) == once(f"demo-{number}/1" for number in self.NUMBERS)
        emails = Counter(each.get("EmailAddress", "") for each in records(shop, "customers"))
        assert [emails[f"{number}@shop.test"] for number in self.NUMBERS] == [1, 1, 1]
        codes = Counter(each["Code"] for each in records(shop, "products"))
        assert [codes[f"NEW-{number}"] for number in self.NUMBERS] == [1, 1, 1]


def named(number: str) -> Json:
    return {"customer": {"email": f"{number}@shop.test", "name": f"Jo Number {number}"}}


def until_quiet(shop: Shop) -> None:
    """Lets time pass and runs what cron would run, until nothing is left to do."""
    for _ in range(6):
        if not shop.value("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'due', 'sending')"):
            return
        shop.write("UPDATE outbox SET due_at = due_at - 3600000, sent_at = sent_at - 3600000")
        post(shop)
    raise AssertionError(shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'"))


class TestBatches:
    def test_a_bad_one_stops_no_other(self, shop: Shop) -> None:
        place(shop, paid("1001"), paid("1002", currency="EUR", exchange_rate="0.55"), paid("1003"))
        result = post(shop)
        assert (result["posted"], result["rejected"]) == (2, 1)
        assert cause(shop, "1002") == ("due", "currency")
        assert arrived(shop) == once(["1001", "1003"])

    def test_an_unknown_contact_refuses_the_whole_call_and_stops_no_other(self, shop: Shop) -> None:
        gone = customer(shop, code="C-1", email="gone@x.test")
        shop.upstream.put("customers", {"ContactNumber": "C-1", "Name": "Gone", "EmailAddress": "gone@x.test"})
        shop.ok("sync-customers")
        (contact,) = [each for each in records(shop, "customers") if each["Name"] == "Gone"]
        shop.upstream.delete("customers", contact["ContactID"])
        numbers = [str(number) for number in range(1001, 1006)]
        place(shop, *(paid(number) for number in numbers))
        shop.write("UPDATE orders SET customer_id = ?, customer = '{\"code\": \"C-1\"}' WHERE number = '1003'", gone)
        post(shop)
        until_quiet(shop)
        assert arrived(shop) == once(numbers)

    def test_lines_that_lost_their_account_are_told(self, shop: Shop) -> None:
        shop.upstream.switch(unknown_account="remove")
        place(shop, order("1001"))
        error = only_error(shop.run("post-invoices", "--json", SYNCCTL_XERO_ACCOUNT="999"))
        assert "999" in error["message"]


def cause(shop: Shop, number: str) -> tuple[str, str]:
    ((state, found),) = shop.rows("SELECT state, cause FROM outbox WHERE kind = 'orders' AND key = ?", number)
    return state, found


def held(shop: Shop, *args: str, **settings: str) -> Json:
    """Runs `post-invoices`, which posts nothing and has one thing to tell; what it is."""
    result = shop.run("post-invoices", "--json", *args, **settings)
    assert result.code == 65, result
    assert not arrived(shop)
    return only_error(result)


class TestContacts:
    """A contact that is there is written to only as configured."""

    ENTERED: ClassVar[Json] = {
        "code": "C-9",
        "name": "New Name",
        "company": "New Ltd",
        "email": "new@x.test",
        "phone": "021 555",
        "billing": {"address1": "2 New St", "city": "Nelson", "country": "NZ"},
    }

    @pytest.fixture
    def known(self, shop: Shop) -> int:
        """A customer with a contact."""
        there = {"ContactNumber": "C-9", "AccountNumber": "A-9", "Name": "Old Ltd", "EmailAddress": "old@x.test"}
        persons = [{"FirstName": "Per", "LastName": "Son", "EmailAddress": "per@x.test"}]
        shop.upstream.put("customers", there | {"ContactPersons": persons})
        return customer(shop, code="C-9", email="new@x.test")

    def contact(self, shop: Shop) -> Json:
        (found,) = [each for each in records(shop, "customers") if each.get("ContactNumber") == "C-9"]
        return found

    def test_link_only_touches_no_contact(self, shop: Shop, known: int) -> None:
        before = shop.upstream.request("GET", "records/xero/customers")["writes"]
        place(shop, order("1", customer_id=known, customer=self.ENTERED))
        assert post(shop, SYNCCTL_XERO_CONTACT="link-only")["posted"] == 1
        assert shop.upstream.request("GET", "records/xero/customers")["writes"] == before

    def test_as_entered_changes_what_the_customer_entered_and_nothing_else(self, shop: Shop, known: int) -> None:
        before = self.contact(shop)
        place(shop, order("1", customer_id=known, customer=self.ENTERED))
        result = post(shop)
        assert (result["posted"], result["customers_created"], result["errors"]) == (1, 0, [])
        after = self.contact(shop)
        assert (after["EmailAddress"], after["FirstName"], after["LastName"]) == ("new@x.test", "New", "Name")
        assert [each["AddressLine1"] for each in after["Addresses"] if each.get("AddressLine1")] == ["2 New St"]
        kept = ("ContactID", "ContactNumber", "AccountNumber", "Name", "ContactPersons")
        assert [after[name] for name in kept] == [before[name] for name in kept]

    def test_an_update_is_told_of_the_order_and_of_the_customer(self, shop: Shop, known: int) -> None:
        shop.ok("sync-customers")
        place(shop, order("1", customer_id=known, customer=self.ENTERED))
        assert "1 posted, 1 customer updated" in shop.ok("post-invoices", "-v").out
        assert re.search(r"customer updated \(call \d+: POST /Contacts", shop.ok("explain", "order", "1").out)
        (record,) = shop.ok("explain", "customer", "C-9", "--json").json()["records"]
        (change,) = [each for each in record["changes"] if each["field"] == "emails"]
        assert (change["rule"], change["command"]) == ("entered", "post-invoices")
        assert change["before"] == "old@x.test, per@x.test"
        assert change["after"] == "new@x.test, per@x.test"
        shop.ok("sync-customers")
        assert shop.ok("explain", "customer", "C-9", "--json").json()["records"][0]["changes"] == record["changes"]

    def test_a_name_of_one_word_leaves_both_names_alone(self, shop: Shop, known: int) -> None:
        shop.upstream.put(
            "customers", {"ContactID": self.contact(shop)["ContactID"], "FirstName": "Mia", "LastName": "Example"}
        )
        place(shop, order("1", customer_id=known, customer=self.ENTERED | {"name": "Prince"}))
        assert not post(shop)["errors"]
        after = self.contact(shop)
        assert (after["FirstName"], after["LastName"], after["EmailAddress"]) == ("Mia", "Example", "new@x.test")

    def test_a_phone_number_that_is_too_long_is_left_out_and_told(self, shop: Shop, known: int) -> None:
        phone = "+64 21 555 0100, evenings and at weekends +64 4 555 0199"
        place(shop, order("1", customer_id=known, customer=self.ENTERED | {"phone": phone}))
        place(shop, order("2", customer={"name": "Max", "email": "max@x.test", "phone": phone}))
        told = {each["record"]: each["message"] for each in post(shop)["errors"]}
        assert len(told) == 2
        assert all(phone in message for message in told.values())
        assert not [
            phone
            for each in records(shop, "customers")
            for phone in each.get("Phones", ())
            if "weekends" in phone["PhoneNumber"]
        ]
        assert self.contact(shop)["EmailAddress"] == "new@x.test"

    def test_only_the_newest_order_counts(self, shop: Shop, known: int) -> None:
        newer = order("2", customer_id=known, customer=self.ENTERED, status="pending")
        place(shop, order("1", customer_id=known, customer={"email": "older@x.test"}, placed_at=moment(seconds=9)))
        place(shop, newer)
        shop.write("UPDATE meta SET value = 0 WHERE key LIKE 'invoices_since%'")
        assert post(shop)["posted"] == 1
        assert self.contact(shop)["EmailAddress"] == "old@x.test"

    def test_a_contact_that_cannot_be_updated_costs_no_invoice(self, shop: Shop, known: int) -> None:
        place(shop, order("1", customer_id=known, customer=self.ENTERED))
        shop.upstream.fault("500", match={"method": "POST", "path": "/Contacts"})
        assert "contact was not updated" in only_error(shop.run("post-invoices", "--json"))["message"]
        assert arrived(shop) == once(["1"])

    def test_guests_who_share_a_contact_do_not_change_it(self, shop: Shop, known: int) -> None:
        place(shop, order("1"), order("2"))
        assert post(shop, SYNCCTL_XERO_GUEST="C-9")["posted"] == 2
        assert self.contact(shop)["EmailAddress"] == "old@x.test"

    def test_a_name_that_somebody_else_has_gets_a_suffix(self, shop: Shop) -> None:
        shop.upstream.put("customers", {"Name": "zoe suffix", "EmailAddress": "else@x.test"})
        place(shop, order("1", customer_id=customer(shop, code="C-5"), customer={"code": "C-5", "name": "Zoe Suffix"}))
        assert post(shop)["customers_created"] == 1
        names = [each["Name"] for each in records(shop, "customers") if "zoe" in each["Name"].lower()]
        assert sorted(names) == ["Zoe Suffix (C-5)", "zoe suffix"]

    @pytest.mark.parametrize(
        ("entered", "name", "address"),
        [
            ({"name": "Tags <b>  and  spaces ", "email": "a@x.test"}, "Tags b and spaces", "a@x.test"),
            ({"name": "x" * 300, "email": "a@x.test"}, "x" * 255, "a@x.test"),
            ({"name": "Ann", "email": "ann+1@x.test"}, "Ann", "ann+1@x.test"),
            ({"name": "Ümit \N{SLICE OF PIZZA}", "email": "a@x.test"}, "Ümit \N{SLICE OF PIZZA}", "a@x.test"),
            ({"name": 'The "Best" Shop', "email": "a@x.test"}, 'The "Best" Shop', "a@x.test"),
        ],
        ids=str,
    )
    def test_words_are_mended(self, shop: Shop, entered: Json, name: str, address: str) -> None:
        place(shop, order("1", customer=entered))
        assert not post(shop)["errors"]
        (made,) = [each for each in records(shop, "customers") if each["Name"] == name]
        assert made["EmailAddress"] == address

    def test_an_address_that_xero_refuses_is_left_out_and_told(self, shop: Shop) -> None:
        place(shop, order("1", customer={"name": "Max", "email": "max.müller@x.test"}))
        assert "max.müller@x.test" in only_error(shop.run("post-invoices", "--json"))["message"]
        assert arrived(shop) == once(["1"])

    @pytest.mark.parametrize("how", ["refuse", "other_words"])
    def test_an_archived_contact_holds_the_order(self, shop: Shop, known: int, how: str) -> None:
        shop.upstream.switch(archived_on_invoice=how)
        shop.ok("sync-customers")
        place(shop, order("1", customer_id=known, customer=self.ENTERED))
        contact = self.contact(shop)["ContactID"]
        shop.upstream.put("customers", {"ContactID": contact, "ContactStatus": "ARCHIVED"}, silent=True)
        assert "archived" in held(shop)["message"]
        assert cause(shop, "1") == ("due", "archived-contact")


class TestLinksByHand:
    """A product that somebody linked to an item with another code."""

    @pytest.fixture
    def cup(self, shop: Shop) -> Json:
        shop.write("INSERT INTO products (sku, name) VALUES ('CUP', 'Cup')")
        shop.upstream.put("products", {"Code": "CUP-2019", "Name": "Cup"})
        shop.ok("sync-recent")
        (item,) = [each for each in records(shop, "products") if each["Code"] == "CUP-2019"]
        shop.ok("links", "remove", "product", "CUP-2019")
        shop.ok("links", "add", "product", "CUP", item["ItemID"])
        return item

    def test_its_line_names_the_item(self, shop: Shop, cup: Json) -> None:
        place(shop, order("1", line("MUG"), line("CUP"), total="23.00"))
        result = post(shop)
        assert (result["posted"], result["products_created"], result["errors"]) == (1, 0, [])
        (stored,) = invoices(shop)
        assert [each["ItemCode"] for each in stored["LineItems"]] == ["MUG", "CUP-2019"]

    def test_an_item_whose_code_was_changed_is_read_again(self, shop: Shop, cup: Json) -> None:
        shop.upstream.put("products", {"ItemID": cup["ItemID"], "Code": "CUP-2026"})
        place(shop, order("1", line("CUP")))
        result = post(shop)
        assert (result["posted"], result["products_created"], result["errors"]) == (1, 0, [])
        (stored,) = invoices(shop)
        assert [each["ItemCode"] for each in stored["LineItems"]] == ["CUP-2026"]


class TestNumbers:
    def others(self, shop: Shop, **values: Any) -> None:
        """Somebody's own invoice with the number that our order would have."""
        post(shop, "--order", "none")
        contact = records(shop, "customers")[0]["ContactID"]
        lines = [{"Description": "x", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200", "TaxType": "NONE"}]
        plain = {"Type": "ACCREC", "InvoiceNumber": "demo-1", "Contact": {"ContactID": contact}, "Status": "AUTHORISED"}
        shop.upstream.put("invoices", plain | {"LineItems": lines, "Total": 50, "CurrencyCode": "NZD"} | values)

    def test_somebodys_own_invoice_is_left_alone(self, shop: Shop) -> None:
        self.others(shop)
        before = invoices(shop)
        place(shop, paid("1"))
        error = only_error(shop.run("post-invoices", "--json"))
        assert "its total is 50.00 and not 11.50" in error["message"]
        assert cause(shop, "1") == ("due", "number-taken")
        assert invoices(shop) == before
        assert not payments(shop)

    @pytest.mark.parametrize("listed", ["yes", "no"])
    @pytest.mark.parametrize("dot", ["yes", "no"])
    def test_a_voided_number_is_held(self, shop: Shop, listed: str, dot: str) -> None:
        shop.upstream.switch(voided_listed=listed, final_dot=dot)
        self.others(shop, Status="VOIDED")
        place(shop, paid("1"))
        assert "voided" in held(shop)["message"]
        assert cause(shop, "1") == ("due", "cancelled-there")

    def test_a_bill_of_a_supplier_may_have_our_number(self, shop: Shop) -> None:
        self.others(shop, Type="ACCPAY")
        place(shop, paid("1"))
        assert post(shop)["posted"] == 1


class TestSums:
    @pytest.mark.parametrize(
        ("lines", "total", "includes"),
        [
            ((line(price="9.99", quantity="3"),), "29.97", 1),
            ((line(price="14.50", quantity="3"),), "50.03", 0),
            ((line(price="10.00"), line(price="5.00", rate="0")), "16.50", 0),
            ((line(price="115.00"), {**line(price="-11.50"), "kind": "discount", "sku": None}), "103.50", 1),
            ((line(price="115.00"), {**line(price="5.75"), "kind": "shipping", "sku": None}), "120.75", 1),
            ((line(price="1.2345", quantity="10", rate="0"),), "12.35", 0),
        ],
    )
    def test_an_order_comes_to_what_the_shop_says(
        self, shop: Shop, lines: tuple[Json, ...], total: str, includes: int
    ) -> None:
        place(shop, paid("1", *lines, total=total, prices_include_tax=includes))
        assert not post(shop)["errors"]
        (stored,) = invoices(shop)
        assert Decimal(str(stored["Total"])) == Decimal(total)
        assert stored["Status"] == "PAID"

    def test_an_order_of_nothing(self, shop: Shop) -> None:
        place(shop, paid("1", line(price="0.00"), total="0.00"))
        assert post(shop)["posted"] == 1

    def test_a_cent_goes_to_a_rounding_line_where_that_is_wanted(self, shop: Shop) -> None:
        place(shop, paid("1", line(price="14.50", quantity="3", tax_amount="6.52"), total="50.02"))
        error = held(shop)
        assert "50.03" in error["message"]
        assert "ROUNDING" in error["remedy"]
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop, SYNCCTL_XERO_ROUNDING="860")["posted"] == 1
        (stored,) = invoices(shop)
        assert (stored["Total"], stored["Status"]) == (50.02, "PAID")

    def test_another_sum_than_the_shops_is_told(self, shop: Shop) -> None:
        shop.upstream.switch(rounding="half_even")
        place(shop, order("1", line(price="0.30"), line(price="10.00"), total="11.85"))
        assert "11.84" in only_error(shop.run("post-invoices", "--json"))["message"]

    def test_days_are_those_of_the_shop(self, shop: Shop) -> None:
        paid_at = "2026-11-20T12:45:00Z"
        pays = {"payments": [{"method": "card", "amount": "11.50", "paid_at": paid_at}]}
        place(shop, order("1", placed_at="2026-11-20T12:30:00Z") | pays)
        assert post(shop, "--order", "1", SYNCCTL_XERO_DUE_DAYS="7")["posted"] == 1
        (stored,) = invoices(shop)
        assert (stored["Date"], stored["DueDate"]) == (written("2026-11-21"), written("2026-11-28"))
        assert written("2026-11-21") in {each["Date"] for each in records(shop, "payments")}


def written(day: str) -> str:
    """A day as Xero writes it."""
    return f"/Date({int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())}000+0000)/"


class TestPayments:
    def test_a_method_without_an_account_holds_the_order(self, shop: Shop) -> None:
        place(shop, order("1") | {"payments": [{"method": "cheque", "amount": "11.50"}]})
        assert "cheque:ACCOUNT" in held(shop)["remedy"]
        shop.write("UPDATE outbox SET due_at = 0")
        assert post(shop, SYNCCTL_XERO_PAYMENTS="card:090,cheque:090")["posted"] == 1
        assert payments(shop) == {"demo-1/1": 1}

    def test_without_the_setting_none_are_posted(self, shop: Shop) -> None:
        shop.env.pop("SYNCCTL_XERO_PAYMENTS")
        place(shop, paid("1"))
        assert post(shop)["posted"] == 1
        assert not payments(shop)

    @pytest.mark.parametrize("fault", ["drop-after", "drop-before", "500"])
    def test_two_alike_are_there_once_each(self, shop: Shop, fault: str) -> None:
        half = {"method": "card", "amount": "5.75"}
        place(shop, order("1") | {"payments": [half, half]})
        shop.upstream.fault(fault, match={"method": "PUT", "path": "/Payments"})
        post(shop)
        until_quiet(shop)
        assert payments(shop) == {"demo-1/1": 1, "demo-1/2": 1}

    def test_money_given_back_is_held(self, shop: Shop) -> None:
        place(shop, order("1") | {"payments": [{"method": "card", "amount": amount} for amount in ("11.50", "-2.00")]})
        only_error(shop.run("post-invoices", "--json"))
        causes = shop.rows("SELECT cause FROM outbox WHERE kind = 'payments' AND state <> 'done'")
        assert causes == [("refund",)]


class TestHeld:
    @pytest.mark.parametrize(
        ("change", "settings", "word"),
        [
            ({"lines": (line(rate="0.2"),), "total": "12.00"}, {}, "0.20:CODE"),
            ({"lines": (line(rate=None),), "total": "10.00"}, {}, "tax_rate"),
            ({"currency": "EUR"}, {}, "currency"),
            ({"customer": {}}, {}, "GUEST"),
            ({}, {"SYNCCTL_XERO_ACCOUNT": "999"}, "ACCOUNT"),
            ({}, {"SYNCCTL_XERO_TAX": "0.15:VAT"}, "SYNCCTL_XERO_TAX"),
            ({"placed_at": "2023-06-01T00:00:00Z"}, {}, "lock date"),
            ({"number": "1" + "x" * 251}, {}, "number"),
        ],
        ids=str,
    )
    def test_one_sentence_says_what_to_mend(
        self, shop: Shop, change: Json, settings: dict[str, str], word: str
    ) -> None:
        made = order("1") | change
        place(shop, made)
        error = held(shop, "--order", made["number"], **settings)
        assert word in error["remedy"] + error["message"]

    def test_a_sku_that_is_too_long(self, shop: Shop) -> None:
        place(shop, order("1", line("S" * 31)), order("2", line("S" * 30)))
        errors = shop.run("post-invoices", "--json").only()["errors"]
        assert all("longer than the 30 characters" in error["message"] for error in errors)
        assert arrived(shop) == once(["2"])

    def test_another_currency_with_the_rate_of_the_order(self, shop: Shop) -> None:
        shop.upstream.switch(multicurrency="yes")
        place(shop, order("1", currency="EUR", exchange_rate="0.55"))
        assert post(shop)["posted"] == 1
        (stored,) = invoices(shop)
        assert (stored["CurrencyCode"], stored["CurrencyRate"]) == ("EUR", 0.55)

    @pytest.mark.parametrize("sku", ["a b", "a/b", 'a"b', "größe", "a+b,c", "50%"])
    def test_any_sku_is_created_once(self, shop: Shop, sku: str) -> None:
        place(shop, order("1", line(sku)))
        shop.upstream.fault("drop-after", match={"method": "PUT", "path": "/Items"})
        post(shop)
        until_quiet(shop)
        assert arrived(shop) == once(["1"])
        assert [each["Code"] for each in records(shop, "products")].count(sku) == 1

    def test_without_tax_types_nothing_is_posted(self, shop: Shop) -> None:
        shop.env.pop("SYNCCTL_XERO_TAX")
        place(shop, order("1"))
        result = shop.run("post-invoices", "--json")
        assert "SYNCCTL_XERO_TAX is not set" in result.out + result.err
        assert not arrived(shop)

    def test_a_draft_cannot_be_paid(self, shop: Shop) -> None:
        result = shop.run("post-invoices", "--json", SYNCCTL_XERO_STATUS="DRAFT")
        assert "SYNCCTL_XERO_PAYMENTS is set" in result.out + result.err


class TestDoctor:
    def checks(self, shop: Shop, **settings: str) -> dict[str, str]:
        result = shop.run("doctor", "--json", **settings)
        return {check["subject"]: check["level"] for check in result.only()["checks"]}

    def test_all_is_well(self, shop: Shop) -> None:
        levels = self.checks(shop)
        assert {levels[name] for name in ("account 200", "account 090", "tax OUTPUT2", "tax NONE", "lock date")} == {
            "ok"
        }

    @pytest.mark.parametrize(
        ("settings", "subject"),
        [
            ({"SYNCCTL_XERO_SHIPPING": "999"}, "account 999"),
            ({"SYNCCTL_XERO_PAYMENTS": "card:200"}, "account 200"),
            ({"SYNCCTL_XERO_TAX": "0.15:INPUT2"}, "tax INPUT2"),
            ({"SYNCCTL_XERO_TAX": "0.1:OUTPUT2"}, "tax OUTPUT2"),
            ({"SYNCCTL_XERO_TAX": "0.15:NOPE"}, "tax NOPE"),
        ],
    )
    def test_what_would_be_refused_is_told(self, shop: Shop, settings: dict[str, str], subject: str) -> None:
        assert self.checks(shop, **settings)[subject] == "wrong"


def test_all_that_is_wrong_with_an_order_is_told_at_once(shop: Shop) -> None:
    lines = (line(rate="0.2"), line(rate="0.07"), line(rate="0.2"), line(rate="0") | {"kind": "shipping", "sku": None})
    place(shop, order("1", *lines, total="44.70", payments=[{"method": "cash", "amount": "44.70"}]))
    error = held(shop, SYNCCTL_XERO_ACCOUNT="", SYNCCTL_XERO_TAX="0.15:OUTPUT2")
    for word in ("0.20:CODE", "0.07:CODE", "0.00:CODE", "cash:ACCOUNT", "XERO_SHIPPING"):
        assert error["remedy"].count(word) == 1, error


class TestLostAnswers:
    """What is sent and answered with 5xx may be there or not."""

    @pytest.fixture
    def failing(self, shop: Shop) -> None:
        place(shop, order("1"), order("2"))
        shop.upstream.fault("500", match={"method": "PUT", "path": "/Invoices"}, times=None)

    def test_the_run_says_so_and_when_it_is_asked_for(self, shop: Shop, failing: None) -> None:
        result = shop.run("post-invoices")
        assert result.code == 69
        (told,) = [each for each in result.err.splitlines() if "Nobody knows whether 2 records arrived" in each]
        assert "is asked by the first run after 20" in told

    def test_an_outage_costs_no_try_and_is_asked_for_less_and_less_often(self, shop: Shop, failing: None) -> None:
        told = []
        for _ in range(12):
            told.append(shop.run("post-invoices", "-v").err)
            later(shop)
        ((state, tries),) = set(shop.rows("SELECT state, tries FROM outbox WHERE kind = 'orders'"))
        assert (state in {"due", "sending"}, tries) == (True, 0)
        assert any("sent without an answer 3 times, arrived" in each for each in told)
        shop.upstream.request("DELETE", "faults")
        for _ in range(2):
            later(shop)
            post(shop)
        assert arrived(shop) == once(["1", "2"])

    def test_numbers_that_differ_in_capitals_are_told_as_taken(self, shop: Shop) -> None:
        place(shop, order("AA2"))
        post(shop)
        place(shop, order("aa2"))
        post(shop)
        later(shop)
        post(shop)
        assert cause(shop, "aa2") == ("due", "number-taken")
        attempts = shop.ok("explain", "order", "aa2").out
        assert "unclear: Invoice # must be unique" in attempts
        assert "no answer" not in attempts


def later(shop: Shop) -> None:
    """A day goes by."""
    shop.write("UPDATE outbox SET due_at = due_at - ?1, sent_at = sent_at - ?1", 86_400_000)
