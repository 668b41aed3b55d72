"""The indexes by which pruning finds out whether anything still needs a call or a run."""

from __future__ import annotations

KEEP = (
    "CREATE INDEX remote_products_first ON remote_products (first_call)",
    "CREATE INDEX remote_customers_first ON remote_customers (first_call)",
    "CREATE INDEX attempts_call ON attempts (call)",
    "CREATE INDEX attempts_run ON attempts (run)",
    "CREATE INDEX calls_run ON calls (run)",
    # Those that are under way are in it, too, and leave it with their outcome.
    "CREATE INDEX calls_failed ON calls (id) WHERE status IS NULL OR error IS NOT NULL",
    "CREATE INDEX changes_run ON changes (run)",
)
