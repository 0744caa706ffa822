"""Bounds on the memory that decoding takes: pixels of one picture, and pixels of all threads together."""

from __future__ import annotations

import operator
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_MILLION = 1_000_000


class PixelLimits:
    """Limits for the pixels that are decoded in this process.

    Decoding takes about 8 bytes a pixel, and up to 20 for WebP, JPEG 2000 and pictures of 16 bits.

    Parameters
    ----------
    max_pixels : int or None
        See `max_pixels`.
    pixels_at_once : int
        See `pixels_at_once`.
    """

    def __init__(self, max_pixels: int | None = 128 * _MILLION, pixels_at_once: int = 128 * _MILLION) -> None:
        self._decoding = threading.local()
        self.max_pixels = max_pixels
        self._pixels_at_once = _checked("pixels_at_once", pixels_at_once)
        self._start()
        if hasattr(os, "register_at_fork"):  # the threads that are decoding do not exist in the new process
            os.register_at_fork(after_in_child=self._start)

    def _start(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._under_way = 0

    @property
    def max_pixels(self) -> int | None:
        """Most pixels of one picture; a larger one is not decoded. None: no limit.

        By default 128 million (11,300²). It applies when a picture is opened; sets that have been made keep
        their skipped pictures. Pillow refuses more than 179 million on its own: see `PIL.Image.MAX_IMAGE_PIXELS`.
        """
        return self._max_pixels

    @max_pixels.setter
    def max_pixels(self, value: int | None) -> None:
        self._max_pixels = None if value is None else _checked("max_pixels", value)

    @property
    def pixels_at_once(self) -> int:
        """Most pixels that all threads decode at the same time, by default 128 million.

        Further pictures wait for their turn. A picture that is larger than this is decoded alone.
        """
        return self._pixels_at_once

    @pixels_at_once.setter
    def pixels_at_once(self, value: int) -> None:
        self._pixels_at_once = _checked("pixels_at_once", value)
        with self._changed:
            self._changed.notify_all()

    def check(self, width: int, height: int) -> None:
        """Raise `ValueError` for a picture that has more than `max_pixels`."""
        most = self._max_pixels
        if most is not None and width * height > most:
            raise ValueError(
                f"it has {width} × {height} = {width * height / _MILLION:.4g} million pixels, and more than "
                f"{most / _MILLION:.4g} million are not decoded; if it can be trusted, raise the limit before the set "
                f"is made: cocoa_widget.images.limits.max_pixels = {width * height}"
            )

    @contextmanager
    def decoding(self, pixels: int) -> Iterator[None]:
        """Wait until a number of pixels may be decoded, and count them until the block ends.

        Threads enter in the order in which they came, so that a large picture does not wait for later small ones. A
        thread that is in such a block already does not wait, as it would wait for itself.

        Parameters
        ----------
        pixels : int
        """
        if getattr(self._decoding, "here", False):
            yield
            return
        changed = self._changed
        self._enter(pixels)
        self._decoding.here = True
        try:
            yield
        finally:
            self._decoding.here = False
            if (
                changed is self._changed
            ):  # otherwise the process has been forked in the block, and its count starts at 0
                with changed:
                    self._under_way -= pixels
                    changed.notify_all()

    def _enter(self, pixels: int) -> None:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._fits(pixels))
                self._under_way += pixels
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()  # the next in the queue may fit too

    def _fits(self, pixels: int) -> bool:
        return self._under_way == 0 or self._under_way + pixels <= self._pixels_at_once


def _checked(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number of pixels, not {value!r}") from None
    if number < 1:
        raise ValueError(f"{name} must be at least 1 pixel, not {number}")
    return number


limits = PixelLimits()
"""The limits of this process."""
