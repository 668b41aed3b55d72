"""The sandbox as a thing to start and stop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, ClassVar, Self

from .frame import DEFAULT, SERVICES, Frame
from .server import HOST, Server
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


class Sandbox:
    """Local copies of the back offices on 127.0.0.1, served in a thread between start and stop.

    `port=0` takes a free port. Without `db` everything lives in a temporary file that goes away at
    stop; a path keeps the records and the clock over restarts and is seeded only when empty.
    Switches, limits, faults and counted calls always start afresh. Only the named `services` are
    served and seeded.
    """

    posting: ClassVar[bool] = False

    def __init__(
        self,
        port: int = 0,
        products: int = 1000,
        seed: int = 7,
        db: str | Path | None = None,
        *,
        services: Sequence[str] = DEFAULT,
    ) -> None:
        self.port = port
        self._services = tuple(services)
        self._size = (products, seed)
        self._db = db
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._server: Server | None = None
        self._frame: Frame | None = None
        self._thread: Thread | None = None
        self._stopped = Event()

    @property
    def url(self) -> str:
        """Where it is served; with port 0 known only after start."""
        return f"http://{HOST}:{self.port}"

    def env(self, services: Sequence[str] | None = None) -> dict[str, str]:
        """The settings that point syncctl at this sandbox, with a connector for every service served.

        `services` names those of them that are wanted.
        """
        chosen = self._services if services is None else tuple(services)
        settings = {
            "SYNCCTL_SHOP": "demo",
            "SYNCCTL_CONNECTORS": ",".join(chosen),
            "SYNCCTL_STATE": "./sandbox-state.db",
        }
        if self.posting:  # no copy tells another of an order, so all of them may be posted to
            settings |= {"SYNCCTL_TIMEZONE": "Pacific/Auckland", "SYNCCTL_POST_TO_ALL": "yes"}
        for name in chosen:
            settings |= SERVICES[name].env(f"{self.url}/{name}")
            settings |= SERVICES[name].posting_env() if self.posting else {}
        return settings

    def start(self) -> None:
        """Take the port, seed what is empty and serve in a thread; OSError when the port is taken."""
        # The port comes first: a taken one should be known before a long seeding.
        self._server = Server(self.port)
        self.port = self._server.server_address[1]
        products, seed = self._size
        store = Store(self._path())
        self._frame = Frame(store, products=products, seed=seed, services=self._services, posting=self.posting)
        self._server.connect(self._frame.clock, self._frame.answer)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._stopped.clear()
        self._thread.start()

    def _path(self) -> str:
        if self._db is not None:
            return str(self._db)
        self._folder = tempfile.TemporaryDirectory(prefix="syncctl-sandbox-")
        return str(Path(self._folder.name) / "sandbox.db")

    def stop(self) -> None:
        """Hang up on everybody, close the file and remove it when it was temporary."""
        if self._frame is not None:
            self._frame.faults.stop()
        if self._server is not None:
            self._server.close(serving=self._thread is not None)
        if self._thread is not None:
            self._thread.join()
        if self._frame is not None:
            self._frame.store.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._server = self._frame = self._thread = self._folder = None
        self._stopped.set()

    def serve_forever(self) -> None:
        """Serve until another thread calls stop or a signal raises an exception here."""
        if self._server is None:
            self.start()
        self._stopped.wait()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class PostingSandbox(Sandbox):
    """With the settings of a shop that posts its orders, and with all the records that these name."""

    posting: ClassVar[bool] = True
