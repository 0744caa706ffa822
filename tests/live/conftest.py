"""Engines that are closed after each test, and have touched what they share only under its lock."""

from __future__ import annotations

import pytest

import cocoa_widget as cw
from cocoa_widget.live import LiveEngine
from tests.conftest import Convolutional, encoder_of

from .guarded import GuardedState
from .helpers import Recorder, question


@pytest.fixture
def make(pictures, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.engine.State", GuardedState)
    engines = []

    def start(module=None, first=None, budget=1 << 30, images=None):
        recorder = Recorder()
        encoder = module if isinstance(module, cw.Encoder) else encoder_of(module or Convolutional())
        images = images or cw.ImageSet(pictures)
        recorder.engine = engine = LiveEngine(images, encoder, first or question(), recorder, budget)
        engines.append(engine)
        return engine, recorder, encoder

    yield start
    for engine in engines:
        engine.close()
    for engine in engines:
        engine.join()
    assert not set().union(*(engine._state.violations for engine in engines))
