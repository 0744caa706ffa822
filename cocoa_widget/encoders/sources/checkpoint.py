"""Checkpoints: read without running code in them, searched for the weights of a network, and compared with it."""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Weights = str | Path | Mapping[str, Any] | None

FOLLOWERS = ("encoder_k", "momentum", "target", "teacher", "ema", "key")
"""Names of copies that lag behind the trained network; taken only if there is no other."""

BUFFERS = ("num_batches_tracked", "position_ids")
"""Ends of names of counters, which may differ or be missing."""

MOST_UNPACKED = 1 << 30
"""Bytes that any file may unpack to, however small it is."""

NESTING = 4
"""Levels of dictionaries in a checkpoint that are searched for a state dict."""


def read_weights(weights: str | Path | Mapping[str, Any]) -> tuple[Any, str]:
    """Read a file of weights; only tensors and plain containers are loaded, so no code in it can run.

    Returns
    -------
    contents : Any
        What was saved.
    origin : str
        Name of the file in errors.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, is no checkpoint, or holds Python objects that could run code.
    """
    if isinstance(weights, Mapping):
        return weights, "the given state dict"
    path = Path(weights).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {str(path)!r}: give the path of a saved state dict (.pth, .safetensors)."
        )
    refuse_placeholder(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path), str(path)
    return _read_torch(path), str(path)


def refuse_placeholder(path: Path) -> None:
    """Refuse a placeholder of a file that was not downloaded.

    Raises
    ------
    ValueError
        The file is a Git LFS pointer or a web page.
    """
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    if start.startswith((b"version https://git-lfs", b"<!", b"<html")):
        kind = "a web page" if start.startswith(b"<") else "a Git LFS pointer"
        raise ValueError(f"{path} is {kind} instead of weights: download the file that it stands for.")


def refuse_bomb(path: Path) -> None:
    """Refuse an archive that is small on disk and would fill the memory; PyTorch itself does not compress.

    Raises
    ------
    ValueError
        The file would unpack to many times its size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        # The file is no archive, which PyTorch's old formats are not either, or it is damaged, which PyTorch reports.
        return
    packed = path.stat().st_size
    if unpacked > max(MOST_UNPACKED, 10 * packed):
        raise ValueError(
            f"{path} has {packed / 1e6:,.0f} MB and would unpack to {unpacked / 1e6:,.0f} MB, which no checkpoint of"
            " PyTorch's does, so it was not loaded. Download it again, or save it with torch.save."
        )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        state: dict[str, Tensor] = load_file(path)
    except Exception as error:
        raise ValueError(f"{path} is damaged, or no safetensors file: {error}. Download or save it again.") from error
    return state


def _read_torch(path: Path) -> Any:
    refuse_bomb(path)
    try:
        # Training scripts save their arguments too; a Namespace only holds values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise exceptions of many classes
        message = str(error)
        if "TorchScript" in message:
            raise ValueError(f"{path} is a TorchScript program: use load_encoder('torchscript/{path}').") from error
        if "Unsupported global" in message or "GLOBAL" in message:
            raise ValueError(
                f"{path} holds Python objects, not only tensors, and to load those could run any code; so it was not"
                " loaded. Where you trust it, save its tensors alone: torch.save(model.state_dict(), 'weights.pth')."
            ) from error
        raise ValueError(f"{path} is damaged, or no checkpoint of PyTorch's. Download or save it again.") from error


@dataclass(frozen=True)
class _Candidate:
    """A state dict within a checkpoint, whose names are read without a prefix."""

    state: Mapping[str, Tensor]
    prefix: str
    names: Mapping[str, str]
    follows: bool

    def tensor(self, key: str) -> Tensor | None:
        return self.state.get(self.prefix + self.names.get(key, key))

    def rank(self, reference: Mapping[str, Tensor]) -> tuple[int, int, bool]:
        found = [(self.tensor(key), tensor) for key, tensor in reference.items()]
        fits = sum(mine is not None and mine.shape == tensor.shape for mine, tensor in found)
        return fits, sum(mine is not None for mine, _ in found), not self.follows


def find_state(
    contents: Any,
    origin: str,
    network: nn.Module,
    name: str,
    *,
    head: Collection[str] = (),
    variants: Sequence[Mapping[str, str]] = ({},),
    extras: bool = False,
) -> dict[str, Tensor]:
    """Find the weights of a network in the contents of a checkpoint.

    They may be nested in dictionaries, and have a prefix (``module.``, ``backbone.``, ``module.encoder_q.``, …), which
    is the one by which most names fit; tensors with other prefixes, such as a projection head, are left out.

    Parameters
    ----------
    contents, origin
        From `read_weights`.
    network : torch.nn.Module
    name : str
        Of the network, for errors.
    head : collection of str
        Names of parameters and submodules that may be missing, or have other shapes; they are returned as they are in
        the file, or not at all if `extras` are left out.
    variants : sequence of mapping
        Other names that files give to the network's tensors, each from ours to theirs.
    extras : bool
        Whether tensors that the network does not have are left out even if their prefix is that of the network.

    Returns
    -------
    dict of str to Tensor
        By the network's own names.

    Raises
    ------
    ValueError
        The weights do not fit; the message names what does not.
    """
    heads = tuple(f"{each}." for each in head if each)
    reference = {
        key: tensor
        for key, tensor in network.state_dict().items()
        if not key.endswith(BUFFERS) and not f"{key}.".startswith(heads)
    }
    states = list(_states(contents))
    if not states:
        raise ValueError(f"{origin} holds no state dict (tensors by name) but a {type(contents).__name__}.")
    best = max(
        (candidate for path, state in states for candidate in _candidates(path, state, reference, variants)),
        key=lambda candidate: candidate.rank(reference),
    )
    _check(best, reference, heads, origin, name, extras)
    theirs = {best.names.get(key, key): key for key in network.state_dict()}
    stripped = {
        key.removeprefix(best.prefix): tensor for key, tensor in best.state.items() if key.startswith(best.prefix)
    }
    return {
        theirs.get(key, key): tensor
        for key, tensor in stripped.items()
        if (not extras if f"{key}.".startswith(heads) else key in theirs)
    }


def _states(
    contents: Any, path: str = "", depth: int = 0, seen: set[int] | None = None
) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """Walk through the dictionaries in a checkpoint that hold tensors by name, each once.

    A pickle may hold one dictionary a thousand times at each level, or within itself. If each occurrence were visited,
    a file of some kilobytes would take days.
    """
    seen = set() if seen is None else seen
    if not isinstance(contents, Mapping) or depth > NESTING or id(contents) in seen:
        return
    seen.add(id(contents))
    state = {key: value for key, value in contents.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if state:
        yield path, state
    for key, value in contents.items():
        if isinstance(key, str):
            yield from _states(value, f"{path}{key}.", depth + 1, seen)


def _candidates(
    path: str, state: Mapping[str, Tensor], reference: Mapping[str, Tensor], variants: Sequence[Mapping[str, str]]
) -> Iterator[_Candidate]:
    for names in variants:
        # Several names are tried, the first and the last ones, as some of them may not fit.
        keys = list(reference)
        anchors = [names.get(key, key) for key in [*keys[:2], *keys[-2:]]]
        ends = {key.removesuffix(anchor) for key in state for anchor in anchors if key.endswith(anchor)}
        for prefix in ["", *sorted(end for end in ends if end.endswith("."))]:
            follows = any(word in f"{path}{prefix}" for word in FOLLOWERS)
            yield _Candidate(state, prefix, names, follows)


def _check(
    best: _Candidate, reference: Mapping[str, Tensor], heads: tuple[str, ...], origin: str, name: str, extras: bool
) -> None:
    found = {key: best.tensor(key) for key in reference}
    if best.rank(reference)[0] == 0:
        raise ValueError(
            f"{origin} does not fit {name}: none of its tensors ({', '.join(list(best.state)[:3])}, …) has a name that"
            f" {name} gives ({', '.join(list(reference)[:3])}, …)."
        )
    known = {best.names.get(key, key) for key in reference}
    inside = [key.removeprefix(best.prefix) for key in best.state if key.startswith(best.prefix)]
    parts = {key.partition(".")[0] for key in known}
    problems = [f"{best.prefix}{best.names.get(key, key)} is missing" for key, mine in found.items() if mine is None]
    problems += [
        f"{best.prefix}{key} is unknown"
        for key in inside
        if key not in known
        and not f"{key}.".startswith(heads)
        and not key.endswith(BUFFERS)
        and not (extras and key.partition(".")[0] not in parts)
    ]
    problems += [
        f"{best.prefix}{best.names.get(key, key)} has the shape {tuple(mine.shape)} instead of {tuple(tensor.shape)}"
        for (key, tensor), mine in zip(reference.items(), found.values(), strict=True)
        if mine is not None and mine.shape != tensor.shape
    ]
    # Copying these would fail, or lose their meaning: integers without their scale, complex numbers in part.
    problems += [
        f"{best.prefix}{best.names.get(key, key)} holds {_kind(mine)} instead of {_kind(tensor)}"
        for (key, tensor), mine in zip(reference.items(), found.values(), strict=True)
        if mine is not None and mine.shape == tensor.shape and not _same_kind(mine, tensor)
    ]
    if problems:
        more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ValueError(f"{origin} does not fit {name}: {', '.join(problems[:3])}{more}.")


def _same_kind(mine: Tensor, tensor: Tensor) -> bool:
    plain = mine.layout == torch.strided and not mine.is_quantized and not mine.is_meta
    return plain and mine.is_floating_point() == tensor.is_floating_point() and mine.is_complex() == tensor.is_complex()


def _kind(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "no values"
    layout = "" if tensor.layout == torch.strided else f" ({str(tensor.layout).removeprefix('torch.')})"
    return f"{str(tensor.dtype).removeprefix('torch.')}{layout}"
