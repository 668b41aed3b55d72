"""Orders whose customer cannot be created: what they wait for, what is tried along with them, and what they hold up."""

from __future__ import annotations

import pytest
from conftest import Result, Shop
from posting import Json, arrived, customer, once, only_error, order, place, post, ready

pytestmark = pytest.mark.products(6)
CODE = "C-1"
TAKEN = {"Guid": "7c36511a-0000-4000-8000-000000000001", "CustomerCode": CODE, "Obsolete": True}
GIVES_UP = {"SYNCCTL_RETRY": "1h"}


@pytest.fixture(autouse=True)
def posting(shop: Shop) -> None:
    """The code of a customer is that of an obsolete record, so Unleashed refuses to create it."""
    shop.upstream.put("customers", TAKEN)
    ready(shop)
    customer(shop, code=CODE, email="jo@shop.test")


def of_jo(shop: Shop, number: str) -> Json:
    return order(number, customer={"code": CODE}, customer_id=shop.value("SELECT id FROM customers"))


def row(shop: Shop, kind: str) -> str:
    """The id of the first row of a kind in the queue."""
    return str(shop.value("SELECT min(id) FROM outbox WHERE kind = ?", kind))


def given_up(shop: Shop) -> None:
    """An order of Jo is given up, since Jo is."""
    place(shop, of_jo(shop, "1"))
    for _ in range(4):
        shop.run("post-invoices", **GIVES_UP)
        shop.write("UPDATE outbox SET due_at = 0")
    assert shop.rows("SELECT DISTINCT state FROM outbox") == [("gave_up",)]


def mend(shop: Shop) -> None:
    """Somebody gives the obsolete record another code."""
    shop.upstream.put("customers", TAKEN | {"CustomerCode": "OLD-1"})


def test_orders_that_wait_use_up_no_limit(shop: Shop) -> None:
    """Two of a customer that is refused, and three that nothing is wrong with."""
    place(shop, *(of_jo(shop, number) for number in "12"))
    place(shop, *(order(number) for number in "345"))
    for _ in range(3):
        post(shop, "--limit", "2")
    assert arrived(shop) == once("345")


@pytest.mark.parametrize("kind", ["orders", "customers"])
def test_an_order_and_its_customer_are_retried_together(shop: Shop, kind: str) -> None:
    given_up(shop)
    mend(shop)
    shop.ok("queue", "retry", row(shop, kind))
    shop.ok("retry-queue")
    assert arrived(shop) == once(["1"])


ODD: dict[str, Json] = {
    "capitals beyond ASCII": {"email": "JÖRG.STRAẞE@Shop.test"},
    "white space around": {"email": "\t jo.x@shop.test\u00a0", "code": "  "},
    "a code in white space": {"code": "\u2003C-2\n", "email": "jo.x@shop.test"},
    "a control character": {"email": "jo\u0007x@shop.test"},
}


@pytest.mark.parametrize("entered", ODD.values(), ids=ODD)
def test_a_guest_is_known_however_the_shop_writes_it(shop: Shop, entered: Json) -> None:
    """To the list of what an order needs, and to what is retried together."""
    place(shop, order("1", customer={"name": "Jo"} | entered))
    assert post(shop)["customers_created"] == 1
    shown = shop.ok("explain", "order", "1", "--json").json()["records"]
    assert [each["kind"] for each in shown] == ["orders", "customers"]
    shop.write("UPDATE outbox SET state = 'gave_up', cause = 'gave-up'")
    for kind in ("orders", "customers"):
        retried = shop.ok("queue", "retry", row(shop, kind), "--json").json()["rows"]
        assert {each["kind"] for each in retried} == {"orders", "customers"}


def test_what_waits_for_others_is_not_retried_along(shop: Shop) -> None:
    """The orders of somebody else, and those that are refused for their own sake."""
    given_up(shop)
    place(shop, order("2", currency="EUR"))
    post(shop)
    changed = shop.ok("queue", "retry", row(shop, "customers"), "--json").json()["rows"]
    assert [(each["kind"], each["key"]) for each in changed if each["kind"] == "orders"] == [("orders", "1")]


def test_a_link_by_hand_sends_off_what_was_given_up(shop: Shop) -> None:
    given_up(shop)
    shop.upstream.put("customers", {"Guid": "7c36511a-0000-4000-8000-000000000002", "CustomerCode": "JO"})
    shop.ok("sync-customers")
    shop.ok("links", "add", "customer", CODE, "7c36511a-0000-4000-8000-000000000002")
    shop.ok("retry-queue")
    assert arrived(shop) == once(["1"])


def test_an_order_of_a_customer_that_was_dropped_is_held(shop: Shop) -> None:
    given_up(shop)
    shop.ok("queue", "drop", row(shop, "customers"))
    place(shop, of_jo(shop, "2"))
    result: Result = shop.run("post-invoices", "--json")
    error = only_error(result)
    assert (result.code, error["record"]) == (65, "2")
    assert f"syncctl queue retry {row(shop, 'customers')}" in error["remedy"]
    assert f"syncctl links add customer {CODE}" in error["remedy"]
    mend(shop)
    shop.ok("queue", "retry", row(shop, "customers"))
    shop.ok("retry-queue")
    assert arrived(shop) == once("12")


def test_a_customer_has_one_try_a_run_whoever_waits_for_it(shop: Shop) -> None:
    place(shop, *(of_jo(shop, number) for number in "123"))
    tried = "SELECT count(*) FROM calls WHERE method = 'POST' AND path LIKE '/Customers%'"
    post(shop)
    assert shop.value(tried) == 1
    shop.run("retry-queue", "--now")
    assert shop.value(tried) == 2
