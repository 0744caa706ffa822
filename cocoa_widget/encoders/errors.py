"""What can be wrong with an encoder, said so that its user knows what to do."""

from __future__ import annotations


class EncoderError(RuntimeError):
    """An encoder raised, or returned something that is no representation."""


class NoFeatureMap(EncoderError):
    """The encoder does not end in global average pooling, so there is no final feature map to decompose."""
