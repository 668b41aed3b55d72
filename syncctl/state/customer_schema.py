"""The mirror of the services' customers, and their links to the shop's."""

from __future__ import annotations

# What each service last said of its customers; `emails` are case-folded. `matched_by` is code, email or hand; where
# there is no link, apart: somebody took it away, and no rule makes another.
_REMOTE_CUSTOMERS = """
CREATE TABLE remote_customers (
    connector TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    codes TEXT NOT NULL,
    name TEXT NOT NULL,
    emails TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'inactive', 'gone')),
    linkable INTEGER NOT NULL CHECK (linkable IN (0, 1)),
    version INTEGER NOT NULL,
    customer_id INTEGER REFERENCES customers (id) ON DELETE SET NULL,
    matched_by TEXT,
    matched_run INTEGER,
    first_call INTEGER NOT NULL,
    seen_call INTEGER NOT NULL,
    PRIMARY KEY (connector, remote_id)
) STRICT
"""

# What a record can be found by, the strongest first: `rank` 0 and up are its account ids, 9 its e-mail addresses.
_CUSTOMER_KEYS = """
CREATE TABLE customer_keys (
    connector TEXT NOT NULL,
    value TEXT NOT NULL,
    rank INTEGER NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (connector, value, rank, remote_id)
) STRICT, WITHOUT ROWID
"""

# Programs that delete a customer rarely have foreign keys on.
_UNLINK = """
CREATE TRIGGER customers_unlinked AFTER DELETE ON customers BEGIN
    UPDATE remote_customers SET customer_id = NULL, matched_by = NULL WHERE customer_id = old.id;
END
"""

CUSTOMER_MIRROR = (
    _REMOTE_CUSTOMERS,
    "CREATE UNIQUE INDEX remote_customers_link ON remote_customers (customer_id, connector)"
    " WHERE customer_id IS NOT NULL",
    "CREATE INDEX remote_customers_loose ON remote_customers (connector, customer_id)"
    " WHERE customer_id IS NOT NULL AND state <> 'active'",
    _CUSTOMER_KEYS,
    "CREATE INDEX customer_keys_record ON customer_keys (connector, remote_id)",
    # SQLite knows no capitals but those of ASCII: customers with other addresses are looked through one by one.
    "CREATE INDEX customers_email_foreign ON customers (email) WHERE email GLOB '*[^ -~]*'",
    _UNLINK,
)
