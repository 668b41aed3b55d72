"""Files beside the state, of the right owner and mode."""

from __future__ import annotations

import os
from pathlib import Path


def create_file(path: Path, *, new: bool = False) -> None:
    """An empty file for its owner alone, before SQLite gives its own files the same mode; makes its folder, too.

    Where it has to be `new`, nobody can have put another file or a link there: raises `FileExistsError`.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | (os.O_EXCL if new else 0), 0o600))
    if os.geteuid() == 0:  # by hand, say: the user whose folder it is has to go on with the file
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync(path: Path) -> None:
    """Has a file, or the names in a folder, on the disk when it returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
