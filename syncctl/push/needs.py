"""What orders need: customers and products, what people call them, and what an order is told that lacks one."""

from __future__ import annotations

from syncctl.decide import Hold
from syncctl.models import Kind, Struct, from_ms, iso
from syncctl.models_push import NewCustomer, NewProduct
from syncctl.state.outbox import Row


class Need(Struct):
    """A customer or product that orders need: its key in the outbox, and what would be created."""

    key: str
    record: NewCustomer | NewProduct
    placed_at: int  # of the oldest order that needs it
    order: str  # its number
    customer_id: int | None = None
    instead: Hold | None = None  # what to say rather than to create it


Answers = dict[str, "str | Hold"]


def called(need: Need) -> str:
    """What people call it."""
    record = need.record
    return (record.code or record.email or record.name) if isinstance(record, NewCustomer) else need.key


def waits(connector: str, kind: Kind, need: Need, row: Row) -> Hold:
    """Why it is not there, although it is to be created."""
    what = f"{_word(kind)} {called(need)}"
    if row.state == "sending":
        asked = f"The first run after {iso(from_ms(row.due_at))} asks the service for it"
        return Hold("unknown", f"nobody knows yet whether its {what} was created", asked)
    if row.state == "skipped":
        message = f"its {what} is not created, as it was dropped from the queue by hand"
        return Hold("dropped", message, f"Run syncctl queue retry {row.id}, or {_linking(connector, kind, need)}")
    why = f": {row.message}" if row.message else ""
    if row.state == "gave_up":
        return Hold("gave-up", f"its {what} could not be created{why}", row.remedy)
    return Hold(row.cause or "due", f"its {what} could not be created yet{why}", row.remedy)


def apart_from(connector: str, kind: Kind, need: Need, remote_id: str) -> Hold:
    """That the record which would be taken for it is not it, as a person has said."""
    message = (
        f"its {_word(kind)} {called(need)} was taken apart from {remote_id} in {connector} by syncctl links remove"
    )
    return Hold("taken-apart", message, f"Choose its record there: {_linking(connector, kind, need)}")


def _linking(connector: str, kind: Kind, need: Need) -> str:
    return f"syncctl links add {_word(kind)} {called(need)} REMOTE-ID --connector {connector}"


def _word(kind: Kind) -> str:
    return "customer" if kind is Kind.CUSTOMERS else "product"
