"""`post-invoices` to Unleashed: each order of the shop arrives there once, with its customer and its products."""

from __future__ import annotations

import pytest
from conftest import Shop
from posting import arrived, line, once, order, place, post, records, sales, states

from syncctl.connectors.declared import Push
from syncctl.connectors.unleashed import Unleashed

pytestmark = pytest.mark.usefixtures("posting")


def test_an_order_arrives_with_what_it_needs(shop: Shop) -> None:
    place(shop, order("1001", line("MUG"), line("NEW-1", "5.00", "2"), total="23.00"))
    result = post(shop)
    assert not result["errors"]
    assert (result["posted"], result["customers_created"], result["products_created"]) == (1, 1, 1)
    assert arrived(shop) == once(["1001"])
    assert states(shop) == {"done": 1}
    (stored,) = sales(shop)
    assert (stored["SourceId"], stored["Total"], stored["OrderStatus"]) == (
        f"{shop.env['SYNCCTL_SHOP']}-1001",
        23.0,
        "Placed",
    )


def test_a_second_run_costs_no_call(shop: Shop) -> None:
    place(shop, order("1001"))
    post(shop)
    assert post(shop)["calls"] == 0
    assert arrived(shop) == once(["1001"])


FAULTS = ["drop-after", "drop-before", "500", "503-text", "truncated", "429", "garbage", "html"]
SWITCHES: list[dict[str, object]] = [
    {}, {"repost": "overwrite"}, {"partial_save_500": "yes"}, {"search_lag": 30}, {"rounding": "bankers"},
]  # fmt: skip
CASES = [
    *(({}, fault, path) for fault in FAULTS for path in ("/SalesOrders", "/Customers", "/Products")),
    *((switches, fault, "/SalesOrders") for switches in SWITCHES[1:] for fault in ("drop-after", "drop-before", "500")),
    *((switches, "none", "") for switches in SWITCHES),
]


@pytest.mark.parametrize(("switches", "fault", "path"), CASES, ids=str)
def test_each_order_is_there_once(shop: Shop, switches: dict[str, object], fault: str, path: str) -> None:
    """Whatever an answer does, and whichever way the service behaves where its documentation is silent."""
    shop.upstream.switch(**switches)
    numbers = ["1001", "1002", "1003"]
    new = [f"NEW-{number}" for number in numbers]
    place(
        shop,
        *(order(number, line(), line(sku, "3.00"), total="14.95") for number, sku in zip(numbers, new, strict=True)),
    )
    if fault != "none":
        shop.upstream.fault(fault, match={"method": "POST", "path": path}, skip=1)
    post(shop)
    until_quiet(shop)
    assert arrived(shop) == once(numbers)
    assert states(shop) == {"done": 3}
    assert sorted(each["Email"] for each in records(shop, "customers") if each["Email"] in EMAILS) == EMAILS
    assert sorted(each["ProductCode"] for each in records(shop, "products") if each["ProductCode"] in new) == new


@pytest.mark.parametrize("path", ["/SalesOrders", "/Complete"])
@pytest.mark.parametrize("fault", ["none", "drop-after", "drop-before", "500", "garbage"])
def test_each_order_becomes_one_invoice_where_that_is_wanted(shop: Shop, fault: str, path: str) -> None:
    shop.extra["SYNCCTL_UNLEASHED_STATUS"] = "Completed"
    before = len(records(shop, "invoices"))
    place(shop, order("1001"), order("1002"))
    if fault != "none":
        shop.upstream.fault(fault, match={"method": "POST", "path": path})
    post(shop)
    until_quiet(shop)
    assert {each["OrderStatus"] for each in sales(shop)} == {"Completed"}
    assert (arrived(shop), len(records(shop, "invoices")) - before) == (once(["1001", "1002"]), 2)


@pytest.mark.parametrize(("fault", "skip"), [("drop-after", 0), ("drop-after", 1), ("500", 2), ("garbage", 1)])
def test_a_batch_whose_outcome_is_unknown_is_settled_record_by_record(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fault: str, skip: int
) -> None:
    monkeypatch.setattr(Unleashed, "pushes", dict.fromkeys(Unleashed.pushes, Push(batch=3)))
    numbers = [str(number) for number in range(1001, 1006)]
    place(shop, *(order(number) for number in numbers))
    shop.upstream.fault(fault, match={"method": "POST", "path": "/SalesOrders"}, skip=skip)
    post(shop)
    until_quiet(shop)
    assert (arrived(shop), states(shop)) == (once(numbers), {"done": 5})


def test_a_service_that_always_fails_is_left_alone_soon(shop: Shop) -> None:
    """Each failed post costs two calls; after three of them in a row the rest waits for the next run."""
    place(shop, *(order(str(number), customer={"email": "jo@shop.test", "name": "Jo"}) for number in range(10)))
    shop.upstream.fault("500", match={"method": "POST", "path": "/SalesOrders"}, times=None)
    result = shop.run("post-invoices", "--json")
    assert (result.code, result.only()["unknown"], result.only()["waiting"]) == (69, 3, 7)


EMAILS = [f"{number}@shop.test" for number in ("1001", "1002", "1003")]


def until_quiet(shop: Shop) -> None:
    """Lets time pass and runs what cron would run, until nothing is left to do."""
    for _ in range(5):
        if not shop.value("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'due', 'sending')"):
            return
        later(shop, 3600)
        post(shop)
    raise AssertionError(shop.rows("SELECT kind, key, state, tries, cause, message FROM outbox WHERE state <> 'done'"))


def later(shop: Shop, seconds: int) -> None:
    """What is to happen later happens now."""
    shop.write("UPDATE outbox SET due_at = due_at - ?1, sent_at = sent_at - ?1", seconds * 1000)
