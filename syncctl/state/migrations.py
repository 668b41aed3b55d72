"""The schema, as ordered steps; each is one transaction together with the record that it ran.

`PRAGMA user_version` is the number of steps applied, so that an up-to-date file is recognised without importing
sqlite_utils. A step that has been released is never edited.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from syncctl.models import Struct

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils.db import Database
    from sqlite_utils.migrations import Migrations

_SHOP = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    sku TEXT NOT NULL UNIQUE CHECK (sku <> '' AND sku = trim(sku)),
    name TEXT NOT NULL DEFAULT '',
    barcode TEXT,
    price TEXT,
    price_includes_tax INTEGER CHECK (price_includes_tax IN (0, 1)),
    currency TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    created_by TEXT NOT NULL DEFAULT 'shop'
) STRICT;
CREATE INDEX products_sku_nocase ON products (sku COLLATE NOCASE);

-- Which connector each field of the catalogue is taken from, and which of its tiers and locations: a tier is
-- a price with tax, one without, or nobody knows.
CREATE TABLE sources (
    field TEXT PRIMARY KEY CHECK (field IN ('price', 'stock')),
    connector TEXT NOT NULL,
    price_tier TEXT,
    price_includes_tax INTEGER,
    currency TEXT,
    locations TEXT
) STRICT, WITHOUT ROWID;
"""

_MIRROR = """
CREATE TABLE accounts (
    connector TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    account TEXT NOT NULL,
    credentials TEXT NOT NULL DEFAULT '',
    accepted_at INTEGER
) STRICT, WITHOUT ROWID;

-- The products that each service ever told of, if only of their stock, numbered: an index over ids that come at random
-- costs a page of the file for each, so this table has the only one, and the others hang on its numbers.
--
-- And when and by which call each product and its stock were last looked at: apart from the mirror, so that a look that
-- finds nothing new writes no row of it. `oldest_at` is the older of the two, written by whoever writes them: SQLite
-- answers no question from an index alone where a generated column is in it. It is NULL for what is gone.
CREATE TABLE looks (
    record INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    product_at INTEGER NOT NULL DEFAULT 0,
    stock_at INTEGER NOT NULL DEFAULT 0,
    product_call INTEGER NOT NULL DEFAULT 0,
    stock_call INTEGER NOT NULL DEFAULT 0,
    oldest_at INTEGER DEFAULT 0,
    UNIQUE (connector, remote_id)
) STRICT;
CREATE INDEX looks_oldest ON looks (connector, oldest_at);

CREATE TABLE remote_products (
    record INTEGER PRIMARY KEY, -- of looks
    connector TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    barcode TEXT,
    prices TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'inactive', 'gone')),
    version INTEGER NOT NULL,
    product_id INTEGER REFERENCES products (id) ON DELETE SET NULL,
    matched_by TEXT,
    matched_run INTEGER,
    first_call INTEGER NOT NULL,
    deleted_call INTEGER -- whose answer says that it is deleted, until the end of that read, when it is marked gone
) STRICT;
CREATE INDEX remote_products_deleted ON remote_products (connector) WHERE deleted_call IS NOT NULL;
CREATE INDEX remote_products_sku ON remote_products (connector, sku);
CREATE UNIQUE INDEX remote_products_link ON remote_products (product_id, connector) WHERE product_id IS NOT NULL;
CREATE INDEX remote_products_unlinked ON remote_products (connector, sku) WHERE product_id IS NULL;
CREATE INDEX remote_products_gone ON remote_products (connector) WHERE state = 'gone';

CREATE TABLE remote_stock (
    record INTEGER NOT NULL, -- of looks
    location TEXT NOT NULL,
    available INTEGER NOT NULL,
    version INTEGER NOT NULL,
    first_call INTEGER NOT NULL,
    PRIMARY KEY (record, location)
) STRICT, WITHOUT ROWID;

-- A read that is under way, and the stamp that the last complete one left.
CREATE TABLE cursors (
    connector TEXT NOT NULL,
    kind TEXT NOT NULL,
    feed TEXT NOT NULL CHECK (feed IN ('delta', 'full', 'oldest')),
    scope TEXT NOT NULL DEFAULT '',
    stamp TEXT,
    position TEXT,
    first_call INTEGER,
    started_at INTEGER,
    pages INTEGER NOT NULL DEFAULT 0,
    seen INTEGER NOT NULL DEFAULT 0,
    announced INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (connector, kind, feed)
) STRICT, WITHOUT ROWID;
"""

_JOURNAL = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    exit_code INTEGER,
    pid INTEGER NOT NULL
) STRICT;

CREATE TABLE run_connectors (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    created INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    drifted INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    deferred_until INTEGER,
    errors TEXT NOT NULL,
    PRIMARY KEY (run, connector)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    purpose TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER,
    ms INTEGER,
    bytes INTEGER,
    request_id TEXT,
    error TEXT
) STRICT;

CREATE TABLE bodies (
    call INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    request BLOB,
    response BLOB
) STRICT;

CREATE TABLE spend (
    connector TEXT NOT NULL,
    win TEXT NOT NULL,
    slot INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    others INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (connector, win, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    connector TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    learnt_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Limits as the service itself tells them, where the settings name none.
CREATE TABLE learnt_limits (
    connector TEXT NOT NULL,
    win TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (connector, win)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    run INTEGER NOT NULL,
    call INTEGER NOT NULL,
    connector TEXT NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    field TEXT NOT NULL,
    before TEXT,
    after TEXT,
    rule TEXT NOT NULL
) STRICT;
CREATE INDEX changes_record ON changes (connector, remote_id);
CREATE INDEX changes_drift ON changes (connector, at) WHERE rule = 'drift';
CREATE INDEX changes_gone ON changes (connector, at) WHERE field = 'state' AND after = 'gone';
"""


def _statements(script: str) -> list[str]:
    """The statements of a script; sqlite3's own `executescript` would commit the transaction round the step."""
    return [part for part in script.split(";\n") if part.strip()]


def _first(db: Database) -> None:
    """The shop's side, the mirror and the journal."""
    for script in (_SHOP, _MIRROR, _JOURNAL):
        for statement in _statements(script):
            db.execute(statement)
    db.execute("PRAGMA user_version = 1")


def _push(db: Database) -> None:
    """The shop's customers and orders, those of the services, what a person is told of, counts, and the catalogue."""
    from syncctl.state.catalogue_schema import CATALOGUE
    from syncctl.state.customer_schema import CUSTOMER_MIRROR
    from syncctl.state.keep_schema import KEEP
    from syncctl.state.mail_schema import MAIL
    from syncctl.state.outbox_schema import OUTBOX
    from syncctl.state.push_schema import PUSH
    from syncctl.state.unqueued_schema import UNQUEUED
    from syncctl.state.watch_schema import WATCH

    for statement in PUSH + CUSTOMER_MIRROR + MAIL + OUTBOX + UNQUEUED + WATCH + KEEP + CATALOGUE:
        db.execute(statement)
    db.execute("PRAGMA user_version = 2")


class Step(Struct):
    """One change of the schema; one that `rewrites` a table with data in it is taken a copy of the file before."""

    name: str
    change: Callable[[Database], None]
    rewrites: bool = False


STEPS = (Step("001_first", _first), Step("002_push", _push))
VERSION = len(STEPS)


def rewrites_from(version: int) -> bool:
    """Whether a file of this version has a table that is going to be rewritten."""
    return version > 0 and any(step.rewrites for step in STEPS[version:])


def steps() -> Migrations:
    """All steps, each one transaction."""
    from sqlite_utils.migrations import Migrations  # slow to import, and rarely needed

    found = Migrations("syncctl")
    for step in STEPS:
        found(name=step.name)(step.change)
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the schema up to `VERSION`; the caller holds the lock that keeps other processes from doing the same."""
    from sqlite_utils import Database  # slow to import, and rarely needed

    steps().apply(Database(connection))
