"""Copies of modules that share their weights."""

from __future__ import annotations

import copy
import operator
import types
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .errors import EncoderError
from .function_module import FunctionModule

PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size)
"""Types of settings: their values hold no module, and are described completely by their `repr`."""

TABLES = frozenset(name for name, value in vars(nn.Module()).items() if isinstance(value, dict | set))
"""Attributes of every module that hold its parts and hooks; never shared, so that a hook on a copy stays there."""

HOOKS = ("_forward_hooks", "_forward_pre_hooks")
"""Those of the tables that change what a module computes."""

_ABSENT = object()
_version = operator.attrgetter("_version")
_contents = operator.attrgetter("cell_contents")


class ModuleCopy:
    """A copy of a module in eval mode, whose tensors alias the module's own and need no gradients.

    Modules and parameters are looked for in attributes, in containers, in partial functions, bound methods and
    closures, and one level deep in other objects. Objects that hold none are shared.

    Parameters
    ----------
    module : torch.nn.Module
    cloned : bool
        Whether tensors are cloned instead of aliased, so that they do not change with the module's.

    Attributes
    ----------
    module : torch.nn.Module
        The copy.
    settings : list of str
        Descriptions of the plain attributes, functions and hooks of all parts.
    parts : list of Module
        The modules that were copied.

    Raises
    ------
    EncoderError
        A parameter has no shape before the module's first pass.
    """

    def __init__(self, module: nn.Module, *, cloned: bool = False) -> None:
        self._cloned = cloned
        self.settings: list[str] = []
        self.parts: list[nn.Module] = []
        self._copies: dict[int, Any] = {}
        self._originals: list[Any] = []  # kept, so that no other object gets the `id` of one
        self._attributes: list[dict[str, Any]] = []
        self._dicts: list[dict[Any, Any]] = []
        self._lists: list[Any] = []
        self._cells: list[types.CellType] = []
        self._unchanged: list[Any] = []  # containers of plain values, which are shared
        self._tensors: list[Tensor] = []
        self._weights: dict[int, Tensor] = {}
        self.module: nn.Module = self._copy(module)
        self._remember()

    def counterpart(self, part: nn.Module) -> nn.Module:
        """Return the copy of a part of the module; other modules are returned as they are."""
        return self._copies.get(id(part), part)  # type: ignore[no-any-return]

    # ---- whether it is up to date ------------------------------------------------------------------------------------

    def holds(self) -> bool:
        """Return whether the module still has the parts, parameters, settings and hooks that were copied.

        Attributes are compared by identity, thousands of them in a fraction of a millisecond.
        """
        try:
            return (
                self._lengths == list(map(len, self._watched))
                and all(map(operator.is_, chain.from_iterable(map(dict.values, self._attributes)), self._values))
                and all(map(operator.is_, chain.from_iterable(map(dict.values, self._dicts)), self._entries))
                and all(map(operator.is_, chain.from_iterable(self._dicts), self._keys))
                and all(map(operator.is_, chain.from_iterable(self._lists), self._items))
                and all(map(operator.is_, map(_contents, self._cells), self._held))
                and list(map(torch._C.TensorBase.data_ptr, self._tensors)) == self._pointers
                and (self._counts == list(map(len, self._unchanged)) or self._still_plain())
            )
        except RuntimeError:  # another thread is changing one of them
            return False

    def versions(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the addresses of parameters and buffers, and PyTorch's counts of writes to them."""
        return (
            tuple(map(torch._C.TensorBase.data_ptr, self._weights.values())),
            tuple(map(_version, self._counting)),
        )

    def same_as(self, other: ModuleCopy) -> bool:
        """Return whether another copy was made of the same parts with the same settings."""
        return (
            self.settings == other.settings
            and len(self.parts) == len(other.parts)
            and all(map(operator.is_, self.parts, other.parts))
        )

    def _remember(self) -> None:
        self._watched = [*self._attributes, *self._dicts, *self._lists]
        self._lengths = [*map(len, self._watched)]
        self._dicts = [*filter(len, self._dicts)]
        self._values = [*chain.from_iterable(map(dict.values, self._attributes))]
        self._entries = [*chain.from_iterable(map(dict.values, self._dicts))]
        self._keys = [*chain.from_iterable(self._dicts)]
        self._items = [*chain.from_iterable(self._lists)]
        self._held = [cell.cell_contents for cell in self._cells]
        self._pointers = [tensor.data_ptr() for tensor in self._tensors]
        self._counts = [*map(len, self._unchanged)]
        # Tensors that were made in inference mode have no version.
        self._counting = [tensor for tensor in self._weights.values() if not tensor.is_inference()]

    def _still_plain(self) -> bool:
        """Return whether containers that have grown hold nothing but plain values still."""
        for held, count in zip(self._unchanged, self._counts, strict=True):
            if len(held) != count:
                values = held.values() if isinstance(held, dict) else held
                if not all(type(value) in PLAIN or _rests(value) for value in list(values)):
                    return False
        self._counts = [*map(len, self._unchanged)]
        return True

    # ---- copying -------------------------------------------------------------------------------------------------

    def _copy(self, value: Any) -> Any:
        if type(value) in PLAIN:
            return value
        known = self._copies.get(id(value), _ABSENT)
        if known is not _ABSENT:
            return known
        self._originals.append(value)
        self._copies[id(value)] = value  # for references to itself
        found = self._copies[id(value)] = self._copied(value)
        return found

    def _copied(self, value: Any) -> Any:
        if isinstance(value, nn.Module):
            return self._module(value)
        if isinstance(value, Tensor):
            return value if _rests(value) and id(value) not in self._weights else self._alias(value)
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence(value)
        if isinstance(value, partial):
            return self._partial(value)
        if isinstance(value, types.MethodType):
            owner = self._copy(value.__self__)
            return value if owner is value.__self__ else types.MethodType(value.__func__, owner)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if type(value) is weakref.ref:
            target = value()
            made = self._copy(target)
            return value if made is target else weakref.ref(made)
        return self._object(value)

    def _module(self, module: nn.Module) -> nn.Module:
        if isinstance(module, FunctionModule):
            return module  # a function of the user's: it has no weights and no modes
        if isinstance(module, torch.jit.ScriptModule):
            return self._program(module)
        inner = wrapped_by(module)
        if inner is not None:
            self._dicts.append(vars(module)["_modules"])
            return self._copy(inner)  # type: ignore[no-any-return]
        made: nn.Module = object.__new__(type(module))
        self._copies[id(module)] = made
        self.parts.append(module)
        self.settings.append(type(module).__qualname__)
        own = vars(module)
        self._attributes.append(own)
        for tensor in chain(own.get("_parameters", {}).values(), own.get("_buffers", {}).values()):
            if tensor is not None:
                self._weights[id(tensor)] = tensor
        attributes: dict[str, Any] = {}
        for name, value in own.copy().items():
            if name in TABLES:
                attributes[name] = self._table(value)
                if name in HOOKS:
                    for hook in value.values():
                        self._describe(name, hook)
            elif name != "training":
                attributes[name] = self._copy(value)
                self._describe(name, value)
        attributes["training"] = False
        attributes["_compiled_call_impl"] = None  # it would call the original
        vars(made).update(attributes)
        for slot, value in _slots(module):
            slot.__set__(made, self._copy(value))
        return made

    def _describe(self, name: str, value: Any) -> None:
        if type(value) in PLAIN or (type(value) is tuple and all(type(each) in PLAIN for each in value)):
            self.settings.append(f"{name}={value!r}")
        elif isinstance(value, types.FunctionType):
            code = value.__code__
            constants = [each for each in code.co_consts if type(each) in PLAIN]
            self.settings.append(f"{name}={value.__qualname__}{code.co_code.hex()}{code.co_names}{constants}")
        elif callable(value) and not isinstance(value, nn.Module):
            self.settings.append(f"{name}={getattr(value, '__qualname__', type(value).__qualname__)}")

    def _table(self, table: dict[Any, Any] | set[Any]) -> dict[Any, Any] | set[Any]:
        if isinstance(table, set):
            return table.copy()
        self._dicts.append(table)
        made = table.copy()
        for key, value in made.items():
            made[key] = self._copy(value)
        return made

    def _program(self, program: torch.jit.ScriptModule) -> nn.Module:
        self.parts.append(program)
        try:
            return torch.jit._recursive.wrap_cpp_module(self._script(program._c))  # type: ignore[no-untyped-call,no-any-return]
        except (AttributeError, RuntimeError):
            return program  # other versions of PyTorch may lack these functions: the program then runs as it is

    def _script(self, program: Any) -> Any:
        made = copy.copy(program)
        tables: Any = torch._C
        for name, part in tables.ModuleDict(program).items():
            made.setattr(name, self._script(part))
        for table in (tables.ParameterDict, tables.BufferDict):
            for name, tensor in table(program).items():
                self._originals.append(tensor)
                self._weights[id(tensor)] = tensor
                alias = self._alias(tensor)
                made.setattr(name, alias.detach() if isinstance(alias, nn.Parameter) else alias)
        if made.hasattr("training"):
            made.setattr("training", False)
        return made

    def _alias(self, tensor: Tensor) -> Tensor:
        if is_lazy(tensor):
            raise EncoderError(
                "The module has parameters that get their shapes in its first pass: run it once on a batch of images"
                " before you make an Encoder of it."
            )
        exact = type(tensor) in (Tensor, nn.Parameter)
        if not exact and not tensor.requires_grad:
            return tensor  # of a class that packs its values in its own way
        made = tensor.detach()
        if self._cloned:
            made = made.clone()
        if exact and tensor.layout == torch.strided:
            self._tensors.append(tensor)
        if type(tensor) is nn.Parameter:
            made = nn.Parameter(made, requires_grad=False)
        vars(made).update(vars(tensor))
        return made

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        made = {key: self._copy(each) for key, each in value.copy().items()}
        if not _replaced(made.values(), value.values()):
            self._unchanged.append(value)
            return value
        self._dicts.append(value)
        found = copy.copy(value)  # of its class, with its order and its default
        for key, each in made.items():
            dict.__setitem__(found, key, each)
        return found

    def _sequence(self, value: Any) -> Any:
        made = [self._copy(each) for each in list(value)]
        if not _replaced(made, value):
            if not isinstance(value, tuple | frozenset):
                self._unchanged.append(value)
            return value
        if isinstance(value, tuple):
            return type(value)._make(made) if hasattr(value, "_make") else type(value)(made)
        self._lists.append(value)
        if type(value) in (list, set, frozenset):
            return type(value)(made)
        found = copy.copy(value)
        if isinstance(value, list):
            found[:] = made
        else:
            found.clear()
            found.update(made)
        return found

    def _partial(self, value: partial[Any]) -> partial[Any]:
        parts = (value.func, value.args, value.keywords)
        made = [self._copy(part) for part in parts]
        if not _replaced(made, parts):
            return value
        function, args, keywords = made
        found = type(value)(function, *args, **keywords)
        vars(found).update(vars(value))
        return found

    def _function(self, value: types.FunctionType) -> Callable[..., Any]:
        compiled = getattr(value, "_torchdynamo_orig_callable", None)
        if compiled is not None:
            return self._copy(compiled)  # type: ignore[no-any-return]
        try:
            held = [cell.cell_contents for cell in value.__closure__ or ()]
        except ValueError:  # a variable without a value yet
            return value
        made, defaults = [self._copy(each) for each in held], self._copy(value.__defaults__)
        if not _replaced(made, held) and defaults is value.__defaults__:
            return value
        cells = []
        for cell, old, new in zip(value.__closure__ or (), held, made, strict=True):
            self._cells.append(cell)
            cells.append(cell if old is new else types.CellType(new))
        found = types.FunctionType(value.__code__, value.__globals__, value.__name__, defaults, tuple(cells))
        found.__kwdefaults__, found.__qualname__ = value.__kwdefaults__, value.__qualname__
        vars(found).update(vars(value))
        return found

    def _object(self, value: Any) -> Any:
        if isinstance(value, type | types.ModuleType) or not any(
            map(_has_module, getattr(value, "__dict__", {}).values())
        ):
            return value
        try:
            found = object.__new__(type(value))
        except TypeError:  # of a class that is made in C
            return value
        self._copies[id(value)] = found
        self._attributes.append(vars(value))
        vars(found).update({name: self._copy(each) for name, each in vars(value).copy().items()})
        return found


def wrapped_by(module: nn.Module) -> nn.Module | None:
    """Return what ``torch.compile`` or ``DistributedDataParallel`` wraps; None for other modules."""
    parts: dict[str, nn.Module] = vars(module).get("_modules", {})
    if isinstance(module, nn.parallel.DistributedDataParallel):
        return parts["module"]
    return parts.get("_orig_mod")


def _replaced(made: Iterable[Any], originals: Iterable[Any]) -> bool:
    return not all(map(operator.is_, made, originals))


def _rests(value: Any) -> bool:
    """Return whether something is a tensor that nothing trains, such as one that a module keeps from its last pass."""
    return type(value) is Tensor and not value.requires_grad


def _has_module(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(each, nn.Module) for each in value)
    if isinstance(value, dict):
        return any(isinstance(each, nn.Module) for each in value.values())
    return isinstance(value, nn.Module)


def _slots(module: nn.Module) -> Iterable[tuple[types.MemberDescriptorType, Any]]:
    """Return what a module keeps outside its ``__dict__``."""
    for cls in type(module).__mro__:
        for member in list(vars(cls).values()):
            if isinstance(member, types.MemberDescriptorType):
                try:
                    yield member, member.__get__(module)
                except AttributeError:  # without a value yet
                    continue
