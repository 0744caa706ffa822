"""Protection against Python code in folders and repositories of models: it is neither run nor asked about.

Models of transformers name their own classes in an ``auto_map``, attention kernels that are downloaded, and weights in
pickles. Most functions that load them have an argument that forbids them, but open_clip does not pass it for its
text towers, and transformers then asks on the console. So the functions that run code are replaced for the thread that
loads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch

SAFE = {"trust_remote_code": False}
"""Without this argument, transformers asks on the console whether to run code that a model brings."""

ASKED = "trust_remote_code"
ATTENTION = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation")


class ForeignCode(ValueError):
    """A folder or a repository needs code of its own to be run."""


class _Shut:
    """Replacement of the functions that start foreign code, while a thread loads; other threads call the originals."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = threading.local()
        self._users = 0
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._replace()
            self._users += 1
        self._threads.depth = self._depth + 1

    def __exit__(self, *_: object) -> None:
        self._threads.depth = self._depth - 1
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()

    @property
    def _depth(self) -> int:
        return getattr(self._threads, "depth", 0)

    def _replace(self) -> None:
        self._set(torch, "load", self._without_objects(torch.load))
        try:
            dynamic = import_module("transformers.dynamic_module_utils")
        except ImportError:  # then there is no code to load
            return
        for name in ("get_cached_module_file", "get_class_in_module"):
            self._set(dynamic, name, self._refusing(getattr(dynamic, name)))
        # How long transformers waits for an answer on the console; with 0 it raises instead of asking.
        self._set(dynamic, "TIME_OUT_REMOTE_CODE", 0)

    def _set(self, module: Any, name: str, value: Any) -> None:
        self._replaced.append((module, name, getattr(module, name), value))
        setattr(module, name, value)

    def _restore(self) -> None:
        for module, name, original, ours in reversed(self._replaced):
            if getattr(module, name) is ours:  # and not what another library has put there since
                setattr(module, name, original)
        self._replaced.clear()

    def _refusing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            if self._depth:
                raise ForeignCode(f"{args[0] if args else 'it'} would be run")
            return function(*args, **kwargs)

        return refuse

    def _without_objects(self, load: Callable[..., Any]) -> Callable[..., Any]:
        def load_weights(*args: Any, **kwargs: Any) -> Any:
            if self._depth:
                kwargs["weights_only"] = True
            return load(*args, **kwargs)

        return load_weights


_shut = _Shut()


@contextmanager
def refusing_code(where: str, instead: str) -> Iterator[None]:
    """Refuse to run code of a model that is loaded in this block, and raise an error if the model needs it.

    Parameters
    ----------
    where : str
        What is loaded, as the subject of a sentence: ``"The folder clip"``.
    instead : str
        What users can do who trust the code, for the error.

    Raises
    ------
    ForeignCode
        The model cannot be loaded without its code.
    """
    with _shut:
        try:
            yield
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
            raise ForeignCode(
                f"{where} brings code of its own, which is not run ({reason}). Where you trust it, {instead}."
            ) from error


def _reason(error: BaseException) -> str | None:
    """Return why code was refused, from a chain of exceptions; None if it was not."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, ForeignCode):
            return str(link)
        if isinstance(link, ValueError | RuntimeError) and ASKED in str(link):
            return "transformers needs it to load the model"
        link = link.__cause__ or link.__context__
    return None


def check_settings(settings: Any, file: str) -> None:
    """Refuse settings of a model that ask for code to be run, or fetched and run, however deep they are nested.

    Raises
    ------
    ForeignCode
        A setting asks for code; `refusing_code` makes the message of it.
    """
    # Without recursion: a file may be nested deeper than Python's stack.
    waiting = [settings]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        if not isinstance(part, Mapping):
            continue
        if part.get(ASKED):
            raise ForeignCode(f"{file} sets {ASKED!r}, which is for the caller to decide")
        for key in ATTENTION:
            choices = part.get(key)
            for choice in choices.values() if isinstance(choices, Mapping) else [choices]:
                if isinstance(choice, str) and "/" in choice:
                    raise ForeignCode(f"{file} has {choice!r} downloaded and run as its {key!r}")
        waiting += part.values()


def check_transformers_config(library: Any, name: str) -> None:
    """Refuse a model of transformers, in a folder or on the hub, whose config.json asks for code to be run."""
    try:
        settings, _ = library.PretrainedConfig.get_config_dict(name)
    except RecursionError as error:
        raise ValueError(f"The config.json of {name} is nested too deeply. Download or save it again.") from error
    check_settings(settings, "config.json")


def check_tokenizer(name: str) -> None:
    """Refuse a tokenizer of transformers, in a folder or on the hub, that only the model's own code has."""
    settings = import_module("transformers.models.auto.tokenization_auto").get_tokenizer_config(name)
    check_settings(settings, "tokenizer_config.json")
    _check_part(settings, "AutoTokenizer", "tokenizer_class")


def check_image_processor(library: Any, name: str) -> None:
    """Refuse an image processor of transformers that only the model's own code has."""
    try:
        settings, _ = library.ImageProcessingMixin.get_image_processor_dict(name)
    except OSError:  # it is described in config.json, or missing, which transformers reports
        return
    check_settings(settings, "preprocessor_config.json")
    _check_part(settings, "AutoImageProcessor", "image_processor_type")


def _check_part(settings: Mapping[str, Any], part: str, kind: str) -> None:
    """Refuse a part whose class transformers does not have: it would silently take another one."""
    brought, named = settings.get("auto_map"), settings.get(kind)
    if isinstance(brought, Mapping):
        brought = brought.get(part)  # in old tokenizers, a list of two classes
    if brought and not (isinstance(named, str) and hasattr(import_module("transformers"), named)):
        raise ForeignCode(f"its {kind} is {named or brought!r}, which transformers does not have")
