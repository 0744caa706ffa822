"""Errors of downloads, which name the way to load an encoder without a network."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NETWORK_LIBRARIES = ("urllib", "urllib3", "requests", "httpx", "httpcore", "huggingface_hub", "socket")


@contextmanager
def downloading(what: str, instead: str) -> Iterator[None]:
    """Turn errors of downloads in the block into a `ConnectionError`.

    Parameters
    ----------
    what : str
        What is fetched, as the subject of a sentence.
    instead : str
        The call that needs no network.
    """
    hub = logging.getLogger("huggingface_hub")
    level = hub.level
    hub.setLevel(logging.ERROR)  # it logs each retry, and the error is enough
    try:
        yield
    except Exception as error:
        if not _is_of_the_network(error):
            raise
        reason = str(error).strip().splitlines()
        raise ConnectionError(
            f"{what} could not be downloaded ({reason[0] if reason else type(error).__name__}). Without a network,"
            f" fetch the file elsewhere and pass its path: {instead}."
        ) from error
    finally:
        hub.setLevel(level)


def _is_of_the_network(error: BaseException) -> bool:
    """Return whether an exception of the network is in the chain of causes: libraries wrap each other's exceptions."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, ConnectionError) or type(link).__module__.partition(".")[0] in NETWORK_LIBRARIES:
            return True
        link = link.__cause__ or link.__context__
    return False
