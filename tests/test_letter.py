"""The text of a mail: who, how many, why, what to do; and nothing that could become a header."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta

import pytest
from conftest import NOON
from hypothesis import given
from hypothesis import strategies as st

from syncctl.mail.event import RECORD, Event, retry_command
from syncctl.mail.letter import letter
from syncctl.mail.smtp import message
from syncctl.settings.mail import Mail

MAIL = Mail("smtp", "127.0.0.1", 25, "", "", "cron@shop.test", ("ops@shop.test", "boss@shop.test"), 120)
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
LOCKED = Event(
    "failed", "xero", "locked-period", "order 1", "The period is locked", "Open it", NOON + timedelta(hours=1),
    "syncctl retry-queue --connector xero",
)  # fmt: skip


def orders(number: int) -> list[Event]:
    return [LOCKED.changed(record=f"order {each}") for each in range(number)]


def body(*events: Event) -> str:
    return letter(events, "demo", "shop1", NOON).body


def test_a_hundred_orders_that_fail_for_one_reason_are_one_group() -> None:
    made = letter(orders(100), "demo", "shop1", NOON)
    assert made.subject == "syncctl demo: 100 failed (xero: locked-period)"
    assert made.body.count("The period is locked") == 1
    assert made.body.count("- order ") == 20
    assert "and 80 more" in made.body
    assert len(made.body.splitlines()) < 35


def test_the_number_of_the_call_makes_no_reason_of_its_own() -> None:
    refused = [
        LOCKED.changed(record=f"order {each}", message=f"The service refuses call {each + 65} with 400: no such tax")
        for each in range(3)
    ]
    text = body(*refused)
    assert "  Reason: The service refuses it with 400: no such tax\n" in text
    assert text.count("no such tax") == 1
    assert "  - order 1: call 66\n" in text
    unread = [each.changed(cause=RECORD) for each in refused]
    assert len({each.topic for each in unread}) == 1


def test_a_group_tells_why_what_to_do_when_and_how() -> None:
    text = body(LOCKED)
    for line in (
        "xero: 1 failed (locked-period)",
        "  Reason: The period is locked",
        "  What to do: Open it",
        "  Tried next: 2026-11-23T13:00:00Z",
        "  To try now: syncctl retry-queue --connector xero",
        "  - order 1",
    ):
        assert f"{line}\n" in text


def test_one_command_tries_all_of_a_cause_and_the_records_are_sorted() -> None:
    held = [LOCKED.changed(record=str(key), command=retry_command(key)) for key in (10, 9, 100)]
    text = body(*held)
    assert "  To try now: syncctl queue retry --all --cause locked-period --connector xero" in text
    assert "queue retry 9" not in text
    assert re.findall("^  - (.*)$", text, re.MULTILINE) == ["9", "10", "100"]


def test_what_is_not_common_stands_with_its_record() -> None:
    other = LOCKED.changed(record="order 2", message="No such SKU: MUG", next_try=NOON + timedelta(hours=2))
    text = body(LOCKED, other)
    assert "  - order 2: No such SKU: MUG\n" in text
    assert "Reason" not in text
    assert "  Tried next: from 2026-11-23T13:00:00Z to 2026-11-23T14:00:00Z\n" in text


@pytest.mark.parametrize(
    ("event", "when"),
    [
        (LOCKED.changed(what="gave_up"), "Tried next: not by itself any more"),
        (LOCKED.changed(next_try=None), "Tried next: with the next run"),
    ],
)
def test_when_it_is_tried_next(event: Event, when: str) -> None:
    assert when in body(event)


@pytest.mark.parametrize("event", [LOCKED.changed(what="recovered"), LOCKED.changed(cause=RECORD, next_try=None)])
def test_no_next_try_is_told_where_there_is_none(event: Event) -> None:
    assert "Tried next" not in body(event)


def test_the_subject_names_what_was_given_up_first() -> None:
    events = [LOCKED.changed(what="recovered"), LOCKED, LOCKED.changed(what="gave_up", connector="vend")]
    assert letter(events, "demo", "h", NOON).subject == (
        "syncctl demo: 1 given up (vend: locked-period), 1 failed (xero: locked-period),"
        " 1 recovered (xero: locked-period)"
    )


TEXT = st.text() | st.sampled_from(
    ["a\r\nBcc: x@y.z", "\n\n<b>", "=?utf-8?q?=0ABcc:_x@y.z?=", "\ud800", "\x00", "\u2028a"]
)
EVENTS = st.builds(
    Event,
    what=st.sampled_from(["failed", "gave_up", "recovered"]),
    **dict.fromkeys(("connector", "cause", "record", "message", "remedy", "command", "waits"), TEXT),
)


@given(st.lists(EVENTS, min_size=1, max_size=4), TEXT)
def test_no_text_becomes_a_header(events: list[Event], host: str) -> None:
    made = message(letter(events, "demo", host, NOON), MAIL, "demo", NOON).as_bytes(policy=email.policy.SMTP)
    arrived = email.message_from_bytes(made, policy=email.policy.default)
    assert sorted(arrived.keys()) == sorted(HEADERS)
    assert arrived["To"] == "ops@shop.test, boss@shop.test"
    assert not arrived["Subject"].defects
    assert not arrived.is_multipart()
