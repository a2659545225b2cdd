"""Files that must outlive a power cut, and why one could not be written."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path

_REASONS = {
    errno.ENOSPC: "kein Platz mehr",
    errno.EDQUOT: "kein Platz mehr",
    errno.ENOENT: "gibt es nicht",
    errno.EACCES: "keine Berechtigung",
    errno.EPERM: "keine Berechtigung",
    errno.EROFS: "nur lesbar",
    errno.EISDIR: "das ist ein Ordner",
    errno.ENOTDIR: "auf dem Weg dorthin liegt eine Datei",
    errno.EEXIST: "dort liegt eine Datei",
    errno.ENAMETOOLONG: "der Name ist zu lang",
}


def reason(error: OSError) -> str:
    """Why a file could not be written, in German words where we have them."""
    return _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__


def sync(path: Path) -> None:
    """Waits until a file (or the names in a directory) are on the disk."""
    how = os.O_RDONLY
    if sys.platform == "win32":
        if path.is_dir():
            return
        how = os.O_RDWR  # what may not be written cannot be flushed there
    handle = os.open(path, how)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private(path: Path) -> None:
    """Makes an empty file that only we can read; raises FileExistsError if there is one."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def give_to_owner_of(directory: Path, path: Path) -> None:
    """Made by root in another account's directory, a file is that account's; else it stays as it is."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    owner = directory.stat()
    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def sha256_of(path: Path) -> str:
    """The checksum of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
