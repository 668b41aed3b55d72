"""The second part of the demo: the shop's orders go to the back offices, and what goes wrong is mended."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import click

from syncctl.commands.demo.counting import SERVICES, Count, Wanted, count, customers, known_to_all
from syncctl.commands.demo.orders import EXPORTS, WRAPPED, Buyer, Goods, buyers, orders
from syncctl.commands.demo.postbox import Postbox
from syncctl.commands.demo.stage import Stage

Json = dict[str, Any]
_FEE, _WRONG, _RIGHT = "SYNCCTL_XERO_FEE", "265", "260"
_ARRIVE_BEFORE_ONE_IS_LOST = 11
_KNOWN = 8
_GOODS = 12


class _Before(NamedTuple):
    """What there was in the services before anything was posted."""

    customers: Mapping[str, Mapping[str, Json]]
    calls: Mapping[str, int]


def post_orders(stage: Stage, postbox: Postbox) -> None:
    """Brings the orders in, posts them, mends what was refused, and counts."""
    stage.part("2. The shop's orders go to the back offices, each once")
    there = {name: customers(stage, name) for name in SERVICES}
    who = buyers(_known(there))
    totals = _import(stage, who)
    before = _Before(there, stage.calls())
    _post(stage)
    _mend(stage, postbox)
    _once_more(stage)
    stage.say("How do things stand?")
    stage.run("status")
    stage.say(f"What became of order {WRAPPED}?")
    stage.run("explain", "order", WRAPPED)
    _count(stage, totals, who, before)


def _known(there: Mapping[str, Mapping[str, Json]]) -> list[Buyer]:
    """Customers of the shop whom all services know: by their e-mail addresses, as the shop has codes of its own."""
    names = {str(each["Email"]).lower(): str(each["CustomerName"]) for each in there["unleashed"].values()}
    chosen = known_to_all(there)[:_KNOWN]
    return [Buyer(names[email], email, f"SHOP-{number}", is_new=False) for number, email in enumerate(chosen, 1)]


def _import(stage: Stage, who: Sequence[Buyer]) -> dict[str, Decimal]:
    """The total of each order by its number."""
    made = orders(who, _goods(stage), datetime.now(UTC).isoformat(timespec="seconds"))
    (stage.folder / "orders.jsonl").write_text("".join(json.dumps(each) + "\n" for each in made))
    stage.say(
        f"The shop has sold: {len(made)} orders: {_KNOWN} of customers whom the back offices know, 5 of new ones, 12 of"
        " guests (one of them orders twice). There is shipping, a discount, gift wrapping, a product that only the shop"
        f" has, and {len(EXPORTS)} orders are without tax."
    )
    stage.run("import", "orders", "orders.jsonl", "-v")
    stage.say("Who of them is known there? Customers are read and linked, by account id or e-mail; none is written to.")
    stage.run("sync-customers", "-v")
    return {each["number"]: Decimal(each["total"]) for each in made}


def _goods(stage: Stage) -> list[Goods]:
    """What all three services have most of, so that none refuses to sell it."""
    rows = stage.rows(
        "SELECT c.sku, c.price FROM catalogue AS c JOIN products USING (sku)"
        " JOIN remote_products AS r ON r.product_id = products.id JOIN remote_stock AS s USING (record)"
        " WHERE c.price IS NOT NULL AND r.state = 'active' GROUP BY c.sku"
        " HAVING count(DISTINCT connector) = 3 ORDER BY min(s.available) DESC, c.sku LIMIT ?",
        _GOODS,
    )
    return [Goods(sku, Decimal(price)) for sku, price in rows]


def _post(stage: Stage) -> None:
    """One order is refused, and the answer to another one is lost."""
    stage.mend(_FEE, _WRONG)
    fault = {"match": {"method": "POST", "path": "/SalesOrders"}, "skip": _ARRIVE_BEFORE_ONE_IS_LOST}
    stage.request("POST", "faults", {"service": "unleashed", "kind": "drop-after", **fault})
    stage.say(
        "All of them are posted to all three. Two things go wrong: the line is cut while Unleashed answers that it has"
        " an order, so that syncctl cannot know; and the settings name an account for fees that Xero does not have."
    )
    stage.run("post-invoices", "-v", ends_with=65)


def _mend(stage: Stage, postbox: Postbox) -> None:
    """Follows the advice of the mail."""
    ((found,),) = stage.rows("SELECT count(*) FROM attempts WHERE outcome = 'found'")
    if found != 1:
        stage.faults.append(f"{found} orders were looked for and found, and not 1")
    stage.say("The one without an answer was looked for by its number, and found. Of the refused one a mail tells:")
    body = _show_mail(stage, postbox)
    stage.mend(_FEE, _RIGHT)
    stage.say(f"Somebody mends the settings ({_FEE}={_RIGHT}), and does what the mail says rather than wait:")
    advice = re.search("^  To try now: (.*)$", body, re.MULTILINE)
    for each in advice[1].split(" && ") if advice else ():
        stage.run(*shlex.split(each)[1:], "-v")
    stage.say("And one more mail, since it works again:")
    _show_mail(stage, postbox)


def _show_mail(stage: Stage, postbox: Postbox) -> str:
    """Shows the mail that has come since the last time; its text."""
    mails = postbox.take()
    if len(mails) != 1:
        stage.faults.append(f"{len(mails)} mails came, and not 1")
        return ""
    body = str(mails[0].get_content())
    stage.quote(f"Subject: {mails[0]['Subject']}\n\n{body}")
    return body


def _once_more(stage: Stage) -> None:
    stage.say("The next run of cron: nothing is left to post, nothing is posted twice, and no call is made.")
    stage.run("post-invoices", "-v")


def _count(stage: Stage, totals: Mapping[str, Decimal], who: Sequence[Buyer], before: _Before) -> None:
    """What the services themselves say in the end."""
    stage.say("Now the back offices themselves are counted, whatever syncctl believes:")
    click.echo(
        f"{'':9} {'orders':>7} {'total':>11} {'customers new':>14} {'changed':>8} {'calls':>6} {'per order':>10}"
    )
    calls, faults = stage.calls(), len(stage.faults)
    for name in SERVICES:
        found = count(stage, name, before.customers[name], _wanted(name, totals, who))
        stage.faults += found.faults
        click.echo(_row(name, found, calls[name] - before.calls[name]))
    if len(stage.faults) == faults:
        stage.tell(
            f"Each of the {len(totals)} orders is there once, with the shop's total. Nobody's data changed but that of"
            f" {_KNOWN} contacts in Xero, which got phone number and address of their newest order; with"
            " SYNCCTL_XERO_CONTACT=link-only not even these."
        )


def _wanted(service: str, totals: Mapping[str, Decimal], who: Sequence[Buyer]) -> Wanted:
    """Vend takes a guest's order without a customer; of a contact in Xero the newest order changes what was entered."""
    new = {buyer.email for buyer in who if buyer.is_new and (buyer.code or service != "vend")}
    return Wanted(totals, len(new), _KNOWN if service == "xero" else 0)


def _row(name: str, found: Count, calls: int) -> str:
    per_order = calls / max(found.orders, 1)
    return f"{name:9} {found.orders:7} {found.total:11,} {found.made:14} {found.changed:8} {calls:6} {per_order:10.2f}"
