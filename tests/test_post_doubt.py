"""What this state cannot know of: an older copy of it, a lost one, another shop, a person who uses the same number."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import Shop
from offices import Office, back_up, lose_state
from posting import Json, moment, once, only_error, order, place

from syncctl.models import from_ms, iso
from syncctl.state.place import place_of

PATHS = {"unleashed": "/SalesOrders/%", "vend": "%/sales/%", "xero": "/Invoices%"}
CHANGES: dict[str, dict[str, Json]] = {
    "unleashed": {
        "its total is 99.00 and not 11.50": {"Total": 99},
        "is called web-7": {"SourceId": "web-7"},
        "its currency is AUD": {"Currency": {"CurrencyCode": "AUD"}},
        "voided or deleted": {"OrderStatus": "Deleted"},
    },
    "vend": {
        "its total is 99.00 and not 11.50": {"totals": {"price_incl_tax": 99}},
        "is called web-7": {"source": {"id": "web-7", "type": "syncctl"}},
        "voided or deleted": {"state": "voided"},
    },
    "xero": {
        "its total is 99.00 and not 11.50": {"Total": 99},
        "its currency is AUD": {"CurrencyCode": "AUD"},
        "voided or deleted": {"Status": "VOIDED"},
        "deleted": {"Status": "DELETED"},
    },
}


@pytest.fixture
def shop(office: Office) -> Shop:
    return office.shop


def restore(shop: Shop, *, locks: bool = True) -> None:
    """The copy takes the place of the state; the lock files that stand beside it stay, or are gone too."""
    lose_state(shop, locks=not locks)
    shutil.copy(shop.folder / "copy.db", shop.state)


def look_ups(office: Office) -> int:
    """How often the service was asked for an order."""
    sql = "SELECT count(*) FROM calls WHERE method = 'GET' AND path LIKE ?"
    count: int = office.shop.value(sql, PATHS[office.name])
    return count


def known(number: str, **more: object) -> Json:
    """An order of somebody with a code; Vend takes no customer for a guest."""
    return order(number, customer={"code": "C-1", "email": "jo@shop.test", "name": "Jo Example"}, **more)


def posted_from_a_lost_state(office: Office) -> Json:
    """An order is posted, the state is lost and built anew from the shop's orders."""
    placed = known("1001", placed_at=moment(days=2))
    office.shop.extra |= office.settings(POST_SINCE=moment(days=5)[:10])
    place(office.shop, placed)
    assert office.run().only()["posted"] == 1
    lose_state(office.shop)
    office.read()
    place(office.shop, placed)
    return placed


def test_a_new_order_is_posted_without_a_look(office: Office) -> None:
    place(office.shop, order("1001"))
    assert (office.run().only()["posted"], look_ups(office)) == (1, 0)


def test_a_lost_state_finds_what_it_has_posted(office: Office) -> None:
    posted_from_a_lost_state(office)
    before = office.writes()
    result = office.run().only()
    assert (result["posted"], result["found"], result["customers_created"]) == (0, 1, 0)
    assert (office.arrived(), office.writes()) == (once(["1001"]), before)


def test_an_order_of_before_the_state_is_posted_after_a_look(office: Office) -> None:
    office.shop.extra |= office.settings(POST_SINCE=moment(days=5)[:10])
    place(office.shop, order("1001", placed_at=moment(days=2)))
    assert (office.run().only()["posted"], look_ups(office)) == (1, 1)


def test_an_older_copy_finds_what_was_posted_since(office: Office) -> None:
    place(office.shop, known("1001"), order("1002"))
    back_up(office.shop)
    assert office.run().only()["posted"] == 2
    before = office.writes()
    restore(office.shop)
    result = office.run().only()
    assert (result["posted"], result["found"]) == (0, 2)
    assert (office.arrived(), office.writes()) == (once(["1001", "1002"]), before)


def test_an_older_copy_without_its_lock_files_finds_what_was_posted_since(office: Office) -> None:
    place(office.shop, known("1001"), order("1002"))
    back_up(office.shop)
    office.run()
    before = office.writes()
    lose_state(office.shop, locks=True)
    shutil.copy(office.shop.folder / "copy.db", office.shop.state)
    office.shop.write("UPDATE meta SET value = ? WHERE key = 'places'", place_of(str(office.shop.state)))
    assert office.run().only()["found"] == 2, "though the file has got the old one's number"
    assert (office.arrived(), office.writes()) == (once(["1001", "1002"]), before)
    since = "SELECT value FROM meta WHERE key = 'restored_at'"
    noticed = office.shop.value(since)
    office.run()
    assert office.shop.value(since) == noticed, "once"


def test_a_copy_of_the_whole_folder_finds_what_was_posted_since(office: Office, shop: Shop) -> None:
    place(shop, known("1001"), order("1002"))
    shop.ok("status")
    copied = Shop(shop.folder / "copy", shop.env, shop.upstream, shop.extra)
    shutil.copytree(shop.folder, copied.folder)
    office.run()
    assert Office(office.name, copied).run().only()["found"] == 2
    assert office.arrived() == once(["1001", "1002"])


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_a_state_on_another_machine_is_a_copy(office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a disk that is cloned."""
    place(shop, order("1001"))
    for machine in ("3d1219c7c4c5404aaa1f6d2a48adfda4", "8a1f6d2a48adfda43d1219c7c4c5404a"):
        (shop.folder / "machine-id").write_text(machine)
        monkeypatch.setattr("syncctl.state.place.MACHINE", str(shop.folder / "machine-id"))
        shop.ok("status")
        assert machine not in str(shop.rows("SELECT * FROM meta")), "it is nobody's business"
    assert office.run().only()["waiting"] == 1, "it is looked for until the service has settled"


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_where_the_file_gets_another_number_each_time_that_tells_nothing(office: Office, shop: Shop) -> None:
    """As on some network disks, of which each start of a container makes the numbers anew."""
    noticed = []
    for _ in range(12):
        shutil.copy(shop.state, shop.folder / "new")
        (shop.folder / "new").replace(shop.state)
        assert not shop.ok("status").err
        noticed.append(shop.value("SELECT value FROM meta WHERE key = 'restored_at'"))
    assert noticed[0] != noticed[1]
    assert noticed[-1] == noticed[-2]


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_an_older_copy_is_noticed_by_whatever_command_runs_first(office: Office) -> None:
    place(office.shop, order("1001"))
    back_up(office.shop)
    office.run()
    restore(office.shop)
    for _ in range(5):
        office.shop.ok("sync-recent")
    assert office.run().only()["found"] == 1


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_after_a_restoration_it_is_not_posted_before_the_service_has_settled(office: Office, shop: Shop) -> None:
    place(shop, order("1001"))
    back_up(shop)
    office.run("--order", "none")
    restore(shop)
    result = office.run().only()
    assert (result["posted"], result["waiting"]) == (0, 1)
    restored = iso(from_ms(int(shop.value("SELECT value FROM meta WHERE key = 'restored_at'"))))
    call = shop.value("SELECT max(id) FROM calls")
    why = rf"the state was restored at {restored}, and unleashed does not have it so far \(call {call}\); as"
    for command in (("queue", "list"), ("explain", "order", "1001")):
        assert re.search(why, shop.ok(*command).out)
    assert f"not there yet (call {call}: GET /Customers" in shop.ok("explain", "order", "1001").out
    shop.write("UPDATE meta SET value = value - 400000 WHERE key = 'restored_at'")
    shop.write("UPDATE outbox SET due_at = due_at - 400000")
    assert office.run().only()["posted"] == 1


@pytest.mark.parametrize(
    ("office", "word"), [(name, word) for name, words in CHANGES.items() for word in words], indirect=["office"]
)
def test_what_is_found_and_is_not_ours_holds_the_order(office: Office, word: str) -> None:
    posted_from_a_lost_state(office)
    office.change("1001", **CHANGES[office.name][word])
    before = office.records(office.form.kind)
    for _ in range(2):
        result = office.run()
        assert (result.code, result.only()["rejected"]) == (65, 1)
        assert word in only_error(result)["message"]
        office.shop.write("UPDATE outbox SET due_at = 0 WHERE state = 'due'")
    assert office.records(office.form.kind) == before


def test_two_shops_with_the_same_numbers_on_one_account(office: Office) -> None:
    place(office.shop, order("1001"))
    office.run()
    lose_state(office.shop)
    office.shop.extra["SYNCCTL_SHOP"] = "south"
    office.read()
    place(office.shop, order("1001"))
    assert office.run().only()["posted"] == 1
    assert (office.arrived(), office.arrived("south")) == (once(["1001"]), once(["1001"]))


@pytest.mark.parametrize(
    ("office", "theirs"),
    [("vend", {"invoice_number": "demo-1"}), ("unleashed", {"CustomerRef": "1"})],
    indirect=["office"],
    ids=str,
)
def test_somebodys_own_record_with_the_number_is_left_alone(office: Office, theirs: Json) -> None:
    """These numbers need not be unique: ours is known by its id."""
    kind, known = office.form.kind, {record[office.form.id] for record in office.records(office.form.kind)}
    office.upstream.put(kind, theirs)
    before = [record for record in office.records(kind) if record[office.form.id] not in known]
    place(office.shop, order("1"))
    assert office.run().only()["posted"] == 1
    assert office.arrived() == once(["1"])
    assert [record for record in office.records(kind) if record in before] == before


def test_runs_at_the_same_moment_post_each_order_once(office: Office) -> None:
    shop, numbers = office.shop, [str(number) for number in range(1001, 1009)]
    place(shop, *(order(number) for number in numbers))
    env = dict(os.environ) | shop.env | shop.extra | {"SYNCCTL_STATE": str(shop.state)}
    running = [
        subprocess.Popen([sys.executable, "-m", "syncctl", name, "--wait-lock", "300"], env=env, cwd=shop.folder)
        for name in ("post-invoices", "post-invoices", "retry-queue")
    ]
    assert [process.wait(300) for process in running] == [0, 0, 0]
    assert office.arrived() == once(numbers)
    assert shop.rows("SELECT DISTINCT state FROM outbox") == [("done",)]
    assert shop.rows("SELECT outbox FROM attempts GROUP BY outbox HAVING count(*) > 1") == []


@pytest.mark.parametrize("office", ["unleashed"], indirect=True)
def test_an_order_that_turns_out_to_be_posted_while_it_waits(office: Office, shop: Shop) -> None:
    place(shop, order("1001", currency="EUR"))
    office.run()
    shop.write("INSERT INTO posted_elsewhere SELECT id, 'unleashed', 'so-77' FROM orders")
    shop.run("retry-queue", "--now")
    assert shop.rows("SELECT state, remote_id FROM outbox WHERE kind = 'orders'") == [("done", "so-77")]


def test_an_order_posted_by_an_older_integration_is_left_alone(office: Office, shop: Shop) -> None:
    place(shop, order("1001"))
    shop.write("INSERT INTO posted_elsewhere SELECT id, ?, 'so-77' FROM orders", office.name)
    assert office.run().only()["posted"] == 0
    assert shop.rows("SELECT state, remote_id FROM outbox") == [("done", "so-77")]
