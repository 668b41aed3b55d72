"""The tables of what is to be created in the services, each record once."""

from __future__ import annotations

# One row per record and connector, for ever: a second one for the same record cannot come into being.
# `expected` is what was sent (total, currency, customer), to be compared with what is found there, and the order that
# a customer or product was sent for. `looked_at` is
# when the service was last asked for it in vain. `taken_call` is the last call that was made before an order was known
# to be there and to have taken its products from stock: stock that a later call tells of is without them. `altered_at`
# is when the shop touched an order last after it was queued, whatever that changed.
_OUTBOX = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connector TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    reference TEXT NOT NULL,
    guid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'due', 'sending', 'done', 'gave_up', 'skipped')),
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL,
    sent_at INTEGER,
    looked_at INTEGER,
    ended_at INTEGER,
    cause TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    remedy TEXT NOT NULL DEFAULT '',
    call INTEGER NOT NULL DEFAULT 0,
    remote_id TEXT NOT NULL DEFAULT '',
    expected TEXT NOT NULL DEFAULT '{}',
    taken_call INTEGER,
    altered_at INTEGER,
    UNIQUE (connector, kind, key)
) STRICT
"""

_ATTEMPTS = """
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    run INTEGER NOT NULL,
    call INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT 'sending',
    cause TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT ''
) STRICT
"""

_NOW = "strftime('%s', 'now') * 1000"
_ALTER = f"UPDATE outbox SET altered_at = {_NOW} WHERE kind = 'orders' AND key ="
_TOUCHED = {
    "orders_altered AFTER UPDATE OF number, status, revision": "old.number",
    "orders_altered_by_deletion AFTER DELETE": "old.number",
    "orders_altered_by_another AFTER INSERT": "new.number",  # that takes the place of the order that was posted
}

# An order that was refused, or waits for its day, and is another now, is tried at once; the try that this brings
# forward costs none.
_MENDED = f"""
CREATE TRIGGER orders_mended AFTER UPDATE OF status, customer_id, revision ON orders
WHEN (old.status, old.revision) IS NOT (new.status, new.revision) OR old.customer_id IS NOT new.customer_id BEGIN
    UPDATE outbox SET state = iif(state = 'waiting', state, 'due'), due_at = {_NOW}, tries = max(tries - 1, 0),
        ended_at = NULL
    WHERE kind = 'orders' AND key = new.number AND cause <> ''
        AND ((state = 'due' OR state = 'waiting' AND cause = 'to-come') AND due_at > {_NOW} OR state = 'gave_up');
END
"""

# From when on this state can vouch for what was posted: orders placed before are looked for before they are sent.
_VOUCHES = """
INSERT INTO meta (key, value)
VALUES ('vouches_from', CAST(CAST(strftime('%s', 'now') AS INTEGER) * 1000 AS TEXT))
"""

OUTBOX = (
    _OUTBOX,
    # SQLite uses an index with a condition only where the query says the same words.
    "CREATE INDEX outbox_undone ON outbox (connector, kind, state, cause, queued_at) WHERE state <> 'done'",
    "CREATE INDEX outbox_posted ON outbox (ended_at, connector) WHERE kind = 'orders' AND state = 'done'",
    "CREATE INDEX outbox_by_hand ON outbox (connector, kind) WHERE cause = 'by-hand'",
    "CREATE INDEX outbox_differing ON outbox (connector)"
    " WHERE state = 'done' AND cause IN ('total-differs', 'currency-differs')",
    "CREATE INDEX outbox_key ON outbox (key)",
    "CREATE INDEX outbox_altered ON outbox (altered_at) WHERE altered_at IS NOT NULL",
    *(f"CREATE TRIGGER {when} ON orders BEGIN {_ALTER} {which}; END" for when, which in _TOUCHED.items()),
    _MENDED,
    _ATTEMPTS,
    "CREATE INDEX attempts_outbox ON attempts (outbox)",
    _VOUCHES,
)
