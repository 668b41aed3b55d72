"""A copy of the Xero Accounting API, its connections and its token endpoint (https://developer.xero.com)."""

from .service import Xero

__all__ = ["Xero"]
