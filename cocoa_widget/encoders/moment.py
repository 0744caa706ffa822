"""An encoder's state at one moment, so that results of later passes are not mixed with those of other weights."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from torch import Tensor

from .errors import EncoderError
from .representations import Representations


class Moment:
    """The state of an encoder before some passes; `Encoder.moment` makes it.

    Attributes
    ----------
    fingerprint : str
        The encoder's, at that moment.
    representations : Representations
        The table of what was computed with the weights of that moment.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        representations: Representations,
        state: Callable[[], Hashable],
        was: Hashable,
    ) -> None:
        self.fingerprint, self.representations = fingerprint, representations
        self._name, self._state, self._was = name, state, was

    @property
    def lasts(self) -> bool:
        """Whether the weights are what they were, so that passes since then have all seen the same."""
        return self._state() == self._was

    def add(self, keys: Sequence[str], representations: Tensor) -> bool:
        """Keep `representations` (n, d) in the table unless the weights have changed; return whether they are kept."""
        if not self.lasts:
            return False
        self.representations.add(keys, representations)
        return True

    def check(self, doing: str, instead: str) -> None:
        """Raise `EncoderError` if the weights have changed.

        Parameters
        ----------
        doing : str
            What has been done since, such as ``"explicands were prepared"``.
        instead : str
            The way out.
        """
        if not self.lasts:
            raise EncoderError(f"The weights of encoder {self._name!r} changed while {doing}. {instead}")
