"""Find a vision transformer's patch tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .hooks import watchable
from .pooling import same

MOST_PREFIX = 8
"""Most tokens before the patches that are looked for: class, distillation and register tokens."""


@dataclass(frozen=True)
class TokenGrid:
    """Patch tokens: the output (B, T, d) of submodule `module` has `prefix` other tokens, then rows × columns patches.

    `exact` is whether the patches' mean *is* the representation, so that a map of them decomposes it.
    """

    module: str
    prefix: int
    rows: int
    columns: int
    exact: bool

    def as_map(self, tokens: Tensor) -> Tensor:
        """Turn tokens (B, T, d) into a map (B, d, rows, columns)."""
        patches = tokens[:, self.prefix :].transpose(1, 2)
        return patches.reshape(len(tokens), -1, self.rows, self.columns)


def find_tokens(module: nn.Module, run: Callable[[], Tensor]) -> TokenGrid | None:
    """Find the last submodule whose output tokens lie in the representation's space.

    Found by running the encoder once (`run` returns its output) and comparing numbers: the representation must be the
    output's first token, or the mean of its patches.

    Parameters
    ----------
    module : torch.nn.Module
    run : callable
    """
    outputs: dict[str, Tensor] = {}
    images: list[Tensor] = []

    def keep(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 3:
                outputs.pop(name, None)  # the last call counts, and lies last
                outputs[name] = output

        return hook

    handles = [m.register_forward_hook(keep(name)) for name, m in watchable(module) if name]
    handles.append(module.register_forward_pre_hook(lambda _, args: images.append(args[0])))
    try:
        representation = run()
    finally:
        for handle in handles:
            handle.remove()
    if representation.ndim != 2:
        return None
    aspect = images[0].shape[-2] / images[0].shape[-1]
    for name, tokens in reversed(outputs.items()):
        if tokens.shape[0] != len(representation) or tokens.shape[2] != representation.shape[1]:
            continue
        for prefix in range(min(MOST_PREFIX, tokens.shape[1])):
            grid = _grid(tokens.shape[1] - prefix, aspect)
            if grid is None:
                continue
            if same(tokens[:, prefix:].float().mean(1), representation):
                return TokenGrid(name, prefix, *grid, exact=True)
            if prefix and same(tokens[:, 0].float(), representation):
                return TokenGrid(name, prefix, *grid, exact=False)
    return None


def _grid(patches: int, aspect: float) -> tuple[int, int] | None:
    """Return the rows and columns, in the given aspect, of a number of patches; None if they form no such grid."""
    rows = round((patches * aspect) ** 0.5)
    if rows < 2 or patches % rows or abs(rows / (patches // rows) / aspect - 1) > 0.05:
        return None
    return rows, patches // rows
