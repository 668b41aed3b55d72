"""Files beside the state, of the right owner and mode."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import StrPath


def folder_of(path: StrPath) -> str:
    """The folder that a file is in."""
    return os.path.dirname(path) or "."


def size_of(path: StrPath) -> int | None:
    """The bytes of a file, None where there is none; raises `OSError` where that cannot be told."""
    try:
        return os.stat(path).st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def create_file(path: StrPath, *, new: bool = False) -> None:
    """An empty file for its owner alone, before SQLite gives its own files the same mode; makes its folder, too.

    Where it has to be `new`, nobody can have put another file or a link there: raises `FileExistsError`.
    """
    folder = folder_of(path)
    if not os.path.exists(folder):
        os.makedirs(folder, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | (os.O_EXCL if new else 0), 0o600))
    if os.geteuid() == 0:  # by hand, say: the user whose folder it is has to go on with the file
        owner = os.stat(folder)
        os.chown(path, owner.st_uid, owner.st_gid)


def sync(path: StrPath) -> None:
    """Has a file, or the names in a folder, on the disk when it returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
