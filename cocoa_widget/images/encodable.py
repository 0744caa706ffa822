"""Text that can be encoded as UTF-8: names of files and texts in tables may hold characters that cannot."""

from __future__ import annotations


def encodable(text: str) -> str:
    r"""Return a text in which characters that UTF-8 cannot hold (lone surrogates) are written as escapes.

    Python gives the bytes of a file name that are not UTF-8 as such characters: ``b"caf\xe9.png"`` becomes
    ``"caf\udce9.png"``, and here the 13 ASCII characters ``caf\udce9.png``. Unlike a replacement character, escapes
    keep different names apart.
    """
    return text.encode("utf-8", "backslashreplace").decode()
