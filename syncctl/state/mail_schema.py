"""The table of what a person was told of, and of what waits to be told."""

from __future__ import annotations

# One row per trouble, while it lasts. `topic` makes it the same trouble when it comes again; `due_at` is when it is to
# be mailed, NULL where there is nothing new to mail; `mailed_at` is NULL until a person was told of it.
_MAILED = """
CREATE TABLE mailed (
    connector TEXT NOT NULL,
    record TEXT NOT NULL,
    topic TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('failed', 'gave_up', 'recovered')),
    cause TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    next_try INTEGER,
    command TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    due_at INTEGER,
    mailed_at INTEGER,
    PRIMARY KEY (connector, record, topic)
) STRICT, WITHOUT ROWID
"""

MAIL = (_MAILED, "CREATE INDEX mailed_due ON mailed (due_at) WHERE due_at IS NOT NULL")
