"""A copy of the Unleashed Software API (https://apidocs.unleashedsoftware.com)."""

from .service import Unleashed

__all__ = ["Unleashed"]
