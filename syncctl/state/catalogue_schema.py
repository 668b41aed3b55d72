"""The view `catalogue`, and what it takes off the stock owner's number: sold, and not in that number yet."""

from __future__ import annotations

# The connector that owns the stock, where it is posted to: orders in one of `statuses` (JSON), placed since `since`.
_TERMS = """
CREATE TABLE promise_terms (
    connector TEXT PRIMARY KEY,
    statuses TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""
# The product lines that may count, in millionths: those of orders that were sent are kept as they were sent, whatever
# the shop does to the order later. Triggers add what may begin to count, and `Promises.forget` takes away what no
# longer does, so that few rows are to be looked at for a product, however many orders there are.
_SOLD = """
CREATE TABLE sold (
    number TEXT NOT NULL,
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (number, position)
) STRICT, WITHOUT ROWID
"""
# What counts: what is on its way, or to be posted; what was posted until a call asked for the stock of that product
# that was made after it was known to be there (`taken_call` is the last call that was made before). Calls are numbered
# in the order in which they are made, so that no clock decides. A product without a link is posted as the record of its
# SKU, which is then the one whose stock counts.
_PROMISED = """
CREATE VIEW promised AS
SELECT sold.sku, sold.number, sold.position, sold.quantity, outbox.state, outbox.taken_call, stocked.remote_id
FROM sold
CROSS JOIN promise_terms AS terms
LEFT JOIN orders ON orders.number = sold.number
LEFT JOIN outbox ON outbox.connector = terms.connector AND outbox.kind = 'orders' AND outbox.key = sold.number
LEFT JOIN products ON products.sku = sold.sku
LEFT JOIN remote_products AS stocked ON stocked.product_id = products.id AND stocked.connector = terms.connector
LEFT JOIN looks ON looks.record = coalesce(stocked.record, (
    SELECT record FROM remote_products AS same
    WHERE same.connector = terms.connector AND same.sku = sold.sku AND same.product_id IS NULL AND same.state <> 'gone'
))
WHERE CASE
    WHEN outbox.taken_call IS NOT NULL THEN outbox.taken_call >= coalesce(looks.stock_call, 0)
    WHEN outbox.state = 'sending' THEN 1
    WHEN outbox.state = 'skipped' THEN 0
    ELSE orders.status IN (SELECT value FROM json_each(terms.statuses))
        AND (outbox.id IS NOT NULL OR orders.placed_at >= terms.since)
END
"""
_CATALOGUE = """
CREATE VIEW catalogue AS
SELECT
    products.sku,
    coalesce(nullif(priced.name, ''), nullif(stocked.name, ''), products.name) AS name,
    json_extract(priced.prices, '$."' || price_source.price_tier || '"') AS price,
    CASE
        WHEN json_extract(priced.prices, '$."' || price_source.price_tier || '"') IS NOT NULL
        THEN price_source.price_includes_tax
    END AS price_includes_tax,
    price_source.currency,
    CASE
        WHEN stocked.state = 'gone' THEN 0
        WHEN stock_look.stock_at > 0 THEN (
            SELECT CASE WHEN total % 1000000 = 0 THEN total / 1000000 ELSE total / 1000000.0 END
            FROM (
                SELECT coalesce(sum(available), 0)
                    - coalesce((SELECT sum(quantity) FROM promised WHERE promised.sku = products.sku), 0) AS total
                FROM remote_stock
                WHERE remote_stock.record = stocked.record
                    AND (
                        stock_source.locations IS NULL
                        OR remote_stock.location IN (SELECT value FROM json_each(stock_source.locations))
                    )
            )
        )
    END AS available,
    coalesce(priced.state, stocked.state) AS state,
    strftime(
        '%Y-%m-%dT%H:%M:%SZ',
        nullif(min(coalesce(price_look.product_at, stock_look.stock_at),
                   coalesce(stock_look.stock_at, price_look.product_at)), 0) / 1000,
        'unixepoch'
    ) AS as_of
FROM products
LEFT JOIN sources AS price_source ON price_source.field = 'price'
LEFT JOIN remote_products AS priced
    ON priced.product_id = products.id AND priced.connector = price_source.connector
LEFT JOIN looks AS price_look ON price_look.record = priced.record
LEFT JOIN sources AS stock_source ON stock_source.field = 'stock'
LEFT JOIN remote_products AS stocked
    ON stocked.product_id = products.id AND stocked.connector = stock_source.connector
LEFT JOIN looks AS stock_look ON stock_look.record = stocked.record
"""

ADD_LINES = """
INSERT OR IGNORE INTO sold
SELECT orders.number, line.position, line.sku, CAST(round(line.quantity * 1000000) AS INTEGER)
FROM promise_terms, orders JOIN order_lines AS line ON line.order_id = orders.id
WHERE line.kind = 'product'"""


def _unsent(number: str) -> str:
    """Whether the stock owner has not been sent the order of this number."""
    return (
        "NOT EXISTS (SELECT 1 FROM promise_terms AS terms CROSS JOIN outbox WHERE outbox.connector = terms.connector"
        f" AND outbox.kind = 'orders' AND outbox.key = {number} AND outbox.state IN ('sending', 'done'))"
    )


def _drop_line(number: str, position: str) -> str:
    return f"DELETE FROM sold WHERE number = {number} AND position = {position} AND {_unsent(number)};"


def _drop_order(number: str) -> str:
    return f"DELETE FROM sold WHERE number = {number} AND {_unsent(number)};"


def _add_order(number: str) -> str:
    return f"{ADD_LINES} AND orders.number = {number} AND {_unsent(number)};"


_OLD = "(SELECT number FROM orders WHERE id = old.order_id)"
_NEW_LINE = f"""
    {ADD_LINES} AND orders.id = new.order_id AND line.position = new.position AND {_unsent("orders.number")};
"""
_SHOP_TRIGGERS = {
    "lines_sold AFTER INSERT ON order_lines": _NEW_LINE,
    "lines_resold AFTER UPDATE ON order_lines": _drop_line(_OLD, "old.position") + _NEW_LINE,
    "lines_unsold AFTER DELETE ON order_lines": _drop_line(_OLD, "old.position"),
    "orders_sold AFTER INSERT ON orders": _drop_order("new.number"),  # of one that it may have replaced
    "orders_resold AFTER UPDATE OF number, status ON orders": (
        f"DELETE FROM sold WHERE number = old.number AND old.number <> new.number AND {_unsent('old.number')};"
        + _add_order("new.number")
    ),
    "orders_unsold AFTER DELETE ON orders": _drop_order("old.number"),
}
_OUTBOX_TRIGGERS = {
    "outbox_sold AFTER INSERT ON outbox WHEN new.kind = 'orders'": _add_order("new.key"),
    "outbox_resold AFTER UPDATE OF state ON outbox"
    " WHEN new.kind = 'orders' AND old.state IN ('sending', 'done', 'skipped')": (
        _drop_order("new.key") + _add_order("new.key")
    ),
    "outbox_unsold AFTER DELETE ON outbox WHEN old.kind = 'orders'": _add_order("old.key"),
}

CATALOGUE = (
    *(_TERMS, _SOLD, "CREATE INDEX sold_sku ON sold (sku)"),
    *(f"CREATE TRIGGER {when} BEGIN {what} END" for when, what in (_SHOP_TRIGGERS | _OUTBOX_TRIGGERS).items()),
    _PROMISED,
    _CATALOGUE,
)
