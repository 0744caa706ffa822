"""Text that can be sent: file names and tables may hold what UTF-8 cannot."""

from __future__ import annotations


def encodable(text: str) -> str:
    r"""Write the characters that UTF-8 cannot hold (lone surrogates) as escapes, as Python's `repr` does.

    Python gives the bytes of a file name that are not UTF-8 as such characters: ``b"caf\xe9.png"`` becomes
    ``"caf\udce9.png"``, and here the 13 ASCII characters ``caf\udce9.png``. Unlike a replacement character, escapes
    keep different names apart.
    """
    return text.encode("utf-8", "backslashreplace").decode()
