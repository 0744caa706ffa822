"""Find the blocks of a vision transformer, and the parts of their self-attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .hooks import Call, exchange, first, record, watchable

ROLES = {
    "q": ("q_proj", "query"),
    "k": ("k_proj", "key"),
    "v": ("v_proj", "value"),
    "qkv": ("qkv",),
    "out": ("out_proj", "o_proj", "proj", "dense"),
}
"""Names that libraries give to the projections of a self-attention layer."""
HEADS = ("num_heads", "num_attention_heads")


class Attention:
    """The projections of one self-attention layer, whichever library it is from.

    Parameters
    ----------
    layer : torch.nn.Module
        A `torch.nn.MultiheadAttention`, or a layer whose projections have one of the usual names.

    Raises
    ------
    LookupError
        The projections are not found.
    """

    def __init__(self, layer: nn.Module) -> None:
        self.heads = next((getattr(m, name) for m in layer.modules() for name in HEADS if hasattr(m, name)), 0)
        found = {
            role: part
            for name, part in layer.named_modules()
            for role, names in ROLES.items()
            if name.rpartition(".")[2] in names and isinstance(part, nn.Linear)
        }
        if not self.heads or "out" not in found:
            raise LookupError
        self.out = found["out"]
        self._three: tuple[nn.Module, ...] = ()
        self._packed: Callable[[Tensor], Tensor] | None = None
        if isinstance(layer, nn.MultiheadAttention):
            if layer.in_proj_weight is None or not layer.batch_first:
                raise LookupError
            weight, bias = layer.in_proj_weight, layer.in_proj_bias
            self._packed = lambda tokens: F.linear(tokens, weight, bias)
        elif "qkv" in found:
            self._packed = found["qkv"]
        elif {"q", "k", "v"} <= found.keys():
            self._three = found["q"], found["k"], found["v"]
        else:
            raise LookupError

    def split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values (B, heads, T, c) of the layer's input (B, T, D)."""
        three = self._packed(tokens).chunk(3, -1) if self._packed else [part(tokens) for part in self._three]
        query, key, value = (each.unflatten(-1, (self.heads, -1)).transpose(1, 2) for each in three)
        return query, key, value

    def merge(self, mixed: Tensor, *, bias: bool = True) -> Tensor:
        """Return the layer's output (B, T, D) for what the heads give (B, heads, T, c)."""
        merged = mixed.transpose(1, 2).flatten(2)
        return F.linear(merged, self.out.weight, self.out.bias if bias else None)

    def logits(self, query: Tensor, key: Tensor) -> Tensor:
        """Return the logits (B, heads, T, T) of the attention of queries to keys."""
        logits: Tensor = query @ key.transpose(-2, -1) * key.shape[-1] ** -0.5
        return logits

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the layer's output for its input (B, T, D), computed from the projections."""
        query, key, value = self.split(tokens)
        return self.merge(self.logits(query, key).softmax(-1) @ value)


@dataclass(frozen=True)
class Block:
    """The names of a transformer block and of its parts.

    Attributes
    ----------
    whole : str
        Takes tokens (B, T, D) and returns ``h + feed_forward(h)`` with ``h = tokens + attention(tokens)``, where both
        functions include normalisations and scales.
    attention : str
        The self-attention layer.
    feed_forward : str
        The first submodule that takes h.
    """

    whole: str
    attention: str
    feed_forward: str


@dataclass(frozen=True)
class Blocks:
    """The last transformer blocks of an encoder.

    Attributes
    ----------
    blocks : tuple of Block
        Blocks that follow each other, the encoder's last one at the end.
    norm : str or None
        The first layer normalisation that takes the last block's output.
    """

    blocks: tuple[Block, ...]
    norm: str | None


def find_blocks(module: nn.Module, run: Callable[[], object]) -> Blocks | None:
    """Find the last transformer blocks whose attention is, in numbers, the softmax attention of their projections.

    Found by running the encoder twice (`run`). In the second run the last attention layer returns zeros: what takes the
    block's own input after that takes the sum of both in other runs. Blocks that are built differently, such as those
    that normalise after attention, are not found.

    Parameters
    ----------
    module : torch.nn.Module
    run : callable
    """
    layers = dict(_attention_layers(module))
    calls = record(((name, module.get_submodule(name)) for name in layers), run) if layers else []
    true = [call.name for call in calls if _computes(layers[call.name], call)]
    if not true:
        return None
    attention = true[-1]
    block = attention.rpartition(".")[0]
    if not block:
        return None
    layer = module.get_submodule(attention)
    handle = layer.register_forward_hook(lambda _, __, output: exchange(output, torch.zeros_like(first(output))))
    try:
        calls = record(watchable(module), run)
    finally:
        handle.remove()
    whole = next(call for call in reversed(calls) if call.name == block)
    silent = next(call for call in reversed(calls) if call.name == attention)
    if whole.given is None or silent.given is None or silent.given.shape != whole.given.shape:
        return None  # attention within windows
    later = [each for each in calls[calls.index(silent) + 1 :] if not each.name.startswith(f"{attention}.")]
    within = (call.name for call in later if call.name.startswith(f"{block}.") and _equal(call.given, whole.given))
    feed_forward = next(within, None)
    if feed_forward is None:
        return None
    behind = (call.name for call in later if _equal(call.given, whole.returned))
    norm = next((name for name in behind if isinstance(module.get_submodule(name), nn.LayerNorm)), None)
    parts = attention.removeprefix(block), feed_forward.removeprefix(block)
    last = {call.name: call for call in calls}
    blocks = [Block(block, attention, feed_forward)]
    for name in reversed([each.removesuffix(parts[0]) for each in true[:-1] if each.endswith(parts[0])]):
        if name + parts[1] not in last or not _equal(last[name].returned, last[blocks[0].whole].given):
            break
        blocks.insert(0, Block(name, name + parts[0], name + parts[1]))
    return Blocks(tuple(blocks), norm)


def _attention_layers(module: nn.Module) -> Iterator[tuple[str, Attention]]:
    """Yield the smallest submodules that have all projections of a self-attention layer."""
    found: dict[str, Attention] = {}
    for name, part in watchable(module):
        with suppress(LookupError):
            found[name] = Attention(part)
    for name, layer in found.items():
        if name and not any(other.startswith(f"{name}.") for other in found):
            yield name, layer


def _computes(layer: Attention, call: Call) -> bool:
    """Return whether a layer's output is what its projections give, up to rounding."""
    if call.given is None or call.returned is None or call.given.ndim != 3:
        return False
    try:
        computed = layer(call.given)
    except RuntimeError:  # the shapes are of another kind of layer
        return False
    if computed.shape != call.returned.shape:
        return False
    tolerance = max(1e-4, 8 * torch.finfo(call.returned.dtype).eps) * float(call.returned.abs().max())
    return float((computed.float() - call.returned.float()).abs().max()) <= tolerance


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape and torch.equal(one, other)
