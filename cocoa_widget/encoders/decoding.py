"""Decoding of images in threads while the encoder runs, so that it need not wait for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from torch import Tensor

from ..images import ImageSet

THREADS = min(8, os.cpu_count() or 1)


class Decoded(NamedTuple):
    """An image's key, and its tensor (3, H, W), or None if its pixels were not needed."""

    key: str
    tensor: Tensor | None


class Decoder:
    """Load and preprocess the images of a set in threads, some of them ahead.

    Parameters
    ----------
    images : ImageSet
    preprocess : callable
        Maps a picture to a tensor (3, H, W); called from threads.
    needless : callable, optional
        Tells by an image's id and key whether its pixels are not needed; called from threads.
    """

    def __init__(
        self,
        images: ImageSet,
        preprocess: Callable[..., Tensor],
        needless: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._images, self._preprocess, self._needless = images, preprocess, needless
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="cocoa-decode")
        self._begun: dict[str, Future[Decoded]] = {}

    def __enter__(self) -> Decoder:
        """Return the decoder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads."""
        self.close()

    def take(self, ids: Sequence[str], ahead: Iterable[str] = ()) -> list[Decoded]:
        """Return keys and tensors of `ids`, and begin to decode `ahead`, which are likely to be taken next.

        Images that were begun earlier and are in neither are dropped. Errors of loading and preprocessing are raised.
        """
        futures = [self._begin(image) for image in ids]
        following = {image: self._begin(image) for image in ahead}
        for image, future in self._begun.items():
            if image not in following and future not in futures:
                future.cancel()
        self._begun = following
        return [future.result() for future in futures]

    def _begin(self, image: str) -> Future[Decoded]:
        return self._begun.get(image) or self._threads.submit(self._decode, image)

    def _decode(self, image: str) -> Decoded:
        if self._needless is not None:
            key = self._images.cheap_key(image)
            if key is not None and self._needless(image, key):
                return Decoded(key, None)
        picture, key = self._images.load_with_key(image)
        return Decoded(key, self._preprocess(picture))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._begun = {}
