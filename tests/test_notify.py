"""Mails at the end of a run: what the person in charge gets, and what cron then no longer prints."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from conftest import Result, Shop, StillClock
from postbox import Postbox, serving
from test_cli import no_tls
from test_pull_guards import delete

from syncctl.mail.event import Event
from syncctl.mail.notify import Notifier
from syncctl.models import Problem, Purpose, iso, to_ms
from syncctl.run import Run
from syncctl.settings.config import load
from syncctl.state.database import open_database
from syncctl.state.locks import Holder, hold
from syncctl.state.mailed import Mailed
from syncctl.tally import Tally

WRONG_KEY = {"SYNCCTL_UNLEASHED_API_KEY": "wrong"}
BAD_PRICE = {"ProductCode": "BAD", "DefaultSellPrice": "a lot"}


@pytest.fixture
def box() -> Iterator[Postbox]:
    with serving(Postbox()) as running:
        yield running


@pytest.fixture
def mailing(shop: Shop, box: Postbox) -> Shop:
    """A shop that has read everything, with a mail server."""
    shop.ok("sync-recent")
    shop.extra = box.env()
    return shop


def silent(shop: Shop, code: int, *args: str, **settings: str) -> None:
    """Runs a command that leaves nothing for cron to mail."""
    result = shop.run(*args, **settings)
    assert (result.code, result.out, result.err) == (code, "", "")


def refused_credentials(shop: Shop, *args: str, **settings: str) -> Result:
    return shop.run("sync-recent", *args, **WRONG_KEY, **settings)


def test_refused_credentials_are_mailed_when_they_begin_and_when_they_end(mailing: Shop, box: Postbox) -> None:
    silent(mailing, 77, "sync-recent", **WRONG_KEY)
    mail = box.only()
    assert mail["Subject"] == "syncctl demo: 1 failed (unleashed: credentials)"
    assert mail["To"] == "ops@shop.test, boss@shop.test"
    text = mail.get_content()
    assert "What to do: Check SYNCCTL_UNLEASHED_API_ID and SYNCCTL_UNLEASHED_API_KEY" in text
    assert f"To try now: syncctl sync-recent --env-file {mailing.folder / '.env'} --connector unleashed" in text
    silent(mailing, 77, "sync-recent", **WRONG_KEY)
    silent(mailing, 77, "sync-oldest", **WRONG_KEY)
    assert not box.take()
    silent(mailing, 0, "sync-oldest")
    assert box.only()["Subject"] == "syncctl demo: 1 recovered (unleashed: credentials)"
    silent(mailing, 0, "sync-recent")
    assert not box.take()
    assert mailing.rows("SELECT * FROM mailed") == []


def test_no_secret_is_mailed(mailing: Shop, box: Postbox) -> None:
    mailing.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="credentials")
    assert box.only()["Subject"] == "syncctl demo: 1 failed (unleashed: ***)"


def test_a_wrong_setting_of_one_connector_is_mailed(mailing: Shop, box: Postbox) -> None:
    silent(mailing, 78, "sync-recent", SYNCCTL_UNLEASHED_API_KEY="")
    assert "SYNCCTL_UNLEASHED_API_KEY is not set" in box.only().get_content()


def test_an_outage_is_mailed_only_when_it_lasts(mailing: Shop, box: Postbox) -> None:
    down = {"SYNCCTL_UNLEASHED_BASE_URL": no_tls(mailing)}
    mailing.write("DELETE FROM accounts")
    silent(mailing, 69, "sync-recent", **down)
    silent(mailing, 69, "sync-recent", **down)
    assert not box.take()
    mailing.write("UPDATE mailed SET due_at = due_at - 7200 * 1000")
    silent(mailing, 69, "sync-recent", **down)
    assert box.only()["Subject"] == "syncctl demo: 1 failed (unleashed: unavailable)"


def test_an_outage_that_passes_is_never_mailed(mailing: Shop, box: Postbox) -> None:
    mailing.write("DELETE FROM accounts")
    silent(mailing, 69, "sync-recent", SYNCCTL_UNLEASHED_BASE_URL=no_tls(mailing))
    mailing.write("DELETE FROM accounts")
    silent(mailing, 0, "sync-recent")
    mailing.write("UPDATE mailed SET due_at = 1")
    silent(mailing, 0, "sync-recent")
    assert not box.take()


def test_bad_records_are_one_mail_and_each_is_told_once(mailing: Shop, box: Postbox) -> None:
    mailing.upstream.put("products", BAD_PRICE, BAD_PRICE | {"ProductCode": "WORSE"})
    silent(mailing, 65, "sync-recent")
    mail = box.only()
    assert mail["Subject"] == "syncctl demo: 2 failed (unleashed: record)"
    assert "- BAD" in mail.get_content()
    assert "- WORSE" in mail.get_content()
    silent(mailing, 65, "sync-recent", "--full")
    assert not box.take()
    mailing.upstream.put("products", BAD_PRICE | {"DefaultSellPrice": "nothing"})
    silent(mailing, 65, "sync-recent")
    assert "'nothing'" in box.only().get_content()


def test_a_refused_loss_is_over_with_the_next_full_read(mailing: Shop, box: Postbox) -> None:
    delete(mailing, 60)
    silent(mailing, 65, "sync-recent", "--full")
    assert box.only()["Subject"] == "syncctl demo: 1 failed (unleashed: loss)"
    silent(mailing, 0, "sync-recent")
    assert not box.take(), "reading what changed proves nothing"
    silent(mailing, 65, "sync-recent", "--full")
    silent(mailing, 0, "sync-recent", "--full", "--accept-loss")
    assert box.only()["Subject"] == "syncctl demo: 1 recovered (unleashed: loss)"


def test_a_mail_that_cannot_be_sent_is_told_and_sent_with_the_next_run(mailing: Shop, box: Postbox) -> None:
    with socket.socket() as deaf:  # nobody else gets its port meanwhile
        deaf.bind(("127.0.0.1", 0))
        nowhere = f"smtp://127.0.0.1:{deaf.getsockname()[1]}"
        result = refused_credentials(mailing, SYNCCTL_SMTP_URL=nowhere)
    assert result.code == 77
    assert result.err.startswith("syncctl: No mail was sent, the next run tries again: 127.0.0.1:")
    assert "Connection refused" in result.err
    assert "unleashed: the service refuses the credentials" in result.err.replace("The", "the")
    assert not box.take()
    silent(mailing, 77, "sync-recent", **WRONG_KEY)
    assert len(box.take()) == 1


def test_a_mail_whose_receipt_was_lost_is_sent_twice_and_never_lost(mailing: Shop, box: Postbox) -> None:
    box.hangs_up = True
    assert "No mail was sent" in refused_credentials(mailing).err
    box.hangs_up = False
    silent(mailing, 77, "sync-recent", **WRONG_KEY)
    assert len(box.take()) == 2


def test_one_of_two_recipients_is_refused(mailing: Shop, box: Postbox) -> None:
    box.refused = {"boss@shop.test"}
    (line,) = refused_credentials(mailing).err.splitlines()
    assert line.startswith("syncctl: The mail did not reach everybody: boss@shop.test: 550 5.1.1 nobody of that name.")
    assert box.take()
    silent(mailing, 77, "sync-recent", **WRONG_KEY)


def test_verbose_prints_what_was_mailed(mailing: Shop, box: Postbox) -> None:
    assert "refuses the credentials" in refused_credentials(mailing, "-v").err
    assert box.take()


def test_json_tells_what_was_mailed(mailing: Shop) -> None:
    assert "refuses the credentials" in refused_credentials(mailing, "--json").only()["errors"][0]["message"]


def test_without_a_mail_server_nothing_changes(mailing: Shop) -> None:
    mailing.extra = {}
    for _ in range(2):
        assert "refuses the credentials" in refused_credentials(mailing).err
    assert mailing.rows("SELECT * FROM mailed") == []


@pytest.mark.parametrize("args", [("sync-product", "MUG"), ("doctor",), ("status",), ("sync-recent", "--dry-run")])
def test_what_is_asked_by_hand_or_only_looks_mails_nothing(mailing: Shop, box: Postbox, args: tuple[str, ...]) -> None:
    mailing.run(*args, **WRONG_KEY)
    assert not box.take()


def test_a_lock_is_not_mailed(mailing: Shop, box: Postbox, clock: StillClock) -> None:
    holder = Holder("syncctl sync-recent", 1, 1, "2020-01-01T00:00:00Z")
    with hold(mailing.state, "unleashed", holder, clock=clock):
        assert "is locked by" in mailing.run("sync-recent").err
    assert not box.take()


def test_doctor_looks_at_the_mail_server(mailing: Shop, box: Postbox) -> None:
    where = f"127.0.0.1:{box.port} answers without encryption; mail goes to ops@shop.test, boss@shop.test"
    assert f"ok       syncctl: mail: {where}\n" in mailing.ok("doctor").out
    (check,) = mailing.ok("doctor", "--json").json()["mail"]
    assert (check["level"], check["message"]) == ("ok", where)
    assert not box.take()


def test_doctor_sends_a_test_mail_when_asked(mailing: Shop, box: Postbox) -> None:
    assert "a test was sent to ops@shop.test" in mailing.ok("doctor", "--mail").out
    assert box.only()["Subject"] == "syncctl demo: a test"
    result = mailing.run("doctor", "--mail", SYNCCTL_SMTP_URL="", SYNCCTL_MAIL_TO="")
    assert (result.code, "Set SYNCCTL_SMTP_URL" in result.out) == (78, True)


def test_doctor_finds_a_server_that_does_not_log_in(mailing: Shop, box: Postbox) -> None:
    login = {"SYNCCTL_SMTP_URL": f"smtp://me:s3cretword@127.0.0.1:{box.port}"}
    result = mailing.run("doctor", **login)
    assert result.code == 78
    assert "wrong    syncctl: mail: 127.0.0.1" in result.out
    assert "s3cretword" not in result.out + result.err


# What pushing notes together with its outcomes

ORDER = Event("failed", "xero", "locked-period", "order 1", "The period is locked", "Open it")


@pytest.fixture
def notifier(shop: Shop, box: Postbox, clock: StillClock) -> Iterator[Notifier]:
    config = load(environ=shop.env | box.env() | {"SYNCCTL_STATE": str(shop.state), "HOME": str(shop.folder)})
    database = open_database(config.state)
    assert config.mail
    yield Notifier(config, config.mail, Mailed(database), Run(1, Purpose.INVOICE, clock), "post-invoices")
    database.close()


def told(notifier: Notifier, *events: Event) -> Tally:
    """The tally of a run in which these happened."""
    tally = Tally("xero")
    tally.report([Problem(event.record, event.message, event.remedy) for event in events])
    with notifier.mailed.database.transaction():
        for event in events:
            notifier.mailed.note(event, to_ms(notifier.run.now()))
    notifier.tell([tally])
    return tally


def test_a_hundred_orders_that_fail_are_one_mail(notifier: Notifier, box: Postbox) -> None:
    orders = [ORDER.changed(record=f"order {number}") for number in range(100)]
    told(notifier, *orders)
    assert box.only()["Subject"] == "syncctl demo: 100 failed (xero: locked-period)"
    told(notifier, *orders)
    assert not box.take()
    told(notifier, *[order.changed(what="recovered") for order in orders[:98]], orders[98].changed(what="gave_up"))
    assert box.only()["Subject"] == "syncctl demo: 1 given up (xero: locked-period), 98 recovered (xero: locked-period)"


def test_what_was_mailed_of_an_order_is_not_printed_and_has_no_second_word(notifier: Notifier, box: Postbox) -> None:
    for _ in range(2):
        tally = told(notifier, ORDER)
        assert tally.mailed == set(tally.errors) != set()
    assert box.only().get_content().count("The period is locked") == 1


def test_a_signal_leaves_the_mail_to_the_next_run(notifier: Notifier, box: Postbox) -> None:
    notifier.run.stopping = True
    assert not told(notifier, ORDER).mailed, "so it is printed"
    assert not box.take()
    notifier.run.stopping = False
    told(notifier)
    assert len(box.take()) == 1


def test_two_runs_do_not_mail_at_once(notifier: Notifier, box: Postbox, clock: StillClock) -> None:
    with hold(notifier.config.state, "mail", Holder("syncctl x", 1, 1, iso(clock.now())), clock=clock):
        told(notifier, ORDER)
    assert not box.take()
    clock.time += timedelta(hours=1)
    told(notifier)
    assert len(box.take()) == 1
