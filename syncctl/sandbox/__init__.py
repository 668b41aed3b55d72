"""Faithful local copies of the back offices, with faults on demand, for tests and for the demo.

Written from the vendors' documentation alone: it imports nothing of the rest of syncctl, so that
client and copy are two independent readings of the same facts.
"""

from .sandbox import PostingSandbox, Sandbox

__all__ = ["PostingSandbox", "Sandbox"]
