"""The only wiring: settings, state, transport and connectors become sessions; a run goes through the connectors.

What only a session needs is imported when one is made: a run that is locked or blocked stays cheap.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from syncctl.clock import Clock, SystemClock
from syncctl.errors import (
    ConfigError,
    DeferredError,
    LockedError,
    RecordError,
    RunError,
    StateError,
    SyncctlError,
    worst,
)
from syncctl.models import Purpose, Struct, from_ms, iso, to_ms
from syncctl.run import Run, stopped
from syncctl.settings.config import Config, ConnectorConfig, load
from syncctl.sources import choose_sources
from syncctl.state.blocks import Blocks
from syncctl.state.database import IF_USED, Database, is_empty, open_database
from syncctl.state.gaps import Gaps
from syncctl.state.learnt import as_learnt
from syncctl.state.locks import Holder, highest_run, hold
from syncctl.state.place import place_of
from syncctl.state.promises import Promises, PromiseTerms
from syncctl.state.runs import Runs
from syncctl.state.unqueued_schema import POSTER
from syncctl.tally import Tally

if TYPE_CHECKING:
    from _typeshed import StrPath

    from syncctl.http.transport import Transport
    from syncctl.session import Session
    from syncctl.state.ledger import Ledger
    from syncctl.state.linking import Linker

    Work = Callable[[Session], None]


_PRUNING_SECONDS = 0.3


class Terms(Struct):
    """How a command goes about its connectors; `ended` is told of each when its part is over."""

    command: str
    lock: bool = True
    push: bool = False
    wait_lock: float = 0
    accept_loss: bool = False
    ended: Callable[[Tally], None] | None = None


class App:
    """An opened state with its settings; `doubt` is a sentence about the state that everybody should hear, once."""

    doubt = ""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self.config = config
        self.database = database
        self.clock = clock

    @classmethod
    @contextmanager
    def opened(cls, env_file: StrPath | None, *, create: bool = True, clock: Clock | None = None) -> Iterator[App]:
        """Reads the settings and opens the state; raises `ConfigError` and `StateError`."""
        config = load(env_file)
        was_empty = is_empty(config.state)
        database = open_database(config.state, group=config.state_group, create=create)
        try:
            app = cls(as_learnt(config, database), database, clock or SystemClock())
            if was_empty:
                app.doubt = f"The state file {config.state} was empty, and is a new one now. {IF_USED}"
            app.runs.claim_shop(config.shop)
            app.runs.notice_copy(highest_run(config.state), place_of(config.state), to_ms(app.clock.now()))
            choose_sources(app.config, database)
            app.note_posters()
            Promises(database).agree(app.promise_terms())
            yield app
        finally:
            database.close()

    @property
    def runs(self) -> Runs:
        """The executions in the state."""
        return Runs(self.database)

    @property
    def ledger(self) -> Ledger:
        """The budget and the journal."""
        from syncctl.state.ledger import Ledger

        return Ledger(self.database, self.clock)

    def note_posters(self) -> None:
        """Remembers since when each connector is posted to: older orders are not its business."""
        for each in self.config.connectors:
            if "invoices" in each.roles:
                second = to_ms(self.clock.now()) // 1000 * 1000  # as orders tell their time
                self.runs.since(POSTER + each.name, second)

    def promise_terms(self) -> PromiseTerms | None:
        """Which orders are taken off the stock that the catalogue shows; None where its owner is not posted to."""
        owner = next((each for each in self.config.connectors if each.name == self.config.stock_from), None)
        if owner is None or "invoices" not in owner.roles:
            return None
        statuses = sorted(filter(None, map(str.strip, self.config.posting["POST_STATUSES"].split(","))))
        return PromiseTerms(owner.name, json.dumps(statuses), iso(from_ms(self.posted_since(owner))))

    def posted_since(self, config: ConnectorConfig) -> int:
        """From when on (ms) orders are posted to a connector."""
        since = int(self.runs.meta(POSTER + config.name) or 0)
        if not config.values.get("POST_SINCE"):
            return since
        from syncctl.settings.posting import posting_since, posting_terms  # knows where the shop is; slow to import

        try:
            return posting_since(config, posting_terms(self.config), since)
        except ConfigError:  # for the run that posts to tell
            return since

    def posters(self, name: str | None) -> tuple[ConnectorConfig, ...]:
        """The connectors that are posted to, or the one named. Raises `ConfigError`."""
        from syncctl.settings.posting import posters, posting_terms

        found = posters(self.config, name)
        posting_terms(self.config)
        return found

    def go_through(self, run: Run, configs: Sequence[ConnectorConfig], work: Work, terms: Terms) -> list[Tally]:
        """Does the work for one connector after the other; one that fails never stops the next."""
        tallies = []
        for to_come, config in zip(reversed(range(len(configs))), configs, strict=True):
            tally = self._tally(config, terms)
            tallies.append(tally)
            run.to_come = to_come
            goes_on = self._attempt(run, config, work, terms, tally)
            if terms.ended:
                terms.ended(tally)
            if not goes_on:
                break
        self._finish(run, terms.command, tallies)
        return tallies

    def _tally(self, config: ConnectorConfig, terms: Terms) -> Tally:
        """One that tells of the queue even where the connector does not come to post."""
        tally = Tally(config.name)
        if terms.push:
            from syncctl.state.outbox import Outbox

            tally.pushed.counts = Outbox(self.database, config.name).counts()
        return tally

    def _attempt(self, run: Run, config: ConnectorConfig, work: Work, terms: Terms, tally: Tally) -> bool:
        """One connector's part, with whatever ends it in the tally; whether the next one may go on."""
        try:
            self._one(run, config, work, terms, tally)
        except (RunError, RecordError, ConfigError, LockedError) as error:
            tally.fail(error)
        except KeyboardInterrupt:
            tally.fail(stopped())
            return False
        except SyncctlError as error:
            tally.fail(error)
            return False
        except OSError:  # what was printed could not be written; the state's own errors come as StateError
            raise
        except Exception as error:  # a bug that one connector's data brings out must not stop the others
            self._crashed(error, tally)
        return True

    def _crashed(self, error: Exception, tally: Tally) -> None:
        import traceback

        from syncctl.redact import redacted_text

        secrets = self.config.secrets
        tally.crash(redacted_text(repr(error), secrets), redacted_text(traceback.format_exc(), secrets))

    def _finish(self, run: Run, command: str, tallies: Sequence[Tally]) -> None:
        """Writes how the run ended; that a full disk prevents it is told like everything else."""
        codes = [worst(tally.codes) for tally in tallies]
        try:
            choose_sources(self.config, self.database)
            self.runs.finish(run.number, to_ms(self.clock.now()), worst(codes), list(zip(tallies, codes, strict=True)))
            self._tell(run, command, tallies)
            self._prune_daily()
        except StateError as error:
            if not tallies:
                raise
            tallies[-1].fail(error)

    def _prune_daily(self) -> None:
        """Forgets what is old, a little at a time; a run that finds much of it is not kept for long."""
        now = to_ms(self.clock.now())
        if self.runs.is_new_day("pruned_at", now):
            from syncctl.state.pruning import Pruning

            self.ledger.drop_expired()
            Pruning(self.database, self.config.keep, now).sweep(_PRUNING_SECONDS)

    def _tell(self, run: Run, command: str, tallies: Sequence[Tally]) -> None:
        """Mails what happened; whoever asks by hand, and for one thing, is told where they are."""
        mail = self.config.mail
        if mail is None or run.purpose is Purpose.MANUAL:
            return
        if any(tally.errors for tally in tallies) or self.runs.has_mail():
            from syncctl.mail.notify import Notifier
            from syncctl.state.mailed import Mailed

            Notifier(self.config, mail, Mailed(self.database), run, command).tell(tallies)

    def _one(self, run: Run, config: ConnectorConfig, work: Work, terms: Terms, tally: Tally) -> None:
        if config.problems:
            raise ConfigError(config.problems)
        holder = Holder(f"syncctl {terms.command}", os.getpid(), run.number, iso(self.clock.now()))
        wait = min(terms.wait_lock, run.left())
        name = f"{config.name}-push" if terms.push else config.name
        lock = hold(self.config.state, name, holder, wait=wait, clock=run)
        with lock if terms.lock else nullcontext():
            account = config.cls.account(config.values)
            if account:
                self.runs.claim_account(config.name, config.kind, config.values.base_url, account)
            if terms.lock:
                self._refuse_blocked(config, run, tally)
            with self.session(run, config, tally, terms) as session:
                work(session)

    def _refuse_blocked(self, config: ConnectorConfig, run: Run, tally: Tally) -> None:
        """Raises `DeferredError` while a block stands, before anything is loaded that only calls need."""
        blocked = Blocks(self.database, self.clock).blocked(config.name)
        if blocked:
            until, reason = blocked
            tally.report(self._linker(config).link_waiting(run.number))
            raise DeferredError(reason, until)

    @contextmanager
    def session(self, run: Run, config: ConnectorConfig, tally: Tally, terms: Terms) -> Iterator[Session]:
        """A connector ready to work."""
        from syncctl.http.transport import Transport

        transport = Transport(config, self.ledger, run, self.config.secrets)
        try:
            yield self._session(run, config, transport, tally, terms)
        finally:
            transport.close()
            tally.calls, tally.bytes = transport.calls, transport.received

    def _linker(self, config: ConnectorConfig) -> Linker:
        from syncctl.state.linking import Linker

        return Linker(self.database, config.name, insert_new=self.config.new_products == "insert")

    def _session(self, run: Run, config: ConnectorConfig, transport: Transport, tally: Tally, terms: Terms) -> Session:
        from syncctl.session import Session
        from syncctl.state.cursors import Cursors
        from syncctl.state.customer_linking import CustomerLinker
        from syncctl.state.history import History
        from syncctl.state.mirror import Mirror
        from syncctl.state.remote_customers import Customers

        linker = self._linker(config)
        return Session(
            connector=config.cls(config.values, transport),
            database=self.database,
            mirror=Mirror(self.database, config.name, linker.adopt, with_stock="stock" in config.roles),
            linker=linker,
            customers=Customers(self.database, config.name),
            customer_linker=CustomerLinker(self.database, config.name),
            cursors=Cursors(self.database, config.name),
            gaps=Gaps(self.database, config.name, config.cls.locations(config.values)),
            history=History(self.database, config.name, config.cls.price_tier(config.values)),
            run=run,
            tally=tally,
            roles=config.roles,
            limits=config.limits,
            accept_loss=terms.accept_loss,
            config=self.config,
        )


def chosen(config: Config, name: str | None) -> tuple[ConnectorConfig, ...]:
    """The connectors to go through: all, or the one named. Raises `ConfigError` for an unknown name."""
    if name is None:
        return config.connectors
    found = tuple(each for each in config.connectors if each.name == name)
    if not found:
        known = ", ".join(each.name for each in config.connectors)
        raise ConfigError([f"--connector: there is no {name}"], f"SYNCCTL_CONNECTORS has {known}")
    return found
