"""The size of the slow lane's slices."""

from __future__ import annotations

SLICE_SECONDS = 0.05
"""What one slice should take: for so long a change of the bins may have to share the processor."""


class SliceSize:
    """The number of passes in a slice, learned from how long slices took.

    A pass in a small batch takes longer than one in a large batch. Slices that a busy moment has made small would look
    expensive if they were judged by the time per pass, and stay small. So a slice that took less time than it may take
    is followed by a larger one.

    Attributes
    ----------
    passes : int
        Number of passes in the next slice.
    """

    def __init__(self) -> None:
        self.passes = 4

    def learn(self, passes: int, seconds: float) -> None:
        """Adjust the size after a slice of `passes` took `seconds`."""
        fitting = int(passes * SLICE_SECONDS / max(seconds, 1e-9))
        if seconds > SLICE_SECONDS:
            self.passes = max(1, min(passes - 1, fitting))
        elif passes >= self.passes:  # a smaller slice was the end of something, and says nothing about larger ones
            self.passes = max(passes + 1, min(2 * passes, fitting))
