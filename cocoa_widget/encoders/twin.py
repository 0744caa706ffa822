"""A copy of a module that shares its weights: encoders run the copy and leave the module itself alone."""

from __future__ import annotations

import threading

import torch
from torch import nn

from .copying import ModuleCopy

State = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Changes whenever a module's weights, settings or parts do, except for in-place changes through ``.data``."""


class Twin:
    """An up-to-date copy of a module that the user may train at the same time.

    The user may switch the module's modes, step an optimiser, and put hooks and gradients on it at any time and from
    any thread. So the module itself is neither run nor written to: `current` returns a copy that has its own module
    objects in eval mode, parameters that alias the module's storage without gradients, and hook tables of its own. The
    copy is checked before every use, and replaced if a part, a parameter, a setting or a hook has changed.

    Some things stay shared with the module: objects that hold no module and no parameter, such as a list of numbers,
    and the values of a buffer that `forward` writes to in eval mode. Frozen or quantised weights of a class of their
    own are not copied. TorchScript modules are copied too, but only changes of their tensors are noticed.

    Parameters
    ----------
    module : torch.nn.Module
        Of ``torch.compile`` and ``DistributedDataParallel``, what they wrap is copied.

    Attributes
    ----------
    module : torch.nn.Module
        The module itself.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._lock = threading.Lock()
        self._copy: ModuleCopy | None = None
        self._revision = 0

    def current(self) -> ModuleCopy:
        """Return the copy, brought up to date."""
        with self._lock:
            return self._followed()

    def state(self) -> State:
        """Return a value that differs for each state of the module; cheap."""
        with self._lock:
            copy = self._followed()
            return self._revision, *copy.versions()

    def private(self) -> ModuleCopy:
        """Return a copy with weights of its own, which stay the same while the module is trained."""
        with torch.inference_mode(False), torch.no_grad():
            return ModuleCopy(self.module, cloned=True)

    def refresh(self) -> None:
        """Treat the module as changed, for changes that cannot be noticed."""
        with self._lock:
            self._copy = None

    def _followed(self) -> ModuleCopy:
        copy = self._copy
        if copy is None or not copy.holds():
            # Aliases that are made in inference mode could not be differentiated later.
            with torch.inference_mode(False), torch.no_grad():
                fresh = ModuleCopy(self.module)
            # A module that keeps its last output differs after every pass, and yet means the same.
            if copy is None or not copy.same_as(fresh):
                self._revision += 1
            self._copy = copy = fresh
        return copy
