"""Errors of encoders, with messages that name the way out."""

from __future__ import annotations


class EncoderError(RuntimeError):
    """An encoder raised, or returned something that cannot be a representation."""


class NoFeatureMap(EncoderError):
    """The encoder does not end in global average pooling, so there is no final feature map to decompose."""
