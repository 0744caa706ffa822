"""Random sequences of all that page and code can do, from two threads, and what must hold after each step.

The number of sequences is `CHAOS_SEQUENCES` (`make chaos` runs 10,000).
"""

from __future__ import annotations

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import cocoa_widget as cw
from cocoa_widget.host import protocol
from cocoa_widget.live import LiveEngine
from tests.conftest import Convolutional, encoder_of
from tests.joint import Words
from tests.wire import Wire

SEQUENCES = int(os.environ.get("CHAOS_SEQUENCES", "60"))
PHASES = [Phase.generate, *([Phase.shrink] if "CHAOS_SHRINK" in os.environ else [])]
"""A failing sequence is only shortened on demand, since one that hangs would be run again and again."""
SECONDS = 60
"""Longest time of any step; only a step that hangs takes so long."""

PICTURES = {f"p{i}": np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8) for i in range(6)} | {
    "caf\udce9": np.full((12, 12, 3), 90, dtype=np.uint8)
}
PROMPTS = ("a dog", "a cat", "half an emoji \ud83d", " ")

images = st.sampled_from([f"p{i}" for i in range(6)])
bad_images = st.sampled_from(["nope", "", "text:", "p0\udce9"])
members = st.lists(images | st.sampled_from(["text:a dog", "text:a cat"]), max_size=4)
bins = st.sampled_from(["corpus", "foil", "explicands"])
places = st.sampled_from(["corpus", "foil", "explicands", "gallery"])
operations = st.one_of(
    st.fixed_dictionaries({"kind": st.just("move"), "ids": members, "origin": places, "to": places}),
    st.fixed_dictionaries({"kind": st.just("clear"), "bin": bins}),
    st.just({"kind": "swap"}),
    st.fixed_dictionaries({"kind": st.just("set"), "corpus": members, "foil": members, "explicands": members}),
)
kinds = st.sampled_from(list(protocol.REQUEST_KINDS))
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=4) | images,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
METHODS = {
    "rise": cw.RISE(n_masks=16, seed=0),
    "cam": cw.CAM(),
    "occlusion": cw.Occlusion(6, 6),
    "integrated_gradients": cw.IntegratedGradients(steps=2),
}


class Moody(Convolutional):
    """An encoder that raises `mood`, if that is set."""

    mood: type[BaseException] | None = None

    def forward(self, inputs):
        mood = Moody.mood
        if mood is not None:
            raise mood("moody")
        return super().forward(inputs)


class Chaos(RuleBasedStateMachine):
    """One widget, its page and two threads."""

    @initialize()
    def start(self):
        Moody.mood = None
        torch.manual_seed(0)
        self.module = Moody(16)
        self.encoder = encoder_of(self.module, image_size=12, text=Words())
        self.widget = cw.CocoaWidget(dict(PICTURES), self.encoder, explicands=["p0"], method=METHODS["rise"])
        for method in METHODS.values():
            self.widget._choices.methods[method.name] = method
        self.wire = Wire(self.widget)
        self.threads = ThreadPoolExecutor(2)
        self.observed = 0
        self.widget.observe(self.count, list(cw.sessions.BINS))
        self.shown = False

    def count(self, change):
        self.observed += 1
        bins = self.widget.bins
        assert not {*bins.corpus} & {*bins.foil}

    def teardown(self):
        if not hasattr(self, "widget"):
            return
        Moody.mood = None
        engine = self.widget._engine
        self.widget.close()
        joined = threading.Thread(target=engine.join, daemon=True)
        joined.start()
        joined.join(SECONDS)
        assert not joined.is_alive(), "A thread of the engine hangs."
        self.threads.shutdown()

    # ---- what happens ------------------------------------------------------------------------------------------------

    @rule(state=st.fixed_dictionaries({}, optional={"corpus": members, "foil": members, "explicands": members}))
    def page_sets_bins(self, state):
        self.wire.set(**state)

    @rule(state=st.dictionaries(st.sampled_from(["corpus", "method", "opacity", "_esm", "x"]), anything, max_size=2))
    def page_sets_nonsense(self, state):
        self.wire.set(**state)

    @rule(kind=kinds, body=st.dictionaries(st.sampled_from(["id", "view", "images", "image", "texts"]), anything))
    def page_sends_nonsense(self, kind, body):
        self.wire.receive({"kind": kind, **body})

    @rule(shown=st.booleans(), visible=st.lists(images | bad_images, max_size=3))
    def page_watches(self, shown, visible):
        self.wire.ask("watch", explicands=12, gallery=12 * shown, visible=visible)

    @rule(kind=st.sampled_from(["leave", "hold", "hello"]))
    def page_speaks(self, kind):
        self.wire.ask(kind)

    @rule(image=images | bad_images, kind=st.sampled_from(["influence", "curves"]))
    def page_asks(self, image, kind):
        self.wire.ask("cancel", cancels=self.wire.ask(kind, image=image))

    @rule(ids=st.lists(images | bad_images, max_size=4))
    def page_wants_thumbnails(self, ids):
        self.wire.ask("thumbnails", images=ids, size=16)

    @rule(texts=st.lists(st.sampled_from(PROMPTS), max_size=3), to=st.sampled_from(["corpus", "foil"]))
    def page_adds_texts(self, texts, to):
        self.wire.reply(self.wire.ask("add_texts", texts=texts, bin=to, list=None), timeout=SECONDS)

    @rule(ids=members, to=st.sampled_from(["corpus", "foil", "explicands", "gallery"]))
    def code_moves(self, ids, to):
        try:
            self.widget.move(ids, to)
        except ValueError:
            assert to == "explicands"
            assert any(i.startswith("text:") for i in ids)

    @rule(name=bins, ids=members | st.lists(bad_images))
    def code_sets_a_bin(self, name, ids):
        before = self.widget.bins
        try:
            setattr(self.widget, name, ids)
        except traitlets.TraitError:
            assert self.widget.bins == before

    @rule(name=bins, image=images | bad_images)
    def code_appends(self, name, image):
        before = self.widget.bins
        try:
            getattr(self.widget, name).append(image)
        except traitlets.TraitError:
            assert self.widget.bins == before

    @rule(
        setting=st.sampled_from(
            [
                *(("method", name) for name in METHODS),
                *(("target", name) for name in cw.TARGETS),
                *(("similarity", name) for name in cw.SIMILARITIES),
                *(("layer", name) for name in ("attribution", "error", "stability")),
                ("template", "photo"),
                ("template", "none"),
                ("centred", True),
                ("centred", False),
                ("baseline", "mean_colour"),
                ("baseline", "blur"),
            ]
        )
    )
    def code_changes_a_setting(self, setting):
        setattr(self.widget, *setting)

    @rule(steps=st.integers(1, 3))
    def undo_and_redo_are_inverse(self, steps):
        before, done = self.widget.bins, 0
        for _ in range(steps):
            done += self.widget._history.undo_label is not None
            self.widget.undo()
        for _ in range(done):
            self.widget.redo()
        assert self.widget.bins == before

    @rule(operation=operations, view=st.sampled_from(["a", "b"]), repeat=st.booleans())
    def page_operates(self, operation, view, repeat):
        self.wire.operate(view=view, **operation)
        number, after = self.wire.operations[view], self.widget.bins
        assert self.widget._applied[view] == number
        if repeat:
            self.wire.operate(view=view, number=number, **operation)
            assert self.widget.bins == after

    @rule(kind=st.sampled_from(["undo", "redo"]))
    def page_steps(self, kind):
        self.wire.step(kind)

    @rule(first=members, second=members, image=images)
    def two_threads_at_once(self, first, second, image):
        def page():
            self.wire.set(corpus=first, foil=[i for i in second if i not in first])
            self.wire.operate("move", ids=second, origin="gallery", to="corpus")
            self.wire.step("undo")

        def code():
            self.widget.move(image, "foil")
            with self.widget.hold_trait_notifications():
                self.widget.corpus, self.widget.foil = [], list(first)
            self.widget.move(image, "corpus")

        for future in [self.threads.submit(page), self.threads.submit(code)]:
            future.result(SECONDS)

    @rule(error=st.sampled_from([RuntimeError, SystemExit, MemoryError]), image=images)
    def encoder_fails_for_a_while(self, error, image):
        Moody.mood = error
        self.widget.move([image, "p5"], "explicands")
        self.waiting_ends()
        Moody.mood = None
        self.widget.explicands = ["p0"]

    @rule()
    def weights_change(self):
        with torch.no_grad():
            for parameter in self.module.parameters():
                parameter.mul_(0.9)

    @rule()
    def page_is_out_of_reach(self):
        self.wire.fail = ConnectionError("gone")
        self.widget.move("p1", "foil")
        self.widget.method = "cam"
        self.wire.fail = None

    @rule()
    def heatmaps_are_those_of_a_fresh_explainer(self):
        """After any sequence of other steps."""
        widget = self.widget
        widget.corpus, widget.foil = [], []
        widget.corpus, widget.foil = ["p1", "p2"], ["p3"]
        if widget.similarity == "gaussian" or widget.centred:
            widget.similarity, widget.centred = "cosine", False
        found = widget.heatmap("p0", SECONDS)
        explainer = cw.Explainer(self.encoder, widget.method, widget.baseline)
        expected = explainer.explain(
            PICTURES["p0"],
            corpus=np.stack([PICTURES["p1"], PICTURES["p2"]]),
            foil=PICTURES["p3"],
            target=widget.target,
            similarity=widget.similarity,
        ).heatmaps[0]
        # Batches of other sizes round otherwise: 1e-4 of the peak, and of what float32 resolves of a representation.
        np.testing.assert_allclose(found, expected, atol=1e-4 * abs(expected).max() + 1e-7)

    @rule()
    def waiting_ends(self):
        try:
            self.widget.wait(SECONDS)
        except TimeoutError:
            raise AssertionError("wait() hangs.") from None
        except (RuntimeError, cw.EncoderError):
            pass  # what kept an image from being prepared

    # ---- what holds --------------------------------------------------------------------------------------------------

    @invariant()
    def bins_are_disjoint_and_known(self):
        if not hasattr(self, "widget"):
            return
        bins = self.widget.bins
        assert not {*bins.corpus} & {*bins.foil}
        self.widget.images.check(i for i in (*bins.corpus, *bins.foil) if not i.startswith("text:"))
        self.widget.images.check(bins.explicands)

    @invariant()
    def the_question_is_that_of_the_traits(self):
        if not hasattr(self, "widget"):
            return
        with self.widget.changing():
            assert self.widget._engine._state.question == self.widget._question()

    @invariant()
    def memory_is_bounded(self):
        if not hasattr(self, "widget"):
            return
        assert len(self.wire.messages) < 50_000
        assert len(self.widget._page._requests._pending) <= 40
        assert len(self.widget._history._steps) <= self.widget._history.LIMIT
        assert len(self.widget._engine._state.views) <= 1
        assert self.widget._engine._state.store.nbytes <= self.widget._engine._state.store.budget

    @invariant()
    def no_thread_dies_but_by_the_encoder(self):
        if not hasattr(self, "widget"):
            return
        ended = self.widget._engine._state.ended
        assert ended is None or isinstance(ended, SystemExit)


def alive():
    """Count the engines that exist."""
    gc.collect()
    return sum(type(each) is LiveEngine for each in gc.get_objects())


@pytest.mark.timeout(0 if SEQUENCES > 1000 else 600)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_chaos():
    before = alive()
    run_state_machine_as_test(
        Chaos,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
            report_multiple_bugs=False,
        ),
    )
    # Each sequence has made one; the last may be held by a traceback, or by a thread that is just ending.
    assert alive() - before <= 2, "Widgets that were closed are kept alive."
