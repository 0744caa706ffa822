"""Pictures decoded in threads while the encoder runs, so that it never waits for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

from ..images import ImageSet

THREADS = min(8, os.cpu_count() or 1)


class Decoder:
    """Load and preprocess the images of a set, some of them ahead of when they are wanted.

    Parameters
    ----------
    images : ImageSet
    preprocess : callable
        Maps a picture to a tensor (3, H, W); called from threads.
    """

    def __init__(self, images: ImageSet, preprocess: Callable[..., Tensor]) -> None:
        self._images, self._preprocess = images, preprocess
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="cocoa-decode")
        self._begun: dict[str, Future[Tensor]] = {}

    def __enter__(self) -> Decoder:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads."""
        self.close()

    def take(self, ids: Sequence[str], ahead: Iterable[str] = ()) -> list[Tensor]:
        """Return the tensors of images, and begin with those that will be wanted next.

        What was begun earlier and is in neither is forgotten. Raises what loading or preprocessing raises.
        """
        futures = [self._begin(image) for image in ids]
        following = {image: self._begin(image) for image in ahead}
        for image, future in self._begun.items():
            if image not in following and future not in futures:
                future.cancel()
        self._begun = following
        return [future.result() for future in futures]

    def _begin(self, image: str) -> Future[Tensor]:
        return self._begun.get(image) or self._threads.submit(self._decode, image)

    def _decode(self, image: str) -> Tensor:
        return self._preprocess(self._images.load(image))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._begun = {}
