"""The representations of many images: who computes them, and the loop that collects them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor

from ..images import ImageSet
from .decoding import Decoder
from .moment import Moment
from .passes import Encoded

TRIES = 3
"""How often images are encoded if the weights change meanwhile."""

Known = Callable[[str], bool]
"""Function that tells by an image's key whether its representation is known; called from any thread."""


@dataclass(frozen=True)
class EncodedImages:
    """Some of the images of an `Encoding`.

    Attributes
    ----------
    keys : dict
        Image id → key, of all of them.
    computed : list of str
        Keys of those whose representation was not known.
    representations : Tensor or None
        (len(computed), d), float32; None if all were known.
    """

    keys: dict[str, str]
    computed: list[str]
    representations: Tensor | None


class Encoding(Protocol):
    """Something that computes the representations of images: this process, or others."""

    def submit(self, ids: Sequence[str]) -> None:
        """Ask for the representations of more images; returns at once."""
        ...

    def results(self) -> Iterator[EncodedImages]:
        """Yield the images that were submitted, in any order, as they are encoded.

        Raises
        ------
        EncoderError, UnreadableImage
            An image cannot be encoded.
        """
        ...

    def cancel(self) -> None:
        """Drop what is not encoded yet, and end the threads or processes; the encoding cannot be used any more."""
        ...


class LocalEncoding:
    """Encode images in this process: threads decode a batch ahead of the passes.

    Parameters
    ----------
    decoder : Decoder
        Closed by `cancel`.
    forward : callable
        Runs the encoder on preprocessed images (B, 3, H, W) of any device.
    batch_size : int
        Images in each of the `results`.
    known : callable
        See `Known`.
    """

    def __init__(self, decoder: Decoder, forward: Callable[[Tensor], Encoded], batch_size: int, known: Known) -> None:
        self._decoder, self._forward, self._size, self._known = decoder, forward, batch_size, known
        self._waiting: deque[str] = deque()

    def submit(self, ids: Sequence[str]) -> None:
        """Append images to those that wait."""
        self._waiting.extend(ids)

    def results(self) -> Iterator[EncodedImages]:
        """Encode a batch each time that one is asked for, in the order of submission."""
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            decoded = self._decoder.take(some, [*islice(self._waiting, self._size)])
            keys = {image: key for image, (key, _) in zip(some, decoded, strict=True)}
            batch = {key: tensor for key, tensor in decoded if tensor is not None and not self._known(key)}
            vectors = self._forward(torch.stack([*batch.values()])).representations if batch else None
            yield EncodedImages(keys, [*batch], vectors)

    def cancel(self) -> None:
        """Drop what waits, and end the decoding threads."""
        self._waiting.clear()
        self._decoder.close()


def represent(
    images: ImageSet, ids: Sequence[str], moment: Callable[[], Moment], start: Callable[[Known], Encoding]
) -> Tensor:
    """Return the representations of images, and compute those that are not known.

    If the weights change meanwhile, the images are encoded again. If they change every time, each representation is
    that by the weights at the time when its image was encoded, and it is not kept.

    Parameters
    ----------
    images : ImageSet
    ids : sequence of str
    moment : callable
        Returns the encoder's present state; see `Encoder.moment`.
    start : callable
        Makes an encoding if there is anything to compute.

    Returns
    -------
    Tensor
        (len(ids), d), float32, not normalised.
    """
    for _ in range(TRIES):
        now = moment()
        found = _represented(images, ids, now, start)
        if now.lasts:
            break
    return found


def _represented(images: ImageSet, ids: Sequence[str], moment: Moment, start: Callable[[Known], Encoding]) -> Tensor:
    table = moment.representations
    fresh: dict[str, Tensor] = {}  # what was not put into the table, because the weights have changed
    keys = {image: images.known_key(image) for image in dict.fromkeys(ids)}
    wanted = [image for image, key in keys.items() if key is None or key not in table]
    if wanted:
        encoding = start(lambda key: key in table or key in fresh)
        try:
            encoding.submit(wanted)
            for some in encoding.results():
                keys.update(some.keys)
                if some.representations is not None and not moment.add(some.computed, some.representations):
                    fresh.update(zip(some.computed, some.representations, strict=True))
        finally:
            encoding.cancel()
    return table.get([str(keys[image]) for image in ids], fresh)
