"""The ledger in one process: what is granted, what is refused and until when, what is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncctl.connectors.declared import Limit
from syncctl.errors import DeferredError, StateError
from syncctl.models import Purpose
from syncctl.state.database import Database, open_database
from syncctl.state.ledger import Ledger, Outcome, Reservation, Usage, WindowFullError

START = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
JUST_BEFORE_DECEMBER = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)
MS = timedelta(milliseconds=1)
COUNTED = [purpose for purpose in Purpose if purpose is not Purpose.AUTH]
names = (f"shop{number}" for number in count())


class HandClock:
    """Moved by hand; `true` is the time that really passed, whatever the clock was set to meanwhile."""

    def __init__(self, start: datetime = START) -> None:
        self.time = self.latest = start
        self.true = timedelta()

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.passes(timedelta(seconds=seconds))

    def passes(self, span: timedelta) -> None:
        self.true += span
        self.time += span
        self.latest = max(self.latest, self.time)

    def set_back(self, by: timedelta) -> None:
        self.time -= by


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "state.db"


@pytest.fixture(scope="module")
def database(path: Path) -> Iterator[Database]:
    """One file for all tests, each with a connector of its own; nothing here depends on syncing to the disk."""
    opened = open_database(path)
    opened.connection.execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(database: Database, clock: HandClock) -> Ledger:
    return Ledger(database, clock)


@pytest.fixture
def shop() -> str:
    return next(names)


def call(shop: str, *limits: Limit, purpose: Purpose = Purpose.INVOICE) -> Reservation:
    return Reservation(shop, limits, purpose, "GET", "Products/1", 1)


def drain(ledger: Ledger, wanted: Reservation, most: int = 1000) -> int:
    """How many calls, up to `most`, are granted before the first refusal."""
    for granted in range(most):
        try:
            ledger.reserve(wanted)
        except (DeferredError, WindowFullError):
            return granted
    return most


def refusal(ledger: Ledger, wanted: Reservation) -> DeferredError | WindowFullError:
    try:
        ledger.reserve(wanted)
    except (DeferredError, WindowFullError) as refused:
        return refused
    pytest.fail("the call was granted")


# Never over -----------------------------------------------------------------------------------------------------

WINDOWS = st.sampled_from([1, 7, 60, 900, "day", "month"])
LIMITS = st.builds(Limit, st.integers(1, 3), WINDOWS)
ASKS = st.tuples(st.sampled_from([Purpose.INVOICE, *COUNTED]), st.integers(1, 6))
SPANS = st.integers(0, 40 * 3_600_000).map(lambda ms: ms * MS)


def spans_around(limit: Limit) -> st.SearchStrategy[timedelta]:
    """Spans at which this window errs first, if it errs: about a whole one, about a slot; about midnight."""
    if isinstance(limit.window, int):
        slot = timedelta(seconds=limit.window) / 60
        return st.builds(
            lambda slots, off: slots * slot + off * MS, st.sampled_from([1, 59, 60, 61]), st.integers(0, 2)
        )
    return st.sampled_from([timedelta(seconds=1), timedelta(seconds=2), timedelta(hours=23)])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Limit], list[tuple[str, int | timedelta]]]:
    """Limits, and what happens: calls are asked for, time passes, the clock is set back, old counters are dropped."""
    limits = draw(st.lists(LIMITS, min_size=1, max_size=2))
    spans = st.one_of(SPANS, *map(spans_around, limits))
    turns = st.tuples(st.sampled_from(["pass", "pass", "back", "prune"]), spans)
    return limits, draw(st.lists(st.one_of(ASKS, turns), max_size=40))


@settings(max_examples=300, deadline=None)
@given(scene=scenes())
def test_no_window_ever_holds_more_than_its_limit(
    database: Database, scene: tuple[list[Limit], list[tuple[str, int | timedelta]]]
) -> None:
    limits, events = scene
    clock, shop = HandClock(JUST_BEFORE_DECEMBER), next(names)
    ledger = Ledger(database, clock)
    granted: list[HandClock] = []
    for what, amount in events:
        if isinstance(amount, int):
            number = drain(ledger, call(shop, *limits, purpose=Purpose(what)), amount)
            granted += [snapshot(clock)] * number
        elif what == "prune":
            ledger.drop_expired()
        elif what == "pass":
            clock.passes(amount)
        elif clock.latest - clock.time + amount <= DAY:  # what the ledger promises for calendar windows
            clock.set_back(amount)
    for limit in limits:
        assert_kept(limit, granted)


def snapshot(clock: HandClock) -> HandClock:
    copy = HandClock(clock.time)
    copy.true = clock.true
    return copy


def assert_kept(limit: Limit, granted: list[HandClock]) -> None:
    """Rolling windows in the time that truly passed, calendar ones by the date that the clock showed."""
    if isinstance(limit.window, int):
        spans = [later.true - first.true for first, later in zip(granted, granted[limit.calls :], strict=False)]
        assert min(spans, default=DAY) > timedelta(seconds=limit.window)
    else:
        form = {"day": "%Y-%m-%d", "month": "%Y-%m"}[limit.window]
        periods = Counter(moment.time.strftime(form) for moment in granted)
        assert max(periods.values(), default=0) <= limit.calls


@settings(max_examples=100, deadline=None)
@given(limit=LIMITS, spans=st.lists(SPANS, min_size=6, max_size=6))
def test_a_refused_call_fits_at_the_moment_that_the_refusal_names_and_not_before(
    database: Database, limit: Limit, spans: list[timedelta]
) -> None:
    clock, wanted = HandClock(), call(next(names), limit)
    ledger = Ledger(database, clock)
    for span in spans:
        clock.passes(span)
        drain(ledger, wanted, 2)
    drain(ledger, wanted)
    until = refusal(ledger, wanted).until
    clock.time = until - MS
    assert refusal(ledger, wanted).until == until
    clock.passes(MS)
    assert ledger.reserve(wanted)


@pytest.mark.parametrize("window", [1, 60, 3600])
@pytest.mark.parametrize("slots", [0, 0.99])
def test_a_call_counts_for_its_whole_window(
    ledger: Ledger, clock: HandClock, shop: str, window: int, slots: float
) -> None:
    whole, wanted = timedelta(seconds=window), call(shop, Limit(3, window))
    clock.passes(whole / 60 * slots)
    assert drain(ledger, wanted) == 3
    clock.passes(whole)
    assert drain(ledger, wanted) == 0
    clock.passes(whole / 60)
    assert drain(ledger, wanted) == 3


@pytest.mark.parametrize("window", [1, 60, 3600, "day", "month"])
@pytest.mark.parametrize("years", [1, 30])
def test_a_clock_that_was_years_ahead_blocks_for_one_window(
    ledger: Ledger, clock: HandClock, shop: str, window: int, years: int
) -> None:
    wanted = call(shop, Limit(3, window))
    clock.passes(years * 365 * DAY)
    assert drain(ledger, wanted) == 3
    clock.set_back(years * 365 * DAY)
    first = refusal(ledger, wanted).until
    clock.passes((first - clock.time) / 2)
    assert refusal(ledger, wanted).until == first, "the refusal forgot where it had put the calls"
    clock.passes(first - clock.time)
    assert drain(ledger, wanted) == 3


def test_a_day_is_not_spent_twice_by_a_clock_set_back_across_midnight(
    ledger: Ledger, clock: HandClock, shop: str
) -> None:
    wanted = call(shop, Limit(3, "day"))
    clock.time = datetime(2026, 12, 1, 0, 0, 5, tzinfo=UTC)
    assert drain(ledger, wanted) == 3
    clock.set_back(timedelta(seconds=10))
    ledger.drop_expired()
    assert drain(ledger, wanted) == 0
    clock.passes(timedelta(seconds=10))
    assert drain(ledger, wanted) == 0


def test_a_day_that_comes_back_is_still_spent(ledger: Ledger, clock: HandClock, shop: str) -> None:
    wanted = call(shop, Limit(3, "day"))
    assert drain(ledger, wanted) == 3
    clock.passes(timedelta(hours=3))
    assert drain(ledger, wanted, 1) == 1
    ledger.drop_expired()
    clock.set_back(timedelta(hours=2))
    assert drain(ledger, wanted) == 0


def test_the_clock_is_read_while_nobody_else_can_book(database: Database, shop: str) -> None:
    class Watched(HandClock):
        def now(self) -> datetime:
            assert database.connection.in_transaction
            return super().now()

    assert Ledger(database, Watched()).reserve(call(shop, Limit(3, 60)))


def test_a_refused_call_leaves_nothing_behind(ledger: Ledger, database: Database, shop: str) -> None:
    limits = (Limit(10, 60), Limit(2, "day"), Limit(10, "month"))
    assert drain(ledger, call(shop, *limits)) == 2
    assert drain(ledger, call(shop, *limits)) == 0
    assert [usage.used for usage in ledger.usage(shop, limits)] == [2, 2, 2]
    assert database.row("SELECT count(*) FROM calls WHERE connector = ?", shop)[0] == 2  # type: ignore[index]


def test_a_call_that_cannot_be_journalled_is_not_counted(ledger: Ledger, shop: str) -> None:
    wanted = Reservation(shop, (Limit(3, 60),), Purpose.INVOICE, "GET", None, 1)  # type: ignore[arg-type]
    with pytest.raises(StateError, match=r"calls\.path"):
        ledger.reserve(wanted)
    assert ledger.usage(shop, wanted.limits)[0].used == 0


def test_failed_calls_count_too(ledger: Ledger, shop: str) -> None:
    wanted = call(shop, Limit(2, 60))
    for _ in range(2):
        ledger.finish(ledger.reserve(wanted), Outcome(500, 12, 0, None, "broken"))
    assert drain(ledger, wanted) == 0


def test_a_window_added_to_the_settings_knows_the_calls_made_before(
    ledger: Ledger, clock: HandClock, shop: str
) -> None:
    month = Limit(100, "month")
    assert drain(ledger, call(shop, month), 3) == 3
    ledger.reserve(call(shop, purpose=Purpose.AUTH))
    clock.passes(timedelta(minutes=50))
    assert drain(ledger, call(shop, month), 4) == 4
    clock.passes(timedelta(minutes=20))
    assert drain(ledger, call(shop, month, Limit(10, 3600))) == 6
    assert drain(ledger, call(shop, month, Limit(20, "day"))) == 20 - 13


@pytest.mark.parametrize("window", [60, 3600, "day", "month"])
def test_a_window_that_left_the_settings_for_a_while_knows_the_calls_made_meanwhile(
    ledger: Ledger, clock: HandClock, shop: str, window: int
) -> None:
    away = Limit(12, window)
    assert drain(ledger, call(shop, away), 2) == 2
    ledger.correct(shop, away, 9)
    clock.passes(timedelta(seconds=10))
    assert drain(ledger, call(shop, Limit(60, 900)), 6) == 6
    assert drain(ledger, call(shop), 1) == 1
    ledger.drop_expired()
    (usage,) = ledger.usage(shop, [away])
    assert (usage.used, usage.others) == (2 + 6 + 1, 1)
    assert drain(ledger, call(shop, away)) == 12 - 10


# Who may use how much -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "granted"),
    [(100, [70, 10, 10, 5, 5]), (10, [7, 1, 1, 0, 1]), (3, [2, 0, 0, 0, 1]), (1, [0, 0, 1, 0, 0])],
)
@pytest.mark.parametrize("window", [3600, "day", "month"])
def test_lower_purposes_leave_calls_for_the_higher_ones(
    ledger: Ledger, shop: str, calls: int, granted: list[int], window: int
) -> None:
    limit = Limit(calls, window)
    upwards = reversed(COUNTED)
    assert [drain(ledger, call(shop, limit, purpose=purpose)) for purpose in upwards] == granted


@pytest.mark.parametrize("purpose", COUNTED)
def test_a_window_that_is_sat_out_is_shared_by_all(ledger: Ledger, shop: str, purpose: Purpose) -> None:
    assert drain(ledger, call(shop, Limit(10, 600), purpose=purpose)) == 10


def test_a_purpose_without_a_share_is_put_off_to_the_next_window(ledger: Ledger, shop: str) -> None:
    refused = refusal(ledger, call(shop, Limit(1, "day"), purpose=Purpose.OLDEST))
    assert refused.until == datetime(2026, 12, 1, tzinfo=UTC)


def test_token_requests_are_journalled_but_neither_counted_nor_blocked(
    ledger: Ledger, database: Database, shop: str
) -> None:
    limit = Limit(1, 60)
    ledger.reserve(call(shop, limit))
    ledger.block(shop, START + DAY, "enough")
    journal = ledger.reserve(call(shop, limit, purpose=Purpose.AUTH))
    row = database.row("SELECT * FROM calls WHERE id = ?", journal)
    assert row is not None
    assert (row["purpose"], row["method"], row["path"], row["run"]) == ("auth", "GET", "Products/1", 1)
    assert ledger.usage(shop, [limit])[0].used == 1


# Refusals -------------------------------------------------------------------------------------------------------


def test_the_refusal_of_a_long_window_names_window_and_time(ledger: Ledger, shop: str) -> None:
    limit = Limit(10, "month")
    drain(ledger, call(shop, limit))
    refused = refusal(ledger, call(shop, Limit(5, 60), limit))
    assert isinstance(refused, DeferredError)
    assert str(refused) == "10/10 calls of this month (UTC) are used; they go on at 2026-12-01T00:00:00Z"
    assert refused.until == datetime(2026, 12, 1, tzinfo=UTC)


def test_the_refusal_of_a_share_says_so(ledger: Ledger, shop: str) -> None:
    wanted = call(shop, Limit(10, 3600), purpose=Purpose.OLDEST)
    assert drain(ledger, wanted) == 7
    assert str(refusal(ledger, wanted)) == (
        "7/10 calls in 3600 s are used, and oldest calls end at 7; they go on at 2026-11-30T23:01:00Z"
    )


def test_a_full_short_window_is_sat_out(ledger: Ledger, clock: HandClock, shop: str) -> None:
    limit = Limit(2, 60)
    ledger.reserve(call(shop, limit))
    clock.passes(timedelta(seconds=10))
    ledger.reserve(call(shop, limit))
    refused = refusal(ledger, call(shop, limit, Limit(100, "day")))
    assert isinstance(refused, WindowFullError)
    assert (refused.limit, refused.until) == (limit, START + timedelta(seconds=61))
    clock.sleep((refused.until - clock.now()).total_seconds())
    assert drain(ledger, call(shop, limit)) == 1


def test_of_several_full_windows_the_longest_wait_is_named(ledger: Ledger, shop: str) -> None:
    limits = (Limit(2, 300), Limit(2, 60), Limit(2, 120))
    drain(ledger, call(shop, *limits))
    refused = refusal(ledger, call(shop, *limits))
    assert isinstance(refused, WindowFullError)
    assert refused.limit == limits[0]
    assert isinstance(refusal(ledger, call(shop, *limits, Limit(2, 3600))), DeferredError)


def test_two_limits_on_one_window_count_a_call_once(ledger: Ledger, shop: str) -> None:
    assert drain(ledger, call(shop, Limit(4, 60), Limit(9, 60))) == 4


# Blocks ---------------------------------------------------------------------------------------------------------


def test_a_block_is_remembered_by_the_next_run(ledger: Ledger, path: Path, shop: str) -> None:
    until = START + timedelta(hours=3)
    ledger.block(shop, until, "the service says 429")
    another = open_database(path)
    following = Ledger(another, HandClock())
    refused = refusal(following, call(shop, Limit(3, 60)))
    assert following.blocked(shop) == (until, "the service says 429")
    another.close()
    assert isinstance(refused, DeferredError)
    assert refused.until == until
    assert str(refused) == "the service says 429; calls go on at 2026-12-01T01:00:00Z"


def test_a_block_ends_by_itself(ledger: Ledger, clock: HandClock, shop: str) -> None:
    ledger.block(shop, START + DAY, "x")
    clock.passes(DAY)
    assert ledger.blocked(shop) is None
    assert ledger.reserve(call(shop))


def test_a_shorter_block_does_not_replace_a_longer_one(ledger: Ledger, shop: str) -> None:
    ledger.block(shop, START + DAY, "month used up")
    ledger.block(shop, START + MS, "slow down")
    assert ledger.blocked(shop) == (START + DAY, "month used up")
    ledger.block(shop, START + 2 * DAY, "still used up")
    assert ledger.blocked(shop) == (START + 2 * DAY, "still used up")


def test_a_block_learnt_by_a_clock_that_was_ahead_lasts_as_long_as_it_was_meant_to(
    ledger: Ledger, clock: HandClock, shop: str
) -> None:
    clock.passes(1000 * DAY)
    ledger.block(shop, clock.now() + DAY, "x")
    clock.set_back(1000 * DAY)
    assert refusal(ledger, call(shop)).until == START + DAY
    clock.passes(DAY / 2)
    assert refusal(ledger, call(shop)).until == START + DAY
    assert ledger.blocked(shop) == (START + DAY, "x")
    clock.passes(DAY / 2)
    assert ledger.reserve(call(shop))


def test_a_block_from_a_wrong_clock_gives_way_to_a_new_one(ledger: Ledger, clock: HandClock, shop: str) -> None:
    clock.passes(1000 * DAY)
    ledger.block(shop, clock.now() + DAY, "x")
    clock.set_back(1000 * DAY)
    ledger.block(shop, START + MS, "slow down")
    assert ledger.blocked(shop) == (START + MS, "slow down")


# What the service says, and what status shows -------------------------------------------------------------------


def test_calls_that_others_made_are_booked_once(ledger: Ledger, clock: HandClock, shop: str) -> None:
    limit = Limit(100, "month")
    drain(ledger, call(shop, limit), 5)
    ledger.correct(shop, limit, 40)
    ledger.correct(shop, limit, 40)
    left = Usage(limit, used=5, others=55, left=40, frees_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert ledger.usage(shop, [limit]) == [left]
    assert drain(ledger, call(shop, limit, purpose=Purpose.OLDEST)) == 10


def test_what_is_booked_is_never_lowered(ledger: Ledger, shop: str) -> None:
    limit = Limit(10, 60)
    drain(ledger, call(shop, limit), 5)
    for remaining in (5, 9, 10, 1000):
        ledger.correct(shop, limit, remaining)
    assert ledger.usage(shop, [limit])[0].left == 5
    ledger.correct(shop, limit, -3)
    assert ledger.usage(shop, [limit])[0].left == 0


def test_usage_says_when_more_will_be_left(ledger: Ledger, clock: HandClock, shop: str) -> None:
    limit = Limit(10, 60)
    assert ledger.usage(shop, [limit]) == [Usage(limit, 0, 0, 10, None)]
    drain(ledger, call(shop, limit), 2)
    clock.passes(timedelta(seconds=30))
    drain(ledger, call(shop, limit), 8)
    assert ledger.usage(shop, [limit]) == [Usage(limit, 10, 0, 0, START + timedelta(seconds=61))]
    stricter = Limit(4, 60)
    assert ledger.usage(shop, [stricter]) == [Usage(stricter, 10, 0, 0, START + timedelta(seconds=91))]


def test_nearly_spent_looks_at_the_windows_that_are_not_sat_out(ledger: Ledger, shop: str) -> None:
    limits = (Limit(9, 60), Limit(10, "month"))
    drain(ledger, call(shop, *limits), 8)
    assert not ledger.nearly_spent(shop, limits)
    assert ledger.nearly_spent(shop, limits, 0.8)
    ledger.correct(shop, limits[1], 1)
    assert ledger.nearly_spent(shop, limits)
    assert not ledger.nearly_spent(shop, limits[:1], 0.1)


# Journal, accounts, pruning -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "received"), [(None, b'{"a": 1}' * 100), (b"x", None), (b"", b"\x00\xff")])
def test_bodies_come_back_as_they_were(ledger: Ledger, shop: str, sent: bytes | None, received: bytes | None) -> None:
    journal = ledger.reserve(call(shop))
    ledger.finish(journal, Outcome(200, 3, 800, "r-1", None, sent, received))
    assert ledger.bodies(journal) == (sent, received)


def test_an_outcome_is_journalled_and_its_bodies_compressed(ledger: Ledger, database: Database, shop: str) -> None:
    bare, full = ledger.reserve(call(shop)), ledger.reserve(call(shop))
    ledger.finish(bare, Outcome(None, 30_000, 0, None, "timed out"))
    ledger.finish(full, Outcome(200, 3, 800, "r-1", None, None, b"a" * 800))
    rows = database.rows("SELECT status, ms, bytes, request_id, error FROM calls WHERE connector = ?", shop)
    assert [tuple(row) for row in rows] == [(None, 30_000, 0, None, "timed out"), (200, 3, 800, "r-1", None)]
    kept = database.rows("SELECT call, length(response) FROM bodies WHERE call IN (?, ?)", bare, full)
    assert [row[0] for row in kept] == [full]
    assert kept[0][1] < 50
    assert ledger.bodies(bare) == (None, None)


def test_accepted_credentials_are_remembered_and_written_once_a_day(
    ledger: Ledger, database: Database, clock: HandClock, shop: str
) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO accounts (connector, kind, base_url, account) VALUES (?, 'k', 'u', 'a')", (shop,))
    assert not ledger.was_accepted(shop, "")
    for hours, credentials in enumerate(["one", "one", "two", "two", "one"]):
        ledger.accept(shop, credentials)
        assert ledger.was_accepted(shop, credentials)
        assert accepted_at(database, shop) == START + timedelta(hours=hours // 2 * 2), hours
        clock.passes(timedelta(hours=1))
    assert not ledger.was_accepted(shop, "two")
    clock.passes(DAY)
    ledger.accept(shop, "one")
    assert accepted_at(database, shop) == clock.now()


def accepted_at(database: Database, shop: str) -> datetime:
    row = database.row("SELECT accepted_at FROM accounts WHERE connector = ?", shop)
    assert row is not None
    return datetime.fromtimestamp(row[0] / 1000, UTC)


def test_credentials_of_an_unknown_account_are_not_remembered(ledger: Ledger, shop: str) -> None:
    ledger.accept(shop, "one")
    assert not ledger.was_accepted(shop, "one")


def test_pruning_keeps_every_counter_that_still_counts(
    ledger: Ledger, database: Database, clock: HandClock, shop: str
) -> None:
    limits = (Limit(1000, 60), Limit(1000, 3600), Limit(1000, "day"), Limit(1000, "month"))
    for _ in range(120):
        ledger.reserve(call(shop, *limits))
        clock.passes(timedelta(seconds=61))
    before = ledger.usage(shop, limits)
    ledger.drop_expired()
    assert ledger.usage(shop, limits) == before
    assert database.row("SELECT count(*) FROM spend WHERE connector = ?", shop)[0] <= 3 * 61 + 2  # type: ignore[index]


def test_pruning_does_not_make_a_window_count_the_journal_anew(ledger: Ledger, clock: HandClock, shop: str) -> None:
    wanted = call(shop, Limit(3, 60))
    clock.passes(DAY)
    assert drain(ledger, wanted) == 3
    clock.set_back(DAY)
    ledger.drop_expired()
    assert drain(ledger, wanted) == 0
    clock.passes(timedelta(seconds=61))
    ledger.drop_expired()
    assert drain(ledger, wanted) == 3
