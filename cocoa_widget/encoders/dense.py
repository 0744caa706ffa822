"""Dense maps of a vision transformer: what its last blocks give for each patch when their attention is changed.

Contrastive training asks only for the class token, so patch tokens need not say what lies where they are. The published
ways to read a transformer densely all leave its weights as they are and replace the attention of its last blocks, so
that a token mixes with tokens like itself. All give tokens in the space of the representation, so that their products
with a direction are heatmaps that are linear in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .probing.attention import Attention, Blocks
from .probing.hooks import argument, exchange, first
from .probing.tokens import TokenGrid

Heads = Callable[[Attention, Tensor, TokenGrid], Tensor]
"""From a layer, its input (B, T, D) and the grid of patches to what the heads give for each token (B, heads, T, c)."""


def _value(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    return layer.split(tokens)[2]


def _value_value(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    value = layer.split(tokens)[2]
    return layer.logits(value, value).softmax(-1) @ value


def _neighbour(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    _, key, value = layer.split(tokens)
    logits = layer.logits(key, key)
    logits[..., grid.prefix :, grid.prefix :] += _closeness(grid, WIDTH).to(logits)
    return logits.softmax(-1) @ value


WIDTH = 5.0
"""Standard deviation in patches of NACLIP's Gaussian."""


def _closeness(grid: TokenGrid, width: float) -> Tensor:
    """Return a Gaussian of the distance of each patch from each (patches, patches); 1 for itself."""
    rows, columns = torch.meshgrid(torch.arange(grid.rows), torch.arange(grid.columns), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], 1).float()
    closeness: Tensor = (torch.cdist(places, places).square() / (-2 * width**2)).exp()
    return closeness


def _self_self(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    query, key, value = layer.split(tokens)
    sharpness = tokens.norm(dim=-1).mean(1)[:, None, None, None] * value.shape[-1] ** -0.5

    def attention(of: Tensor) -> Tensor:
        of = F.normalize(of, dim=-1)
        weights: Tensor = (sharpness * of @ of.mT).softmax(-1)
        return weights

    mixed = [attention(attention(of) @ F.normalize(of, dim=-1)) @ value for of in (query, key, value)]
    return torch.stack(mixed).mean(0)


def _own_share(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    query, key, value = layer.split(tokens)
    return layer.logits(query[:, :, :1], key).softmax(-1).mT * value


@dataclass(frozen=True)
class Recipe:
    """A way to read a transformer densely.

    Attributes
    ----------
    heads : callable
    read : {"block", "sum", "attention", "share"}
        What becomes of the attention's output: it takes the place of the original one in the block (``"block"``); it is
        added to the tokens, without feed-forward layers (``"sum"``); it is taken alone (``"attention"``), or as a share
        of the class token, which the last normalisation scales as it does the whole (``"share"``).
    half : bool
        Whether the last half of the blocks is changed, or the last block alone.
    """

    heads: Heads
    read: Literal["block", "sum", "attention", "share"]
    half: bool = False


DenseKind = Literal["value", "value_value", "neighbour", "self_self", "contributions"]

RECIPES: dict[DenseKind, Recipe] = {
    "value": Recipe(_value, "block"),
    "value_value": Recipe(_value_value, "sum", half=True),
    "neighbour": Recipe(_neighbour, "attention"),
    "self_self": Recipe(_self_self, "sum", half=True),
    "contributions": Recipe(_own_share, "share", half=True),
}


@contextmanager
def reading(module: nn.Module, blocks: Blocks, grid: TokenGrid, aspect: float, kind: DenseKind) -> Iterator[None]:
    """Let a pass of a module carry what a recipe reads as a second half of the batch, from the last block on.

    The first half, and so the first half of the module's output, is what it is without a recipe. The module's own parts
    compute all that comes after attention: scales, feed-forward layers, the last normalisation, projections.

    Parameters
    ----------
    module : torch.nn.Module
        A copy that is run by nobody else.
    blocks : Blocks
    grid : TokenGrid
    aspect : float
        Height of the inputs divided by their width.
    kind : str
        Of `RECIPES`.
    """
    recipe = RECIPES[kind]
    chosen = blocks.blocks[len(blocks.blocks) // 2 :] if recipe.half else blocks.blocks[-1:]
    reader = _Reader(grid, aspect, recipe)
    with ExitStack() as stack:

        def hook(register: Callable[..., Any], function: Callable[..., Any], **options: bool) -> None:
            stack.callback(register(function, **options).remove)

        for block in chosen:
            layer = module.get_submodule(block.attention)
            whole = module.get_submodule(block.whole)
            hook(whole.register_forward_pre_hook, reader.double)
            hook(layer.register_forward_pre_hook, reader.see, with_kwargs=True)
            hook(layer.register_forward_hook, partial(reader.attend, Attention(layer)))
            hook(module.get_submodule(block.feed_forward).register_forward_pre_hook, reader.add)
            hook(whole.register_forward_hook, reader.finish if block is chosen[-1] else reader.halve)
        if recipe.read == "share" and blocks.norm is not None:
            hook(module.get_submodule(blocks.norm).register_forward_hook, reader.scale)
        yield


class _Reader:
    """The hooks of one pass. Tensors from the first half of a doubled batch are the module's own."""

    def __init__(self, grid: TokenGrid, aspect: float, recipe: Recipe) -> None:
        self._grid, self._aspect, self._recipe = grid, aspect, recipe
        self._tokens: Tensor | None = None  # the input of the first block (B, T, D)
        self._into, self._given = torch.empty(0), torch.empty(0)  # those of the present block, and of its attention
        self._sum: Tensor | float = 0.0  # of the blocks' attention

    def double(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self._into = args[0]
        self._tokens = args[0] if self._tokens is None else self._tokens
        return torch.cat([args[0], args[0]]), *args[1:]

    def see(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = argument(args, kwargs)
        assert given is not None
        self._given = given[: len(self._into)]

    def attend(self, layer: Attention, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        heads = self._recipe.heads(layer, self._given, self._grid.of(self._given, self._aspect))
        # A bias is nobody's share.
        read = layer.merge(heads, bias=self._recipe.read != "share")
        own = first(output)[: len(self._into)]
        return exchange(output, torch.cat([own, read.to(own)]))

    def add(self, _: nn.Module, args: tuple[Any, ...]) -> None:
        self._sum = self._sum + args[0][len(self._into) :] - self._into

    def halve(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        return exchange(output, first(output)[: len(self._into)])

    def finish(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        own, changed = first(output).chunk(2)
        if self._recipe.read == "sum":
            assert self._tokens is not None
            changed = self._tokens + self._sum
        elif self._recipe.read != "block":
            changed = self._sum
        return exchange(output, torch.cat([own, changed]))

    def scale(self, norm: nn.LayerNorm, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        """Normalise shares of the class token by its own mean and deviation, so that they stay additive."""
        if args[0].ndim != 3:  # some modules normalise the class token once more, by itself
            return None
        whole, shares = args[0].float().chunk(2)
        deviation = (whole[:, :1].var(-1, unbiased=False, keepdim=True) + norm.eps).sqrt()
        scaled = (shares - shares.mean(-1, keepdim=True)) / deviation
        if norm.weight is not None:
            scaled = scaled * norm.weight
        scaled[:, 0] = 0  # what follows adds its bias to it and to all others
        return torch.cat([output[: len(whole)], scaled.to(output)])


def completed(shares: Tensor, prefix: int, representations: Tensor) -> Tensor:
    """Return tokens whose patches' mean is the representation, of the shares of tokens in it (B, T, d).

    The first token has no share: there, the projection has left its bias. What is not from patches through the
    attention that was read (the class token itself, feed-forward layers, earlier blocks, biases) is the same for all.
    """
    shares = shares - shares[:, :1]
    patches = shares[:, prefix:]
    rest = representations[:, None] - patches.sum(1, keepdim=True)
    return shares * patches.shape[1] + rest
