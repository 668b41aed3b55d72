"""What lets the looking commands answer at once, however large the state is: counts that triggers keep."""

from __future__ import annotations

# How many products were looked at last in each 5 minutes since 1970; those that never were are few but in a first read,
# which would count each twice. SQLite counts a million rows in 200 ms; status adds up these instead.
BUCKET_MS = 300_000
_LOOK_COUNTS = """
CREATE TABLE look_counts (
    connector TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    products INTEGER NOT NULL,
    PRIMARY KEY (connector, bucket)
) STRICT, WITHOUT ROWID
"""
_ADD = f"""
    INSERT INTO look_counts VALUES (new.connector, new.oldest_at / {BUCKET_MS}, 1)
    ON CONFLICT DO UPDATE SET products = products + 1;
"""
_OLD = f"connector = old.connector AND bucket = old.oldest_at / {BUCKET_MS}"
_TAKE = f"""
    UPDATE look_counts SET products = products - 1 WHERE {_OLD};
    DELETE FROM look_counts WHERE {_OLD} AND products = 0;
"""
_MOVED = f"AFTER UPDATE OF oldest_at ON looks WHEN old.oldest_at / {BUCKET_MS} IS NOT new.oldest_at / {BUCKET_MS}"

# The journal's calls of each day (UTC, since 1970).
_CALL_COUNTS = """
CREATE TABLE call_counts (
    connector TEXT NOT NULL,
    day INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (connector, day, purpose)
) STRICT, WITHOUT ROWID
"""
_CALLED = """
CREATE TRIGGER calls_counted AFTER INSERT ON calls BEGIN
    INSERT INTO call_counts VALUES (new.connector, new.at / 86400000, new.purpose, 1)
    ON CONFLICT DO UPDATE SET calls = calls + 1;
END
"""

# What the last look at a record found that cannot be used; a look that finds it mended takes the row away.
_FLAWS = """
CREATE TABLE flaws (
    connector TEXT NOT NULL,
    kind TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    location TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (connector, kind, remote_id, location)
) STRICT, WITHOUT ROWID
"""

WATCH = (
    _LOOK_COUNTS,
    f"INSERT INTO look_counts SELECT connector, oldest_at / {BUCKET_MS}, count(*) FROM looks"
    " WHERE oldest_at > 0 GROUP BY 1, 2",
    f"CREATE TRIGGER looks_counted AFTER INSERT ON looks WHEN new.oldest_at > 0 BEGIN {_ADD} END",
    f"CREATE TRIGGER looks_left {_MOVED} AND old.oldest_at > 0 BEGIN {_TAKE} END",
    f"CREATE TRIGGER looks_come {_MOVED} AND new.oldest_at > 0 BEGIN {_ADD} END",
    f"CREATE TRIGGER looks_uncounted AFTER DELETE ON looks WHEN old.oldest_at > 0 BEGIN {_TAKE} END",
    _CALL_COUNTS,
    "INSERT INTO call_counts SELECT connector, at / 86400000, purpose, count(*) FROM calls GROUP BY 1, 2, 3",
    _CALLED,
    _FLAWS,
    "CREATE INDEX runs_command ON runs (command)",
    "CREATE INDEX changes_call ON changes (call)",
    "CREATE INDEX remote_customers_live ON remote_customers (connector, customer_id, state) WHERE state <> 'gone'",
)
