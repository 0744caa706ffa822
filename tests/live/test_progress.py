"""Reports of the preparation, without a thread."""

from __future__ import annotations

import pytest

import cocoa_widget as cw
from cocoa_widget.live.members import MemberIndex
from cocoa_widget.live.operators import OperatorStore
from cocoa_widget.live.plan import Job, Task
from cocoa_widget.live.progress import ProgressReporter
from cocoa_widget.live.state import State
from tests.joint import joint

from .helpers import Recorder, question


@pytest.fixture
def reporting(pictures, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.progress.REPORT_SECONDS", 0)
    images, encoder, recorder = cw.ImageSet(pictures), joint(), Recorder()
    state = State(question(corpus=("p1", "text:a dog", "text:a cat")), OperatorStore(1000), shares_processor=True)
    state.table = encoder.representations
    return ProgressReporter(state, images, MemberIndex(images, encoder), recorder), state, encoder, recorder


def job(state, task):
    return Job(task, state.question, state.version)


def test_encoding_counts_images_and_texts(reporting, pictures):
    reporter, state, encoder, recorder = reporting
    reporter.report(job(state, Task.ENCODE_IMAGES))
    encoder.represent(cw.ImageSet(pictures), ["p1", "p2"])
    reporter.report(job(state, Task.ENCODE_IMAGES))
    encoder.encode_text(["a dog"])
    reporter.report(job(state, Task.ENCODE_TEXTS))
    reporter.report(job(state, Task.READY_TEXTS))
    seen = [(each.label, each.done, each.total) for each in recorder.statuses]
    assert seen == [
        ("Encoding images", 0, 10),
        ("Encoding images", 2, 10),
        ("Encoding texts", 1, 2),
        ("Getting ready for texts", 0, 0),
    ]


def test_preparing_counts_passes_and_complete_heatmaps(reporting, inputs):
    reporter, state, _, recorder = reporting
    operator = state.question.method.start(inputs[0], inputs[1])
    state.store.put("p0", state.question.recipe, operator)
    operator.done = 32
    reporter.report(job(state, Task.PREPARE))
    operator.done = 128
    reporter.report(None)
    seen = [(each.label, each.done, each.total, each.ready, each.explicands) for each in recorder.statuses]
    assert seen == [("Preparing RISE", 32, 128, 0, 1), (None, 128, 128, 1, 1)]
    assert recorder.statuses[-1].budget == 1000


def test_the_same_is_not_reported_twice(reporting):
    reporter, _, _, recorder = reporting
    reporter.report(None)
    reporter.report(None)
    assert len(recorder.statuses) == 1


def test_reports_of_work_are_not_more_frequent_than_the_page_can_show(reporting, monkeypatch):
    reporter, state, _, recorder = reporting
    monkeypatch.setattr("cocoa_widget.live.progress.REPORT_SECONDS", 3600)
    reporter.report(None)
    reporter.report(job(state, Task.ENCODE_IMAGES))
    assert [each.label for each in recorder.statuses] == [None]
