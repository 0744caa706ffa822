"""Fingerprints of modules: hashes of their weights and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

ATTEMPTS = 3
"""How often the weights are hashed if they change meanwhile."""


class Identity:
    """The fingerprint of a module; its tensors are hashed again only when one of them has changed."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._known: tuple[Hashable, str] | None = None

    def fingerprint(self, about: Callable[[], str]) -> str:
        """Return the hash of the module's tensors and of the text that `about` returns."""

        def tensors() -> list[tuple[str, Any]]:
            return list(self._module.state_dict(keep_vars=True).items())

        # In-place changes (an optimiser's step) raise a tensor's version, so the hash is taken only when one happened.
        def state() -> Hashable:
            return tuple(
                (t.data_ptr(), -1 if t.is_inference() else t._version) for _, t in tensors() if isinstance(t, Tensor)
            )

        return self.of(state, about, tensors)[1]

    def of(
        self,
        state: Callable[[], Hashable],
        about: Callable[[], str],
        tensors: Callable[[], Iterable[tuple[str, Any]]],
    ) -> tuple[Hashable, str]:
        """Return a state and its hash.

        If the tensors change while they are hashed, they are hashed again, a few times at most.
        """
        now = state()
        for _ in range(ATTEMPTS):
            known = self._known
            if known is not None and known[0] == now:
                return known
            digest, before = _digest(about(), tensors()), now
            now = state()
            if now == before:
                self._known = known = now, digest
                return known
        # The weights keep changing: return a hash that no other state has, and do not remember it.
        return before, _digest(f"{digest}{before}", ())


def _digest(about: str, tensors: Iterable[tuple[str, Any]]) -> str:
    digest = hashlib.blake2b(about.encode(errors="surrogatepass"), digest_size=16)
    for key, tensor in tensors:
        digest.update(key.encode())
        if isinstance(tensor, Tensor):
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
