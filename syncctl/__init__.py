"""syncctl keeps an online shop and its back office in step."""

__version__ = "0.1.0"
