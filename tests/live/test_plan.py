"""The order of the slow lane's jobs, without a thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.live.members import MemberIndex
from cocoa_widget.live.operators import PREVIEW, OperatorStore
from cocoa_widget.live.plan import Job, Plan, Task
from cocoa_widget.live.state import State, View
from tests.conftest import Convolutional, encoder_of
from tests.joint import Words

from .helpers import RISE, question


class Desk:
    """A plan, the state that it is made from, and an encoder whose passes are run by hand."""

    def __init__(self, pictures, first, text=None, batch_size=4):
        self.images = cw.ImageSet(pictures)
        self.encoder = encoder_of(Convolutional(), text=text, batch_size=batch_size)
        self.state = State(first, OperatorStore(1 << 30), shares_processor=True)
        self.state.table = self.encoder.representations
        self.plan = Plan(self.state, self.images, MemberIndex(self.images, self.encoder), self.encoder)
        self.plan.pools = False

    def encode(self, *ids):
        self.encoder.represent(self.images, ids)

    def prepare(self, image, passes):
        method, baseline = self.state.question.recipe
        operator = method.start(*[self.encoder.stack([self.images.load(image)])[0]] * 2)
        operator.done = passes
        self.state.store.put(image, (method, baseline), operator)

    def jobs(self):
        """Return the first of each kind of job, in order, as if each were done without an effect."""
        found = []
        for job in self.plan._jobs():
            if (job.task, job.members) not in found:
                found.append((job.task, job.members))
        return found


@pytest.fixture
def desk(pictures):
    return lambda first=None, **options: Desk(pictures, first or question(), **options)


def test_images_of_the_question_are_encoded_first(desk):
    lane = desk(question(corpus=("p1", "p2"), foil=("p3",), explicands=("p0", "p5")))
    lane.state.views["a"] = View(explicands=32, gallery=16, visible=("p7",))
    job = lane.plan.next()
    assert job == Job(Task.ENCODE_IMAGES, lane.state.question, 0, ("p0", "p5", "p1", "p2"), ahead=("p3", "p7"))
    assert job.label == "Encoding images"
    lane.encode(*job.members)
    assert lane.plan.next().members == ("p3",)


def test_one_heatmap_comes_before_the_images_on_screen_and_all_come_before_sharper_ones(desk):
    lane = desk(question(explicands=("p0", "p5")))
    lane.encode("p0", "p1", "p2", "p3", "p5")
    lane.state.views["a"] = View(explicands=32, visible=("p7",))
    assert lane.jobs()[:2] == [(Task.PREPARE, ("p0",)), (Task.ENCODE_IMAGES, ("p7",))]
    assert lane.plan.next().label == "Preparing RISE"
    lane.prepare("p0", 40)
    assert lane.jobs()[:3] == [(Task.ENCODE_IMAGES, ("p7",)), (Task.PREPARE, ("p5",)), (Task.PREPARE, ("p0",))]


def test_explicands_sharpen_in_step_and_what_a_cell_waits_for_goes_first(desk):
    lane = desk(question(explicands=("p0", "p5")))
    lane.encode("p0", "p1", "p2", "p3", "p5")
    lane.prepare("p0", 60)
    lane.prepare("p5", 50)
    assert lane.plan.next().members == ("p5",)
    lane.state.asked["p0"] = 1
    assert lane.plan.next().members == ("p0",)
    lane.prepare("p0", 128)
    lane.prepare("p5", 128)
    assert lane.plan.next() is None
    assert lane.plan.idle(["p0", "p5"])


def test_only_linear_methods_explain_the_gallery(desk):
    lane = desk(question(method=cw.CAM()))
    lane.encode(*lane.images.ids)
    lane.state.views["a"] = View(explicands=32, gallery=16, visible=("p7", "p8"))
    assert lane.jobs() == [(Task.PREPARE, (image,)) for image in ("p0", "p7", "p8")]
    lane.state.question = question(method=cw.IntegratedGradients(steps=4))
    assert lane.jobs() == [(Task.PREPARE, ("p0",))]


def test_a_gallery_that_exceeds_the_budget_is_left_until_another_is_shown(desk):
    lane = desk(question(explicands=()))
    lane.encode(*lane.images.ids)
    lane.state.views["a"] = View(gallery=16, visible=("p7",))
    lane.plan.full_for = lane.state.question.recipe, ["p7"]
    assert lane.plan.next() is None
    lane.state.views["a"] = View(gallery=16, visible=("p8",))
    assert lane.plan.next().members == ("p8",)


def test_the_rest_of_the_gallery_is_encoded_while_a_view_is_there(desk):
    lane = desk(question(corpus=(), foil=(), explicands=()))
    assert lane.plan.next() is None
    lane.state.views["a"] = View()
    assert lane.plan.next().members == ("p0", "p1", "p2", "p3")
    assert lane.plan.next().ahead == ("p4", "p5", "p6", "p7")
    lane.encode("p0", "p1", "p2", "p3")
    assert lane.plan.next().members == ("p4", "p5", "p6", "p7")
    lane.state.table = cw.Encoder(Convolutional(), image_size=32, device="cpu").representations
    assert lane.plan.next().members == ("p0", "p1", "p2", "p3"), "another table is searched from the start"


def test_failed_images_are_not_chosen(desk):
    lane = desk(question(corpus=("p1",), foil=(), explicands=("p0", "p5")))
    lane.state.failures["p1"] = lane.state.failures["p5"] = ValueError("unreadable")
    assert lane.plan.next().members == ("p0",)
    lane.encode("p0")
    lane.state.unexplained["p0"] = ValueError("no feature map")
    assert lane.plan.next() is None
    assert lane.plan.idle(["p0", "p1", "p5"])


def test_cam_maps_are_wanted_of_explicands_and_of_heatmaps_in_the_gallery(desk):
    lane = desk()
    lane.plan.pools = True
    lane.encode(*lane.images.ids)
    lane.state.views["a"] = View(explicands=32, gallery=16, visible=("p7",))
    job = lane.plan.next()
    assert (job.task, job.members, job.mapped) == (Task.ENCODE_IMAGES, ("p0",), {"p0", "p7"})
    lane.state.store.put("p0", PREVIEW, cw.CAM().start(*[lane.encoder.stack([lane.images.load("p0")])[0]] * 2))
    lane.prepare("p0", 40)
    assert lane.plan.next().members == ("p7",)


def test_texts_come_after_images_once_their_tower_is_ready(desk):
    lane = desk(question(corpus=("p1", "text:a dog"), foil=(), explicands=()), text=Words())
    assert lane.plan.next().members == ("p1",)
    lane.encode("p1")
    assert lane.plan.next() == Job(Task.READY_TEXTS, lane.state.question, 0)
    lane.plan.texts_ready = True
    assert lane.plan.next().members == ("text:a dog",)
    assert lane.plan.next().label == "Encoding texts"
    lane.encoder.encode_text(["a dog"])
    assert lane.plan.next() is None
    lane.state.question = replace(lane.state.question, template="photo")
    assert lane.plan.next().members == ("text:a dog",)


@pytest.mark.parametrize(("count", "first"), [(10, Task.ENCODE_IMAGES), (400, Task.READY_TEXTS)])
def test_the_text_tower_waits_for_a_small_gallery_and_not_for_a_large_one(count, first):
    pictures = {f"p{i}": Image.new("RGB", (8, 8), (i % 256, i // 256, 0)) for i in range(count)}
    lane = Desk(pictures, question(corpus=(), foil=(), explicands=()), text=Words())
    lane.state.views["a"] = View()
    lane.encode(*lane.images.ids[: count - 10 or 5])
    assert lane.plan.next().task is first


def test_a_run_of_an_earlier_question_counts_for_nothing(desk):
    lane = desk(question(method=cw.IntegratedGradients(steps=4)))
    lane.encode("p0", "p1", "p2", "p3")
    run = lane.state.question.method.start(*[lane.encoder.stack([lane.images.load("p0")])[0]] * 2)
    run.done = run.total
    lane.state.runs["p0"] = 0, run
    assert lane.plan.next() is None
    lane.state.version = 1
    assert lane.plan.next() == Job(Task.PREPARE, lane.state.question, 1, ("p0",))


def test_new_weights_leave_everything_to_do(desk):
    lane = desk(question(explicands=(), method=RISE))
    lane.encode("p1", "p2", "p3")
    assert lane.plan.idle(["p1"])
    lane.encoder.refresh()
    lane.encoder.module.body[0].weight.data.mul_(-1)
    lane.encoder.refresh()
    assert not lane.plan.idle(["p1"])
