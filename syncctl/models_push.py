"""The records on their way into a back office, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from syncctl.models import Customer, Kind, Struct

if TYPE_CHECKING:
    from decimal import Decimal

    from syncctl.shop.order import Order

# The causes of an order that is posted, but is there with another sum or currency: a person has to accept that.
DIFFERS = ("total-differs", "currency-differs")
NAMESPACE = "9d2c3a53-2f4e-5c0b-8d7a-3b3f6e1f2a10"  # of the ids that we give; to change it would post everything again


class NewCustomer(Struct):
    """A customer to be created, with the data as entered; addresses by the names of their parts."""

    code: str
    name: str
    company: str = ""
    email: str = ""
    phone: str = ""
    billing: Mapping[str, str] = MappingProxyType({})
    shipping: Mapping[str, str] = MappingProxyType({})
    currency: str = ""  # of the order that needs it


class NewProduct(Struct):
    """A product to be created with what the shop knows of it."""

    sku: str
    name: str
    barcode: str | None = None
    price: Decimal | None = None
    price_includes_tax: bool | None = None
    tax_rate: Decimal | None = None  # of the order line that needs it, as a fraction


class Sale(Struct):
    """An order with what was found or made for it: remote ids of its customer ("": none) and, by SKU, of its products.

    `codes` has, by SKU, what the service calls those products that it calls otherwise (linked by hand), `names` what
    those are called that a line names without a description. `day` and `due` are days where the shop is; `newest` tells
    that this customer of the shop has no newer order.
    """

    order: Order
    customer: str
    products: Mapping[str, str]
    day: date
    due: date | None = None
    newest: bool = False
    codes: Mapping[str, str] = MappingProxyType({})
    names: Mapping[str, str] = MappingProxyType({})


class Completion(Struct):
    """A posted order that is to become final, by its remote id."""

    remote_id: str


class Payment(Struct):
    """What was paid of a posted order (by its remote id), and how."""

    remote_id: str
    method: str
    amount: Decimal
    day: date


Sending = NewCustomer | NewProduct | Sale | Completion | Payment


class Outgoing(Struct):
    """A record on its way: under this reference and guid, and never under another; None where it is only asked for.

    `idempotency` is a key for services that take one: another one after each known outcome.
    """

    reference: str
    guid: str
    record: Sending | None
    idempotency: str = ""


class Updated(Struct):
    """A customer that was changed along with an order, as the service has it since; None where it does not tell all."""

    record: Customer | None
    call: int


class Outcome(Struct):
    """What became of one `Outgoing`.

    `cause` is a word of the catalogue of causes (`exists`: something stands under its reference already), `message` the
    service's own words, and with "done" what is not as it was sent; `total` and `currency` what the service has,
    `strangers` the remote ids in it that the service does not know any more, `updated` what else was written.
    """

    result: Literal["done", "refused", "unknown"]
    remote_id: str = ""
    total: Decimal | None = None
    cause: str = ""
    message: str = ""
    remedy: str = ""
    call: int = 0
    currency: str = ""
    strangers: tuple[str, ...] = ()
    updated: Updated | None = None


class Follow(Struct):
    """What follows an order that is there; `part` tells several of a kind apart."""

    kind: Kind
    part: str
    record: Completion | Payment


class Seen(Struct):
    """A record that stands in the service under one of our references; what it does not tell is None or "".

    `live` is False where it is voided, deleted or `archived`; `call` is the one that showed it.
    """

    remote_id: str
    reference: str = ""
    live: bool = True
    total: Decimal | None = None
    currency: str = ""
    customer: str = ""
    call: int = 0
    archived: bool = False


def reference_of(shop: str, key: str) -> str:
    """The name of a record in every service: two shops on one account never share one."""
    return f"{shop}-{key}"


def guid_of(shop: str, kind: str, key: str) -> str:
    """The id of a record in services that take ours: the same in every run, of every copy of the state."""
    import uuid

    return str(uuid.uuid5(uuid.UUID(NAMESPACE), f"{shop}/{kind}/{key}"))
