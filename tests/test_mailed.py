"""What is news to a person, over all orders of failing, giving up and recovering, with and without a mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.mail.event import RECORD, Event, What
from syncctl.models import to_ms
from syncctl.state.database import Database, open_database
from syncctl.state.mailed import FORGET_AFTER_MS, Mailed

FAILED = Event("failed", "xero", "locked-period", "order 1", "The period is locked")
GIVEN_UP = FAILED.changed(what="gave_up")
RECOVERED = FAILED.changed(what="recovered", cause="", message="")


@pytest.fixture
def mailed(database: Database) -> Mailed:
    return Mailed(database)


def news(mailed: Mailed, *events: Event, at: int = 1, sent: bool = True) -> list[tuple[str, str, str]]:
    """What is mailed after these events."""
    with mailed.database.transaction():
        for event in events:
            mailed.note(event, at)
    due = mailed.due(at)
    if sent:
        with mailed.database.transaction():
            mailed.mark(due, at)
    return [(event.what, event.record, event.cause) for event in due]


def test_an_identical_refusal_is_mailed_once(mailed: Mailed) -> None:
    assert news(mailed, FAILED) == [("failed", "order 1", "locked-period")]
    assert news(mailed, FAILED.changed(message="The period is still locked")) == []


def test_another_cause_is_news_and_the_first_one_again_is_not(mailed: Mailed) -> None:
    other = FAILED.changed(cause="name-taken")
    assert [news(mailed, event) != [] for event in (FAILED, other, FAILED, other)] == [True, True, False, False]


def test_giving_up_is_news_once_and_once_more_after_it_was_tried_by_hand(mailed: Mailed) -> None:
    steps = (FAILED, GIVEN_UP, GIVEN_UP, FAILED, GIVEN_UP)
    assert [len(news(mailed, event)) for event in steps] == [1, 1, 0, 0, 1]


def test_recovery_is_news_where_the_failure_was(mailed: Mailed) -> None:
    assert news(mailed, RECOVERED) == []
    news(mailed, FAILED)
    assert news(mailed, RECOVERED) == [("recovered", "order 1", "locked-period")]
    assert news(mailed, RECOVERED) == []
    assert len(news(mailed, FAILED)) == 1, "a new failure is one"


def test_what_recovers_before_a_mail_was_sent_is_no_news(mailed: Mailed) -> None:
    news(mailed, FAILED, sent=False)
    assert news(mailed, RECOVERED) == []


def test_what_fails_again_before_its_recovery_was_mailed_is_no_news(mailed: Mailed) -> None:
    news(mailed, FAILED)
    news(mailed, RECOVERED, sent=False)
    assert news(mailed, FAILED) == []


def test_a_mail_that_was_not_sent_is_due_until_it_is(mailed: Mailed) -> None:
    assert news(mailed, FAILED, sent=False) == news(mailed, sent=False) == news(mailed) != []
    assert news(mailed) == []


def test_what_changes_while_it_is_mailed_stays_due(mailed: Mailed) -> None:
    news(mailed, FAILED, sent=False)
    due = mailed.due(1)
    news(mailed, GIVEN_UP, sent=False)
    with mailed.database.transaction():
        mailed.mark(due, 1)
    assert news(mailed) == [("gave_up", "order 1", "locked-period")]


def test_a_record_that_was_read_is_told_by_its_message_and_forgotten_in_the_end(mailed: Mailed) -> None:
    wrong = Event("failed", "unleashed", RECORD, "MUG", "its price 'x' is no number")
    steps = ((wrong, 1), (wrong, 2), (wrong.changed(message="has no SKU"), 3), (wrong, FORGET_AFTER_MS))
    assert [len(news(mailed, event, at=at)) for event, at in steps] == [1, 0, 1, 0]
    with mailed.database.transaction():
        mailed.forget(2 * FORGET_AFTER_MS + 1)
    assert len(news(mailed, wrong, at=2 * FORGET_AFTER_MS + 1)) == 1


def test_every_field_comes_back(mailed: Mailed) -> None:
    from conftest import NOON

    event = Event("failed", "xero", "c", "order é\ud800\n2", "a\x00b", "do", NOON, "syncctl retry-queue")
    with mailed.database.transaction():
        mailed.note(event, to_ms(NOON))
    assert mailed.due(to_ms(NOON)) == [event.changed(record="order é 2", message="a b")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(tmp_path_factory.mktemp("mailed") / "syncctl.db")
    yield database
    database.close()


WHATS: list[What] = ["failed", "gave_up", "recovered"]
STEPS = st.lists(st.tuples(st.sampled_from(WHATS), st.sampled_from("ab"), st.booleans()), max_size=12)


@given(STEPS)
def test_who_reads_the_mails_knows_how_things_stand(shared: Database, steps: list[tuple[What, str, bool]]) -> None:
    """However often the mail server is down; and no mail says what the reader knows already."""
    with shared.transaction() as sql:
        sql.execute("DELETE FROM mailed")
    mailed = Mailed(shared)
    failing: set[str] = set()  # as far as the reader knows
    given_up: set[str] = set()
    for what, cause, sent in steps:
        told = news(mailed, FAILED.changed(what=what, cause="" if what == "recovered" else cause), sent=sent)
        given_up -= {"failed": {cause}, "gave_up": set(), "recovered": set("ab")}[what]
        for event, _, why in told if sent else ():
            assert why not in {"failed": failing, "gave_up": given_up, "recovered": set()}[event]
            assert event != "recovered" or (what == event and why in failing)
        if sent:
            failing = set() if what == "recovered" else failing | {why for _, _, why in told}
            given_up |= {why for event, _, why in told if event == "gave_up"}
            assert what == "recovered" or cause in failing
