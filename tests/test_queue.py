"""The queue as a person sees and manages it, and what a run would cost."""

from __future__ import annotations

import re

import pytest
from conftest import Shop
from posting import Json, arrived, customer, line, once, order, place, post, sales, states

from syncctl.clock import SystemClock
from syncctl.state.locks import Holder, hold

pytestmark = [pytest.mark.products(6), pytest.mark.usefixtures("posting")]


def listed(shop: Shop, *args: str) -> list[Json]:
    rows: list[Json] = shop.ok("queue", "list", "--json", *args).json()["rows"]
    return rows


def place_one_that_is_held(shop: Shop) -> int:
    place(shop, order("1", line(rate="0.2"), total="12.00"))
    post(shop)
    number: int = shop.value("SELECT id FROM outbox WHERE kind = 'orders'")
    return number


def posted_by_hand(shop: Shop, guid: str = "0b5e7a00-2222-4000-8000-000000000077") -> str:
    """A sales order that somebody has typed in; its id."""
    shop.upstream.put("sales_orders", {"Guid": guid, "OrderStatus": "Placed", "SourceId": None, "Total": 12})
    return guid


def test_the_list_says_what_waits_for_what(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    (row,) = listed(shop)
    assert (row["id"], row["key"], row["state"], row["cause"]) == (number, "1", "due", "tax-unmapped")
    out = shop.ok("queue", "list").out
    assert "rejected (tax-unmapped): line 1 has the tax rate 0.20" in out
    assert "Add 0.20:CODE to SYNCCTL_UNLEASHED_TAX. Next try 20" in out


def test_a_connector_that_nobody_knows_is_refused(shop: Shop) -> None:
    place_one_that_is_held(shop)
    for command in (["list"], ["list", "--changed"], ["retry", "--all"], ["drop", "--all"]):
        result = shop.run("queue", *command, "--connector", "nope")
        assert (result.code, result.out) == (78, "")
        assert "there is no nope. There are unleashed." in result.err


def test_what_is_unknown_without_a_word_is_a_sentence(shop: Shop) -> None:
    """As a killed run leaves it."""
    place_one_that_is_held(shop)
    shop.write("UPDATE outbox SET state = 'sending', cause = '', message = '', remedy = '', due_at = 0")
    assert "order 1: unknown. The next run looks for it there.\n" in shop.ok("queue", "list").out


def test_one_record_shows_each_try(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    shop.run("retry-queue", "--now")
    told = shop.ok("queue", "show", str(number), "--json").json()
    assert [each["outcome"] for each in told["attempts"]] == ["refused", "refused"]
    assert "line 1" in shop.ok("queue", "show", str(number)).out


def test_what_is_retried_is_due_at_once(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    shop.extra["SYNCCTL_UNLEASHED_TAX"] += ",0.2:G.S.T."
    shop.ok("queue", "retry", str(number))
    shop.run("retry-queue")
    assert shop.value("SELECT count(*) FROM calls WHERE method = 'POST' AND path LIKE '/SalesOrders%'") == 1


def test_all_of_a_cause_are_chosen_at_once(shop: Shop) -> None:
    place_one_that_is_held(shop)
    place(shop, order("2", currency="EUR"))
    post(shop)
    shop.ok("queue", "drop", "--all", "--cause", "currency")
    assert [row["key"] for row in listed(shop)] == ["1"]
    assert [row["key"] for row in listed(shop, "--skipped")] == ["2"]


def test_a_cause_that_nothing_has_is_told_with_those_that_there_are(shop: Shop) -> None:
    place_one_that_is_held(shop)
    (cause,) = {row["cause"] for row in listed(shop)}
    result = shop.run("queue", "list", "--cause", "nonsense")
    assert (result.code, result.out) == (0, "")
    assert f"nonsense; the causes that there are: {cause}" in result.err


def test_what_is_skipped_says_what_would_post_it(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    shop.ok("queue", "drop", str(number))
    assert f"To post it, run syncctl queue retry {number}." in shop.ok("queue", "list", "--skipped").out


def test_a_dropped_order_is_never_posted(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    shop.ok("queue", "drop", str(number))
    post(shop, SYNCCTL_UNLEASHED_TAX="0.2:G.S.T.")
    assert (listed(shop), states(shop)) == ([], {"skipped": 1})


def test_what_was_dropped_and_is_retried_does_not_count_as_refused(shop: Shop) -> None:
    number = str(place_one_that_is_held(shop))
    shop.ok("queue", "drop", number)
    assert "dropped" not in shop.ok("queue", "retry", number, "-v").out
    (row,) = listed(shop)
    assert (row["state"], row["cause"]) == ("due", "")


def test_a_person_may_say_that_it_is_there(shop: Shop) -> None:
    number, guid = place_one_that_is_held(shop), posted_by_hand(shop)
    shop.ok("queue", "settle", str(number), "--remote-id", guid)
    assert states(shop) == {"done": 1}
    result = shop.run("queue", "retry", str(number))
    assert (result.code, guid in result.err) == (65, True)


def test_what_a_person_said_to_be_there_is_not_called_found(shop: Shop) -> None:
    number, guid = place_one_that_is_held(shop), posted_by_hand(shop)
    shop.ok("queue", "settle", str(number), "--remote-id", guid)
    assert "0 posted, 1 settled by hand, " in shop.ok("post-invoices", "-v").out
    for told in (shop.ok("explain", "order", "1").out, shop.ok("queue", "show", str(number)).out):
        assert f"done as {guid}: settled by hand." in told
        assert told.rstrip().endswith(": settled by hand")
        assert "found" not in told


def test_what_a_person_said_can_be_said_again(shop: Shop) -> None:
    number, guid = str(place_one_that_is_held(shop)), posted_by_hand(shop)
    shop.ok("queue", "settle", number, "--remote-id", posted_by_hand(shop, guid.replace("77", "78")))
    post(shop)
    shop.ok("queue", "settle", number, "--remote-id", guid)
    assert f"done as {guid}" in shop.ok("explain", "order", "1").out
    shop.ok("queue", "settle", number, "--not-created")
    assert post(shop)["rejected"] == 1


def test_of_what_the_service_took_no_person_says_that_it_is_not_there(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    number = str(shop.value("SELECT id FROM outbox WHERE kind = 'orders'"))
    result = shop.run("queue", "settle", number, "--not-created")
    assert (result.code, "it is posted as" in result.err) == (65, True)


def test_the_id_of_another_order_is_refused(shop: Shop) -> None:
    number = str(place_one_that_is_held(shop))
    place(shop, order("2"))
    post(shop)
    (stored,) = sales(shop)
    result = shop.run("queue", "settle", number, "--remote-id", stored["Guid"].upper())
    assert (result.code, f"{stored['Guid'].upper()} is 2 there" in result.err) == (65, True)


def test_an_order_that_a_person_has_posted_is_completed_too(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    (stored,) = sales(shop)
    shop.write("UPDATE outbox SET state = 'gave_up', remote_id = '' WHERE kind = 'orders'")
    number = shop.value("SELECT id FROM outbox WHERE kind = 'orders'")
    shop.ok("queue", "settle", str(number), "--remote-id", stored["Guid"])
    for _ in range(2):
        post(shop, SYNCCTL_UNLEASHED_STATUS="Completed")
    assert sales(shop)[0]["OrderStatus"] == "Completed"
    assert shop.value("SELECT count(*) FROM calls WHERE path LIKE '%/Complete'") == 1


def test_a_person_may_say_that_it_is_not_there(shop: Shop) -> None:
    place(shop, order("1"))
    shop.upstream.fault("drop-before", match={"method": "POST", "path": "/SalesOrders"})
    post(shop)
    (row,) = listed(shop)
    assert row["state"] == "sending"
    shop.ok("queue", "settle", str(row["id"]), "--not-created")
    assert post(shop)["posted"] == 1
    assert arrived(shop) == once(["1"])


UNSENT = {
    "UPDATE outbox SET tries = tries": "it was refused (line 1 has the tax rate 0.20, for which there is no code",
    "UPDATE outbox SET state = 'gave_up', message = 'it cannot be'": "it is given up (it cannot be); to try it all the",
    "UPDATE outbox SET state = 'skipped', message = 'dropped by hand'": "it is skipped (dropped by hand); to try it a",
    "UPDATE outbox SET state = 'sending', message = ''": "nobody knows whether it arrived; it is looked for from 20",
    "UPDATE outbox SET state = 'done', remote_id = 'so-7'": "it is posted already, as so-7; see syncctl explain order.",
    "UPDATE orders SET status = 'pending'": "its status is pending, and orders are posted that are completed, paid (",
}


@pytest.mark.parametrize("change", UNSENT)
def test_a_named_order_that_is_not_sent_is_told_with_what_would_send_it(shop: Shop, change: str) -> None:
    number = place_one_that_is_held(shop)
    shop.write("DROP TRIGGER orders_mended")
    shop.write(change)
    result = shop.run("post-invoices", "--order", "1", "--order", "1")
    assert (result.code, result.err.count("\n")) == (0, 1)
    assert f"unleashed: 1: {UNSENT[change]}" in result.err
    again = f"syncctl queue retry {number} && syncctl retry-queue"
    assert (again in result.err) == ("to try it" in UNSENT[change] or "refused" in UNSENT[change])


def test_a_named_order_that_no_status_lets_out_is_told(shop: Shop) -> None:
    place(shop, order("1", status="pending"), order("2"))
    result = shop.run("post-invoices", "--order", "1", "--order", "2")
    assert "1: its status is pending" in result.err
    assert (result.err.count("\n"), arrived(shop)) == (1, once(["2"]))


def test_an_order_of_before_says_since_when_orders_are_posted_and_what_posts_it(shop: Shop) -> None:
    place(shop, order("A 1", placed_at="2026-11-22T20:00:00Z"))
    post(shop, SYNCCTL_UNLEASHED_POST_SINCE="2026-11-24")
    told = shop.ok("explain", "order", "A 1").out
    assert "it was placed before 2026-11-24 00:00, and unleashed is posted to since then." in told
    assert "run syncctl post-invoices --order 'A 1', or set SYNCCTL_UNLEASHED_POST_SINCE to its day." in told
    assert post(shop, "--order", "A 1", SYNCCTL_UNLEASHED_POST_SINCE="2026-11-24")["posted"] == 1


@pytest.mark.parametrize("state", ["due", "gave_up"])
def test_an_order_that_the_shop_mends_is_posted_with_the_next_run(shop: Shop, state: str) -> None:
    place_one_that_is_held(shop)
    shop.write(f"UPDATE outbox SET state = '{state}'")
    shop.write("UPDATE order_lines SET tax_rate = '0.15'")
    shop.write("UPDATE orders SET total = '11.50'")
    assert post(shop)["posted"] == 1


def test_an_order_that_the_shop_changes_in_vain_loses_no_try(shop: Shop) -> None:
    place_one_that_is_held(shop)
    for _ in range(3):
        shop.write("UPDATE orders SET note = coalesce(note, '') || 'x'")
        post(shop)
    assert shop.rows("SELECT outcome FROM attempts") == [("refused",)] * 4
    assert shop.value("SELECT tries FROM outbox") == 1


def test_an_order_that_is_written_as_it_was_waits_for_its_time(shop: Shop) -> None:
    place_one_that_is_held(shop)
    shop.write("UPDATE orders SET note = note, total = total, status = status")
    assert (post(shop)["errors"], len(shop.rows("SELECT 1 FROM attempts"))) == ([], 1)


def test_a_status_that_only_moves_on_is_told_with_what_ends_that(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    shop.write("UPDATE orders SET status = 'shipped'")
    for told in (shop.ok("queue", "list", "--changed").out, shop.ok("explain", "order", "1").out):
        assert "and moved on since: its status in the shop is shipped now. Nothing is changed in unleashed by" in told
        assert "there by hand, or add shipped to SYNCCTL_POST_STATUSES if it only comes after them." in told
    assert shop.ok("explain", "order", "1", "--json").json()["records"][0]["cause"] == "moved-on"
    shop.extra["SYNCCTL_POST_STATUSES"] = "paid,completed,shipped"
    assert not listed(shop, "--changed")
    assert "since" not in shop.ok("explain", "order", "1").out


ALTERED = {
    "UPDATE orders SET total = '12.50'": ("changed", "its total in the shop is 12.50 NZD now, and was 11.50 NZD"),
    "UPDATE order_lines SET sku = 'CAP'": ("changed", "lines, payments, customer or note are others now, at the same"),
    "UPDATE orders SET status = 'cancelled'": ("cancelled", "its status in the shop is cancelled now"),
    "UPDATE orders SET number = '2'": ("deleted", "the shop has no such order any more"),
    "DELETE FROM orders": ("deleted", "the shop has no such order any more"),
}


@pytest.mark.parametrize("change", ALTERED)
def test_orders_that_change_after_they_were_posted_are_told_with_what_changed(shop: Shop, change: str) -> None:
    place(shop, order("1"))
    post(shop)
    assert not listed(shop, "--changed")
    shop.write(change)
    (row,) = listed(shop, "--changed")
    cause, message = ALTERED[change]
    assert (row["cause"], message in row["message"]) == (cause, True)
    told = shop.ok("queue", "list", "--changed").out
    assert f"order 1: posted as {row['remote_id']}, and {cause} since: " in told
    by_hand = "correct" if cause == "changed" else "cancel or credit"
    assert f"Nothing is changed in unleashed by itself: {by_hand} {row['remote_id']} there by hand." in told


def test_nothing_of_a_change_is_carried_to_the_service(shop: Shop) -> None:
    place(shop, order("1"), order("2"))
    post(shop)
    before = sales(shop)
    shop.write("UPDATE orders SET total = '12.50' WHERE number = '1'")
    shop.write("UPDATE orders SET status = 'cancelled' WHERE number = '2'")
    post(shop)
    assert sales(shop) == before


@pytest.mark.parametrize(
    "changes",
    [
        ["UPDATE orders SET status = 'completed'"],
        ["UPDATE orders SET status = 'cancelled'", "UPDATE orders SET status = 'paid'"],
        ["UPDATE orders SET customer_id = NULL"],
    ],
)
def test_what_changes_nothing_in_the_end_is_not_told(shop: Shop, changes: list[str]) -> None:
    place(shop, order("1"))
    post(shop)
    for change in changes:
        shop.write(change)
    assert not listed(shop, "--changed")


def test_an_order_that_another_one_replaces_is_told(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    columns = "number, placed_at, currency, status, total"
    shop.write(f"REPLACE INTO orders ({columns}) SELECT {columns.replace('status', repr('new'))} FROM orders")
    assert [row["cause"] for row in listed(shop, "--changed")] == ["moved-on"]


@pytest.mark.parametrize(("path", "kind"), [("/Products", "product"), ("/Customers", "customer")])
def test_an_order_that_waits_for_something_unknown_says_when_it_is_asked_for(shop: Shop, path: str, kind: str) -> None:
    place(shop, order("1", line("NEW")))
    shop.upstream.fault("drop-before", match={"method": "POST", "path": path})
    post(shop)
    own, waiting = (shop.ok("explain", "order", "1").out, shop.ok("queue", "list").out)
    (when,) = re.findall(rf" {kind} .*: unknown.* Next look for it there (\S+Z)\.", waiting)
    assert re.search(rf"waiting \(unknown\): .*its {kind} .* The first run after {when} asks the service for it", own)


def test_nothing_is_changed_while_a_run_posts(shop: Shop) -> None:
    number = place_one_that_is_held(shop)
    with hold(
        shop.state, "unleashed-push", Holder("syncctl post-invoices", 1, 9, "2026-11-23T00:00:00Z"), clock=SystemClock()
    ):
        assert shop.run("queue", "drop", str(number)).code == 75
        assert shop.run("post-invoices").code == 75
    assert len(listed(shop)) == 1


def test_an_order_is_explained(shop: Shop) -> None:
    place(shop, order("1"))
    post(shop)
    told = shop.ok("explain", "order", "1", "--json").json()
    record, *_ = told["records"]
    assert (told["shop"]["status"], record["state"]) == ("paid", "done")
    assert record["attempts"][0]["path"].startswith("/SalesOrders/")
    assert "posted" in shop.ok("explain", "order", "1").out
    assert shop.run("explain", "order", "9").code == 65


def test_an_order_is_explained_with_what_was_created_for_it(shop: Shop) -> None:
    number = customer(shop, code="C-77", email="c77@shop.test")
    place(shop, order("1", line("NEW-1")), order("2", line("NEW-2"), customer_id=number, customer={"code": "C-77"}))
    post(shop)
    for key, sku in (("1", "NEW-1"), ("2", "NEW-2")):
        told = shop.ok("explain", "order", key, "--json").json()["records"]
        assert [row["kind"] for row in told] == ["orders", "customers", "products"]
        assert told[2]["key"] == sku
        assert all(row["attempts"][0]["path"].startswith(f"/{row['kind'].title()}") for row in told[1:])
    assert " product NEW-1: done as " in shop.ok("explain", "order", "1").out


def test_a_dry_run_tells_the_cost_and_makes_no_call(shop: Shop) -> None:
    place(shop, order("1"), order("2", line("NEW")))
    before = shop.upstream.calls()
    told = shop.ok("post-invoices", "--dry-run", "--json").only()
    assert shop.upstream.calls() == before
    assert shop.value("SELECT count(*) FROM outbox") == 0
    assert (told["minimum"], told["expected"]) == (2, 8)
    assert post(shop)["calls"] == 8


def test_a_person_is_told_of_the_failure_and_of_the_recovery(shop: Shop) -> None:
    """Whether and when it is mailed is for the mail to know; here is what it has to go by."""
    addresses = {"SYNCCTL_MAIL_TO": "a@x.test", "SYNCCTL_MAIL_FROM": "b@x.test"}
    shop.extra |= addresses | {"SYNCCTL_SMTP_URL": "smtp://127.0.0.1:9"}
    noted = "SELECT what, record, cause FROM mailed WHERE record = '1'"
    number = place_one_that_is_held(shop)
    assert shop.rows(noted) == [("failed", "1", "tax-unmapped")]
    assert shop.value("SELECT command FROM mailed WHERE record = '1'").startswith(f"syncctl queue retry {number}")
    for _ in range(2):
        shop.run("retry-queue", "--now", SYNCCTL_RETRY="1h,1h")
    assert shop.rows(noted) == [("gave_up", "1", "tax-unmapped")]
    shop.write("UPDATE mailed SET mailed_at = 1")
    shop.write("UPDATE order_lines SET tax_rate = '0.15'")
    shop.write("UPDATE orders SET total = '11.50'")
    shop.ok("queue", "retry", str(number))
    shop.run("retry-queue")
    assert shop.rows(noted) == [("recovered", "1", "tax-unmapped")]


def test_a_lost_state_is_not_made_anew_by_posting(shop: Shop) -> None:
    for file in shop.folder.glob("syncctl.db*"):
        file.unlink()
    assert shop.run("post-invoices").code == 74
    assert not shop.state.exists()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"SYNCCTL_TIMEZONE": "Mars/Base"}, "no time zone"),
        ({"SYNCCTL_UNLEASHED_POST_SINCE": "2026-02-30"}, "no day 2026-02-30"),
        ({"SYNCCTL_UNLEASHED_ROLES": "products"}, "no connector has the role invoices"),
        (
            {"SYNCCTL_CONNECTORS": "unleashed,nz:unleashed", "SYNCCTL_NZ_API_ID": "x", "SYNCCTL_NZ_API_KEY": "y",
             "SYNCCTL_NZ_ROLES": "invoices"},
            "SYNCCTL_POST_TO_ALL=yes",
        ),
    ],
)  # fmt: skip
def test_what_nobody_may_guess_is_asked_for(shop: Shop, settings: dict[str, str], word: str) -> None:
    result = shop.run("post-invoices", **settings)
    assert (result.code, word in result.err) == (78, True), result


def created_for_order(shop: Shop, number: str, sku: str, code: str) -> None:
    """An order of somebody and something that neither side had before."""
    place(shop, order(number, line(sku), customer={"code": code, "email": f"{code}@shop.test"}))
    post(shop)


@pytest.mark.parametrize(("kind", "key"), [("product", "NEW-1"), ("customer", "C-78")])
@pytest.mark.parametrize("is_read", [False, True], ids=["before a read", "after a read"])
def test_what_syncctl_created_is_known_with_its_call_and_order(
    shop: Shop, kind: str, key: str, *, is_read: bool
) -> None:
    created_for_order(shop, "1", "NEW-1", "C-78")
    for command in ("sync-recent", "sync-customers") if is_read else ():
        shop.ok(command)
    (row,) = shop.ok("explain", kind, key, "--json").json()["created"]
    (call,) = [each["call"] for each in row["attempts"]]
    assert (row["state"], row["order"]) == ("done", "1")
    assert f"/{kind.title()}s/" in shop.value(f"SELECT path FROM calls WHERE id = {call}")
    assert re.search(rf"for order 1: posted, run \d+ \(call\s+{call}: POST", shop.ok("explain", kind, key).out)


def test_links_show_what_was_created_and_not_read_yet(shop: Shop) -> None:
    created_for_order(shop, "1", "NEW-1", "C-78")
    for kind, key in (("product", "NEW-1"), ("customer", "C-78")):
        (row,) = shop.ok("links", "show", kind, key, "--json").json()["created"]
        told = shop.ok("links", "show", kind, key).out
        assert f"{row['remote_id']}, created by syncctl for order 1; not linked" in told
    shop.ok("sync-recent")
    assert "not linked" not in shop.ok("links", "show", "product", "NEW-1").out


def test_an_order_is_explained_with_the_rule_that_found_its_customer(shop: Shop) -> None:
    number = customer(shop, code="C-77", email="known@shop.test")
    for code, email in (("THEIRS", "known@shop.test"), ("GUEST", "guest@shop.test")):
        shop.upstream.put("customers", {"CustomerCode": code, "CustomerName": code, "Email": email})
    place(shop, order("1", customer_id=number), order("2", customer={"email": "guest@shop.test", "name": "Jo"}))
    place(shop, order("3", customer={"code": "C-80"}), order("4", customer={"code": "C-80"}))
    post(shop)
    for key, words in {
        "1": r"THEIRS, [-\w]+, linked to C-77 by e-mail address \(run \d+\)\n",
        "2": r"GUEST, [-\w]+, found by the code or e-mail address of the order\n",
        "3": r"C-80, [-\w]+, created by syncctl for it\n",
        "4": r"C-80, [-\w]+, created by syncctl for order 3\n",
    }.items():
        assert re.search(f"its customer there: {words}", shop.ok("explain", "order", key).out), key


def test_an_order_that_an_outage_keeps_from_being_tried_says_so(shop: Shop) -> None:
    place(shop, order("1", customer={"code": "C-81"}))
    shop.upstream.fault("500", "^/Customers", times=None)
    assert shop.run("post-invoices").code == 69
    (row,) = listed(shop)
    run = shop.value("SELECT max(id) FROM runs")
    assert row["message"].startswith(f"run {run} of 20")
    assert row["call"] == shop.value("SELECT max(id) FROM calls")
    why = rf"run {run} of \S+ stopped before it was sent: .*500.*\(call {row['call']}\)"
    for command in (("queue", "list"), ("queue", "show", str(row["id"])), ("explain", "order", "1")):
        assert re.search(rf"order 1: due: {why}\. The next run tries it", shop.ok(*command).out)


def test_a_posted_order_still_tells_of_the_runs_that_an_outage_stopped(shop: Shop) -> None:
    place(shop, order("1", customer={"code": "C-82"}))
    shop.upstream.fault("500", "^/Customers", times=None)
    calls = []
    for _ in range(3):
        assert shop.run("post-invoices").code == 69
        calls.append(shop.value("SELECT max(id) FROM calls"))
    shop.upstream.request("DELETE", "faults")
    assert shop.run("post-invoices").code == 0
    told = shop.ok("explain", "order", "1").out
    assert re.search(rf"run \d+: stopped: .*500.*\(call {calls[0]}: GET /Customers.*\n.*the same, 2 runs since\n", told)
    assert told.index("stopped") < told.index(": posted")
    tries = shop.ok("explain", "order", "1", "--json").json()["records"][0]["attempts"]
    assert [each["call"] for each in tries if each["outcome"] == "stopped"] == calls
    place(shop, order("2", customer={"code": "C-82"}))
    assert shop.run("post-invoices").code == 0
    assert "stopped" not in shop.ok("explain", "order", "2").out


def test_a_new_order_that_an_old_one_holds_says_which_and_how_it_goes_alone(shop: Shop) -> None:
    settings = {"SYNCCTL_UNLEASHED_POST_SINCE": "2026-01-01"}
    place(shop, order("R-OLD", placed_at="2026-02-03T00:00:00Z"), order("R-NEW"))
    assert shop.run("post-invoices", **settings).code == 65
    told = shop.ok("explain", "order", "R-NEW", **settings).out
    assert "the oldest is R-OLD of 2026-02-03T00:00:00Z; to post this one alone, run syncctl post-invoices" in told
    assert told.rstrip().endswith("--order R-NEW")
    assert shop.run("post-invoices", "--order", "R-NEW", **settings).code == 0
    assert states(shop) == {"done": 1}
