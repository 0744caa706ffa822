"""Published weights need a network: without one, the error says so and names the way that needs none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NETWORK_LIBRARIES = ("urllib", "urllib3", "requests", "httpx", "httpcore", "huggingface_hub", "socket")


@contextmanager
def downloading(what: str, instead: str) -> Iterator[None]:
    """Turn what fails in the block for want of a network, or of the file at its other end, into a `ConnectionError`.

    Parameters
    ----------
    what : str
        What is fetched, as the subject of a sentence.
    instead : str
        The call that does without a network.
    """
    hub = logging.getLogger("huggingface_hub")
    level = hub.level
    hub.setLevel(logging.ERROR)  # it counts its retries aloud; the error says it all
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
    """Tell by the chain of causes: the libraries that download wrap each other's exceptions."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, ConnectionError) or type(link).__module__.partition(".")[0] in NETWORK_LIBRARIES:
            return True
        link = link.__cause__ or link.__context__
    return False
