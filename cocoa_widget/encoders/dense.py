"""Dense maps of a vision transformer: what the attention of its blocks gives for each patch.

Training asks only for the class token, so a patch token need not say what lies where it is. Both ways to read a
transformer leave its weights as they are, and look at what attention adds to the tokens. The result lies in the space
of the representation, so that its products with a direction are heatmaps that are linear in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .probing.attention import Attention, Blocks
from .probing.hooks import argument, exchange, first
from .probing.tokens import TokenGrid

DenseKind = Literal["contributions", "neighbour"]
"""``"contributions"``: what each patch adds to the class token through the attention of all blocks (Gandelsman, Efros &
Steinhardt, ICLR 2024). ``"neighbour"``: patch tokens that are the last attention's output alone,
where keys attend to similar keys, close ones rather (NACLIP; Hajimiri, Ben Ayed & Dolz, WACV 2025)."""

WIDTH = 5.0
"""Standard deviation of NACLIP's Gaussian in patches."""


def _shares(layer: Attention, tokens: Tensor) -> Tensor:
    """Return what each token adds to the class token's output (B, T, D); its bias is from no token."""
    query, key, value = layer.split(tokens)
    return layer.merge(layer.logits(query[:, :, :1], key).softmax(-1).mT * value, bias=False)


def _neighbours(layer: Attention, tokens: Tensor, grid: TokenGrid) -> Tensor:
    _, key, value = layer.split(tokens)
    logits = layer.logits(key, key)
    logits[..., grid.prefix :, grid.prefix :] += _closeness(grid).to(logits)
    return layer.merge(logits.softmax(-1) @ value)


def _closeness(grid: TokenGrid) -> Tensor:
    """Return a Gaussian of the distance of each patch from each (patches, patches); 1 for itself."""
    rows, columns = torch.meshgrid(torch.arange(grid.rows), torch.arange(grid.columns), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], 1).float()
    closeness: Tensor = (torch.cdist(places, places).square() / (-2 * WIDTH**2)).exp()
    return closeness


@contextmanager
def reading(module: nn.Module, blocks: Blocks, grid: TokenGrid, kind: DenseKind) -> Iterator[None]:
    """Let a pass of a module carry what is read as a second half of the batch, behind the last block.

    The first half, and so the first half of the module's output, is what it is without reading. The module's own parts
    compute all that comes after attention: scales, the last normalisation, projections.

    Parameters
    ----------
    module : torch.nn.Module
        A copy that nothing else runs.
    blocks : Blocks
    grid : TokenGrid
    kind : str
    """
    shares = kind == "contributions"
    chosen = blocks.blocks if shares else blocks.blocks[-1:]
    reader = _Reader(_shares if shares else partial(_neighbours, grid=grid))
    with ExitStack() as stack:

        def hook(register: Callable[..., Any], function: Callable[..., Any], **options: bool) -> None:
            stack.callback(register(function, **options).remove)

        for block in chosen:
            layer, whole = module.get_submodule(block.attention), module.get_submodule(block.whole)
            hook(whole.register_forward_pre_hook, reader.double)
            hook(layer.register_forward_pre_hook, reader.see, with_kwargs=True)
            hook(layer.register_forward_hook, partial(reader.attend, Attention(layer)))
            hook(module.get_submodule(block.feed_forward).register_forward_pre_hook, reader.add)
            hook(whole.register_forward_hook, reader.finish if block is chosen[-1] else reader.halve)
        if shares and blocks.norm is not None:
            hook(module.get_submodule(blocks.norm).register_forward_hook, reader.scale)
        yield


class _Reader:
    """The hooks of one pass. The first half of a doubled batch is always the module's own."""

    def __init__(self, read: Callable[[Attention, Tensor], Tensor]) -> None:
        self._read = read
        self._tokens, self._given = torch.empty(0), torch.empty(0)  # inputs of the present block and of its attention
        self._sum: Tensor | float = 0.0  # what attention adds to the tokens, over the blocks

    def double(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self._tokens = args[0]
        return torch.cat([args[0], args[0]]), *args[1:]

    def see(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = argument(args, kwargs)
        assert given is not None
        self._given = given[: len(self._tokens)]

    def attend(self, layer: Attention, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        own = first(output)[: len(self._tokens)]
        return exchange(output, torch.cat([own, self._read(layer, self._given).to(own)]))

    def add(self, _: nn.Module, args: tuple[Any, ...]) -> None:
        # As a difference, since scales may lie between the attention and this place.
        self._sum = self._sum + args[0][len(self._tokens) :] - self._tokens

    def halve(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        return exchange(output, first(output)[: len(self._tokens)])

    def finish(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        assert isinstance(self._sum, Tensor)
        return exchange(output, torch.cat([first(output)[: len(self._tokens)], self._sum]))

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
    attention of these blocks (the class token itself, feed-forward layers, biases) is the same for all.
    """
    shares = shares - shares[:, :1]
    patches = shares[:, prefix:]
    rest = representations[:, None] - patches.sum(1, keepdim=True)
    return shares * patches.shape[1] + rest
