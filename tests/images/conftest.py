from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save a picture of one colour, or the given one, under a name in the test's folder."""

    def save(name: str, image: Image.Image | str = "red", size: tuple[int, int] = (8, 6), **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", size, image) if isinstance(image, str) else image
        picture.save(path, **options)
        return path

    return save


@pytest.fixture
def noise() -> np.ndarray:
    """Four different pictures, (4, 6, 8, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)
