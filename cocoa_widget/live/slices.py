"""How much work the slow lane takes on before it looks up again."""

from __future__ import annotations

SLICE_SECONDS = 0.05
"""What one slice should take: the longest that a change of the bins may have to share the processor."""


class SliceSize:
    """How many passes a slice has, learnt from how long slices took.

    A pass in a small batch takes longer than one in a large batch, so the time per pass is no guide: sized by it,
    slices that a busy moment made small would look expensive, and stay small. So a slice that took less than it may is
    followed by a larger one.

    Attributes
    ----------
    passes : int
        Of the next slice.
    """

    def __init__(self) -> None:
        self.passes = 4

    def learn(self, passes: int, seconds: float) -> None:
        """Take in that a slice of so many passes took so long."""
        fitting = int(passes * SLICE_SECONDS / max(seconds, 1e-9))
        if seconds > SLICE_SECONDS:
            self.passes = max(1, min(passes - 1, fitting))
        elif passes >= self.passes:  # a smaller one was the end of something, and tells nothing of larger ones
            self.passes = max(passes + 1, min(2 * passes, fitting))
