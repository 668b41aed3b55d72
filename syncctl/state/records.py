"""How statements find what the mirror holds of a product: under the number that `looks` has for it."""

from __future__ import annotations

THIS = "record = (SELECT record FROM looks WHERE connector = ? AND remote_id = ?)"
THESE = "record IN (SELECT record FROM looks WHERE connector = ? AND remote_id IN (SELECT value FROM json_each(?)))"
