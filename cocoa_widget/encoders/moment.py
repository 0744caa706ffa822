"""The state of an encoder at one moment, by which results of different weights are kept apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from torch import Tensor

from .errors import EncoderError
from .identity import Identity
from .representations import Representations
from .settings import Settings
from .twin import Twin


class Moment:
    """The state of an encoder at one moment: taken before passes, it tells afterwards whether the weights have changed.

    Attributes
    ----------
    fingerprint : str
        Of the encoder at that moment.
    representations : Representations
        The table of representations by the weights of that moment.

    Examples
    --------
    >>> moment = encoder.moment()  # doctest: +SKIP
    >>> moment.add(keys, encoder.forward(inputs).representations)  # doctest: +SKIP
    True
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
        """Whether the weights are still the same, so that all passes since then have seen the same weights."""
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
            What has been done since, such as ``"explicands were prepared"``, for the error.
        instead : str
            The way out, for the error.
        """
        if not self.lasts:
            raise EncoderError(f"The weights of encoder {self._name!r} changed while {doing}. {instead}")


class Moments:
    """The moments of one encoder; those with the same fingerprint share a table.

    Parameters
    ----------
    twin : Twin
        Of the module.
    settings : Settings
    """

    def __init__(self, twin: Twin, settings: Settings) -> None:
        self._twin, self._settings = twin, settings
        self._identity = Identity(twin.module)
        self._table: tuple[str, Representations] | None = None
        self._lock = threading.Lock()  # guards `_table`

    def now(self) -> Moment:
        """Return the encoder's present state."""
        with self._lock:
            state, fingerprint = self.identified()
            if self._table is None or self._table[0] != fingerprint:
                self._table = fingerprint, Representations()  # representations by earlier weights have become useless
            return Moment(self._settings.name, fingerprint, self._table[1], self._twin.state, state)

    def refresh(self) -> None:
        """Count the module as changed, and forget what was computed."""
        with self._lock:
            self._twin.refresh()
            self._table = None

    def identified(self) -> tuple[Hashable, str]:
        """Return a value that differs for each state within this process, and the fingerprint."""

        def about() -> str:
            settings, copied = self._settings, self._twin.current().settings
            return f"{self._twin.module!r}{copied}{settings.preprocess!r}{settings.output!r}{settings.dtype}"

        def tensors() -> Iterable[tuple[str, Any]]:
            module = self._twin.current().module
            return (dict(module.named_buffers()) | module.state_dict(keep_vars=True)).items()

        return self._identity.of(self._twin.state, about, tensors)
