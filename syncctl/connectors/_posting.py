"""What connectors that post orders share: the mappings of the settings, and amounts. Nothing unmapped is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, TypeVar

from syncctl.models import money_text
from syncctl.models_push import Outcome

if TYPE_CHECKING:
    from syncctl.connectors.declared import Values
    from syncctl.shop.order import Order

CENT = Decimal("0.01")
MOST_ROUNDING = Decimal("0.02")  # a larger difference is no matter of rounding


class HeldError(Exception):
    """An order cannot be written down for the service: a word of the catalogue of causes, what is wrong, what to do."""

    def __init__(self, cause: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.remedy = remedy

    def as_outcome(self) -> Outcome:
        """The record is refused by ourselves, without a call."""
        return Outcome("refused", cause=self.cause, message=self.message, remedy=self.remedy)


_T = TypeVar("_T")


def gather(parts: Iterable[Callable[[], _T]], checks: Iterable[Callable[[], object]] = ()) -> list[_T]:
    """What all parts give, once all checks are passed. Raises a `HeldError` that tells all that is wrong at once."""
    found: list[_T] = []
    faults: dict[tuple[str, str], HeldError] = {}  # of several lines with the same rate, the first one is told
    for check in checks:
        _try(check, faults)
    for part in parts:
        _try(lambda part=part: found.append(part()), faults)  # type: ignore[misc]
    if faults:
        first, *_ = held = list(faults.values())
        messages, remedies = [each.message for each in held], [each.remedy for each in held]
        raise HeldError(first.cause, "; ".join(messages), ". ".join(remedies))
    return found


def _try(work: Callable[[], object], faults: dict[tuple[str, str], HeldError]) -> None:
    try:
        work()
    except HeldError as held:
        faults.setdefault((held.cause, held.remedy), held)


def objection(write_down: Callable[[], object]) -> Outcome | None:
    """The refusal where something cannot be written down."""
    try:
        write_down()
    except HeldError as held:
        return held.as_outcome()
    return None


def tax_code(values: Values, rate: Decimal | None, where: str) -> str:
    """The code that stands for a rate (a fraction) in `_TAX`. Raises `HeldError`."""
    if rate is None:
        raise HeldError("tax-unknown", f"{where} has no tax rate", "Give each line of the order its tax_rate")
    codes = mapping(values.get("TAX"))
    for told, code in codes.items():
        if Decimal(told) == rate:
            return code
    shown = f"{values.variable('TAX')}={values.get('TAX')}" if codes else f"{values.variable('TAX')} is not set"
    message = f"{where} has the tax rate {money_text(rate)}, for which there is no code ({shown})"
    raise HeldError("tax-unmapped", message, f"Add {money_text(rate)}:CODE to {values.variable('TAX')}")


def mapping(text: str) -> dict[str, str]:
    """`a:b,c:d` as a dictionary."""
    return dict(part.strip().split(":", 1) for part in text.split(",") if ":" in part)


def amount(value: object) -> Decimal | None:
    """A JSON number as money; None for anything else."""
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def cents(amount: Decimal) -> Decimal:
    """Rounded to two decimals, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def difference(values: Values, wanted: Decimal, reached: Decimal, sums: Sequence[str]) -> Decimal:
    """What a rounding line has to add so that the order comes to the shop's total. Raises `HeldError`.

    `sums` are the parts of what was reached, for the message.
    """
    missing = wanted - reached
    setting = values.variable("ROUNDING")
    if not missing or (abs(missing) <= MOST_ROUNDING and values.get("ROUNDING")):
        return missing
    message = f"it comes to {money_text(reached)} ({', '.join(sums)}) and not to the shop's {money_text(wanted)}"
    if abs(missing) <= MOST_ROUNDING:
        raise HeldError("total-differs", message, f"Set {setting} so that a rounding line takes the difference")
    raise HeldError("total-differs", message, "Correct prices, tax or total of the order in the shop")


def as_entered(order: Order) -> str:
    """The note, and the customer's data as entered, a line each: for services that have no other fields in an order."""
    customer = order.customer
    parts = [order.note, customer.name, customer.company, customer.email, customer.phone]
    for title, address in (("Bill to", customer.billing), ("Ship to", customer.shipping)):
        parts += [f"{title}: {', '.join(filter(None, address.values()))}"] if address else []
    return "\n".join(filter(None, parts))
