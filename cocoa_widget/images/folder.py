"""Finding the pictures in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"),
    *(".jp2", ".tga", ".ico", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""What a picture's file name ends with, in lower case. Pillow's own list names films, PDF and HDF5 too."""


def find_files(folder: str) -> tuple[list[str], dict[str, str]]:
    """List the pictures in a folder and its subfolders.

    Hidden files and folders are left out. Links to folders are followed, each target once, so links in a circle end.

    Parameters
    ----------
    folder : str

    Returns
    -------
    names : list of str
        Paths relative to the folder, with forward slashes, sorted.
    skipped : dict
        Subfolders that cannot be listed → why.
    """
    skipped: dict[str, str] = {}
    names = list(_walk(folder, "", {os.path.realpath(folder)}, skipped))
    return sorted(names), skipped


def _walk(folder: str, prefix: str, linked: set[str], skipped: dict[str, str]) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if not prefix:
            raise
        skipped[prefix.rstrip("/")] = f"the folder cannot be listed: {error.strerror}"
        return
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.name.lower().endswith(ENDINGS) and not entry.is_dir():
            yield prefix + entry.name
        elif entry.is_dir():
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if target in linked:
                    continue
                linked.add(target)
            yield from _walk(entry.path, f"{prefix}{entry.name}/", linked, skipped)
