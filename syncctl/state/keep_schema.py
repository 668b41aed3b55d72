"""The indexes by which pruning finds out whether anything still needs a call or a run."""

from __future__ import annotations

KEEP = (
    "CREATE INDEX remote_products_first ON remote_products (first_call)",
    "CREATE INDEX remote_customers_first ON remote_customers (first_call)",
    "CREATE INDEX attempts_call ON attempts (call)",
    "CREATE INDEX attempts_run ON attempts (run)",
    "CREATE INDEX calls_run ON calls (run)",
    "CREATE INDEX changes_run ON changes (run)",
)
