"""A copy of the Lightspeed Retail X-Series API, formerly Vend (https://x-series-api.lightspeedhq.com)."""

from .service import Vend

__all__ = ["Vend"]
