"""The search for pictures in a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .formats import ENDINGS

_KINDS = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


def find_files(folder: str, follow_links: bool = False) -> tuple[list[str], dict[str, str]]:
    """List the pictures in a folder and its subfolders.

    Hidden files and folders are left out, and so are files whose ending is not that of a picture. A folder is listed
    under its own name, and once more if links lead to it, so that links in a circle end.

    Parameters
    ----------
    folder : str
    follow_links : bool
        Whether links to files and folders outside the folder are followed.

    Returns
    -------
    names : list of str
        Paths relative to the folder, with forward slashes, sorted.
    skipped : dict
        Name → why it is skipped: it cannot be listed, is not a regular file, or is outside of the folder.

    Raises
    ------
    OSError
        If the folder itself cannot be listed.
    """
    with os.scandir(folder):  # raises if the folder itself cannot be listed
        pass
    walk = _Walk(os.path.realpath(folder), follow_links, _linked={_identity(folder)})
    waiting = [_Folder(folder, "", through_link=False)]
    while waiting:
        waiting += reversed(
            list(walk.visit(waiting.pop()))
        )  # in order, so that of several links to a folder it is always the same that is followed
    return sorted(walk.names), walk.skipped


def not_regular(mode: int) -> str | None:
    """Describe a file that is neither regular nor a folder, so that reading it could wait for ever; None for others.

    Parameters
    ----------
    mode : int
        `os.stat_result.st_mode`.
    """
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return f"it is a {_KINDS.get(stat.S_IFMT(mode), 'special file')}, not a regular file"


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    prefix: str
    """The beginning of the names of its files."""
    through_link: bool


@dataclass(slots=True)
class _Walk:
    root: str
    """The folder's path without links."""
    follow_links: bool
    names: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    _linked: set[tuple[int, int]] = field(default_factory=set)
    """Device and inode numbers of the folders that have been reached through a link."""

    def visit(self, folder: _Folder) -> Iterator[_Folder]:
        """Add the pictures of a folder to `names`, and yield its subfolders."""
        try:
            if folder.through_link:
                identity = _identity(folder.path)
                if identity in self._linked:
                    return
                self._linked.add(identity)
            with os.scandir(folder.path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.skipped[folder.prefix.rstrip("/")] = f"the folder cannot be listed: {error.strerror}"
            return
        for entry in listed:
            if entry.name.startswith("."):
                continue
            name = folder.prefix + entry.name
            try:
                if self._enter(entry, name):
                    yield _Folder(entry.path, f"{name}/", folder.through_link or _is_link(entry))
            except FileNotFoundError:
                self.skipped[name] = "it is a link to a file that is not there"
            except OSError as error:
                self.skipped[name] = error.strerror or str(error)

    def _enter(self, entry: os.DirEntry[str], name: str) -> bool:
        """Add an entry to `names` if it is a picture, and return whether it is a folder to visit."""
        is_folder = entry.is_dir()
        if not is_folder and not entry.name.lower().endswith(ENDINGS):
            return False
        problem = None if is_folder or entry.is_file() else not_regular(entry.stat().st_mode)
        if problem is not None:
            self.skipped[name] = problem
            return False
        if _is_link(entry) and not self.follow_links:
            target = os.path.realpath(entry.path)
            if not _is_inside(target, self.root):
                self.skipped[name] = (
                    f"it is a link that leads out of the folder, to {target}; ImageSet(folder, follow_links=True) "
                    "follows such links"
                )
                return False
        if not is_folder:
            self.names.append(name)
        return is_folder


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _is_link(entry: os.DirEntry[str]) -> bool:
    is_junction: Callable[[], bool] = getattr(entry, "is_junction", bool)  # Windows has them, Python since 3.12
    return entry.is_symlink() or is_junction()


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))
