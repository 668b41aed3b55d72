"""The only wiring: settings, state, transport and connectors become sessions; a run goes through the connectors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from syncctl.clock import Clock, SystemClock
from syncctl.config import Config, ConnectorConfig, load
from syncctl.errors import ConfigError, InterruptedRunError, LockedError, RunError, SyncctlError, worst
from syncctl.models import iso, to_ms
from syncctl.run import Run
from syncctl.session import Session
from syncctl.state.cursors import Cursors
from syncctl.state.database import Database, open_database
from syncctl.state.gaps import Gaps
from syncctl.state.history import History
from syncctl.state.ledger import Ledger
from syncctl.state.linking import Linker
from syncctl.state.locks import Holder, hold
from syncctl.state.mirror import Mirror
from syncctl.state.runs import Runs
from syncctl.tally import Tally
from syncctl.transport import Transport

Work = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a command goes about its connectors."""

    command: str
    lock: bool = True
    wait_lock: float = 0
    accept_loss: bool = False


@dataclass(slots=True)
class App:
    """An opened state with its settings."""

    config: Config
    database: Database
    clock: Clock

    @classmethod
    @contextmanager
    def opened(cls, env_file: Path | None, *, create: bool = True, clock: Clock | None = None) -> Iterator[App]:
        """Reads the settings and opens the state; raises `ConfigError` and `StateError`."""
        config = load(env_file)
        database = open_database(config.state, group=config.state_group, create=create)
        try:
            app = cls(config, database, clock or SystemClock())
            app.runs.claim_shop(config.shop)
            app.runs.choose_sources(_sources(config))
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
        return Ledger(self.database, self.clock)

    def go_through(self, run: Run, configs: Sequence[ConnectorConfig], work: Work, terms: Terms) -> list[Tally]:
        """Does the work for one connector after the other; one that fails never stops the next."""
        tallies = []
        for config in configs:
            tally = Tally(config.name)
            tallies.append(tally)
            try:
                self._one(run, config, work, terms, tally)
            except (RunError, ConfigError, LockedError) as error:
                tally.fail(error)
            except (InterruptedRunError, KeyboardInterrupt) as error:
                tally.fail(error if isinstance(error, SyncctlError) else InterruptedRunError("Interrupted"))
                break
        codes = [worst(tally.codes) for tally in tallies]
        self.ledger.prune(self.config.keep_bodies_days)
        self.runs.finish(run.number, to_ms(self.clock.now()), worst(codes), list(zip(tallies, codes, strict=True)))
        return tallies

    def _one(self, run: Run, config: ConnectorConfig, work: Work, terms: Terms, tally: Tally) -> None:
        holder = Holder(f"syncctl {terms.command}", os.getpid(), run.number, iso(self.clock.now()))
        lock = hold(self.config.state, config.name, holder, wait=terms.wait_lock, clock=self.clock)
        with lock if terms.lock else nullcontext(), self.session(run, config, tally, terms) as session:
            work(session)

    @contextmanager
    def session(self, run: Run, config: ConnectorConfig, tally: Tally, terms: Terms) -> Iterator[Session]:
        """A connector ready to work; raises `ConfigError` and `AccountError`."""
        if config.problems or config.cls is None:
            raise ConfigError(config.problems)
        account = config.cls.account(config.values)
        self.runs.claim_account(config.name, config.kind, config.values.base_url, account)
        transport = Transport(config, config.cls, self.ledger, run, self.config.secrets)
        try:
            yield self._session(run, config, transport, tally, terms)
        finally:
            transport.close()
            tally.calls, tally.bytes = transport.calls, transport.received

    def _session(self, run: Run, config: ConnectorConfig, transport: Transport, tally: Tally, terms: Terms) -> Session:
        if config.cls is None:
            raise ConfigError(config.problems)
        return Session(
            connector=config.cls(config.values, transport),
            database=self.database,
            mirror=Mirror(self.database, config.name, with_stock="stock" in config.roles),
            linker=Linker(self.database, config.name, insert_new=self.config.new_products == "insert"),
            cursors=Cursors(self.database, config.name),
            gaps=Gaps(self.database, config.name),
            history=History(self.database, config.name),
            run=run,
            tally=tally,
            roles=config.roles,
            limits=config.limits,
            accept_loss=terms.accept_loss,
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


def _sources(config: Config) -> dict[str, tuple[str, str | None, str | None, str | None]]:
    """The owner of each field of the catalogue, and the tier and locations that it is taken from."""
    sources: dict[str, tuple[str, str | None, str | None, str | None]] = {}
    for each in config.connectors:
        if each.cls is None or each.problems:
            continue
        if each.name == config.price_from:
            currency = each.values.settings.get("CURRENCY") or None
            sources["price"] = (each.name, each.cls.price_tier(each.values), currency, None)
        if each.name == config.stock_from:
            locations = each.cls.locations(each.values)
            sources["stock"] = (each.name, None, None, None if locations is None else json.dumps(locations))
    return sources
