"""What the page is sent to compute heatmaps from: it computes the kernel's, and is sent nothing twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.live import View, painter, sender, sent
from cocoa_widget.live.products import coefficients_now
from tests.attribution.test_patch_tokens import Transformer
from tests.attribution.test_perturbation import Quarters
from tests.conftest import Convolutional
from tests.joint import joint

from .helpers import RISE, Slow, question

ALL = tuple(f"p{i}" for i in range(10))
SHOWN = View(explicands=32, visible=ALL)


def _superpixels(explicand):
    """Labels of superpixels that depend on the picture, and have borders inside of the pixels of smaller heatmaps."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    return (3 * rows + 5 * columns) // 40 + 6 * (explicand[0] > explicand[0].median())


def settled(engine, recorder, members=ALL, image="p0"):
    """Wait until an image is complete, and its products with `members` were sent."""
    engine.wait(120)
    recorder.until(lambda: recorder.page.has(image, members) and recorder.page.images[image]["progress"] == 1)


def agrees(engine, recorder, q, image="p0"):
    """Check what the page computes against the kernel's heatmap and score."""
    rounding = 3e-7 if q.method.name == "occlusion" else 0  # falls are small differences of scores near 1
    expected = engine.heatmap(image, 120)
    values, score = recorder.page.heatmap(image, q.target, q.corpus, q.foil, recorder.failed)
    np.testing.assert_allclose(values, expected.values, rtol=0, atol=1e-5 * abs(expected.values).max() + rounding)
    assert score == pytest.approx(expected.score, rel=1e-4, abs=1e-6)


# ---- what the page computes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize(
    "method",
    [
        RISE,
        cw.RISE(n_masks=64, p=0.4),
        cw.CAM(),
        cw.SharpCAM(),
        cw.SharpCAM(follow_edges=False, masks=64),
        cw.RISE(n_masks=64, follow_edges=True),
        cw.KernelSHAP(superpixels=_superpixels, n_samples=80),
        cw.Occlusion(window=8, stride=8),
        cw.PatchTokens(),
        Quarters(),
    ],
    ids=lambda m: f"{m.name}-{getattr(m, 'p', getattr(m, 'masks', ''))}-{m.follow_edges}",
)
def test_the_page_computes_the_kernels_heatmaps_for_any_bins(make, method, similarity):
    settings = {"method": method, "similarity": similarity, "explicands": ("p0", "p5")}
    tokens = method.name == "patch_tokens"
    engine, recorder, _ = make(Transformer("token") if tokens else None, question(**settings))
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    settled(engine, recorder, image="p5")
    sent = len(recorder.products_sent)
    for i, target in enumerate(cw.TARGETS):
        q = question(**settings, target=target, corpus=ALL[1 : 3 + i], foil=ALL[6 : 9 - i])
        engine.ask(q)
        recorder.until(lambda: recorder.updates[-1][0] == engine.version)
        agrees(engine, recorder, q)
        agrees(engine, recorder, q, "p5")
    engine.ask(question(**settings, foil=(), corpus=("p5",)))  # an explicand as a member
    engine.wait(120)
    agrees(engine, recorder, question(**settings, foil=(), corpus=("p5",)), "p5")
    assert len(recorder.products_sent) == sent, "a question whose products were all sent needs no more"
    assert all(not heatmaps for version, heatmaps, _ in recorder.updates if version > 0)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_texts_and_centred_members(make, similarity, centred):
    settings = {"method": cw.CAM(), "similarity": similarity, "centred": centred}
    q = question(**settings, corpus=("text:a dog", "p1"), foil=("p2",))
    engine, recorder, _ = make(joint(0.5), q)
    engine.watch("a", SHOWN)
    settled(engine, recorder, (*ALL, "text:a dog"))
    agrees(engine, recorder, q)
    q = question(**settings, corpus=("p3",), foil=("text:a cat", "text:a dog"), target="contrastive_label_free")
    space = recorder.page.space
    engine.ask(q)
    settled(engine, recorder, ("text:a cat",))
    agrees(engine, recorder, q)
    last = recorder.products_sent[-1]
    assert (last.members, [item.replaces for item in last.items]) == (["text:a cat"], [False])
    assert recorder.page.space == space


def test_a_preview_is_computed_until_the_method_has_its_first_heatmap(make):
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=256)))
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    seen = [item for products in recorder.products_sent for item in products.items if item.image == "p0"]
    assert (seen[0].preview, seen[0].method, seen[0].progress, seen[0].replaces) == (True, "cam", 0, True)
    sharper = [item.progress for item in seen if not item.preview and item.replaces]
    assert sharper == sorted(sharper)
    assert sharper[-1] == 1
    assert all(after >= 2.5 * before or after == 1 for before, after in pairwise(sharper))
    agrees(engine, recorder, question())


# ---- what is sent ------------------------------------------------------------------------------------------------


def test_members_that_come_into_view_are_sent_once(make):
    engine, recorder, _ = make()
    engine.watch("a", View(explicands=32, visible=("p4",)))
    settled(engine, recorder, ("p1", "p2", "p3", "p0", "p4"))
    engine.watch("a", View(explicands=32, visible=("p4", "p5")))
    settled(engine, recorder, ("p5",))
    assert recorder.products_sent[-1].members == ["p5"]
    found = [
        m
        for products in recorder.products_sent
        for item in products.items
        if item.progress == 1
        for m in products.members
    ]
    assert sorted(found) == sorted(set(found))


def test_no_more_members_than_allowed_and_those_that_the_target_uses_first(make, monkeypatch):
    monkeypatch.setattr(sender, "AT_HAND", 3)
    q = question(corpus=("p1", "p2"), foil=("p3", "p4"), target="contrastive_label_free")
    engine, recorder, _ = make(first=q)
    engine.watch("a", SHOWN)
    settled(engine, recorder, ("p3", "p4", "p1"))
    assert set(recorder.page.images["p0"]["members"]) == {"p3", "p4", "p1"}
    agrees(engine, recorder, q)
    sent = len(recorder.products_sent)
    engine.ask(question(corpus=("p1", "p2"), foil=("p3", "p4")))  # four members
    engine.wait(120)
    assert [h.image for h in recorder.updates[-1][1]] == ["p0"]
    assert len(recorder.products_sent) == sent


def test_large_products_go_in_parts(make, monkeypatch):
    monkeypatch.setattr(sender, "PART_BYTES", 4 * 101 * 8)
    engine, recorder, _ = make(first=question(explicands=("p0", "p4", "p5")))
    engine.watch("a", SHOWN)
    for image in ("p0", "p4", "p5"):
        settled(engine, recorder, image=image)
        agrees(engine, recorder, question(), image)
    for message, buffers in recorder.page.messages:
        assert sum(map(len, buffers[-len(message["items"]) :])) <= 4 * 101 * 8


def test_a_spread_with_its_guide_is_sent_once_for_each_image(make):
    q = question(method=cw.SharpCAM(), explicands=("p0", "p4"))
    engine, recorder, _ = make(first=q)
    engine.watch("a", View(explicands=32, visible=("p5",)))
    settled(engine, recorder, ("p1", "p2", "p3", "p0", "p4", "p5"))
    engine.watch("a", SHOWN)
    for image in q.explicands:
        settled(engine, recorder, image=image)
    found = {image: [] for image in q.explicands}  # of the messages about each: filter, whether it has a spread
    for products in recorder.products_sent:
        for item in products.items:
            found[item.image].append((item.preview, products.spread is not None, item.guide is not None))
    for sent_of in found.values():
        sharp = [kinds for kinds in sent_of if not kinds[0]]
        assert sum(spread for _, spread, _ in sharp) == 1
        assert sum(guide for _, _, guide in sharp) == 1
        assert len(sharp) > 1
        assert not any(guide for preview, _, guide in sent_of if preview)
    agrees(engine, recorder, q)


def test_an_operator_whose_spread_changes_meanwhile_is_sent_with_the_next_message(make, monkeypatch):
    method = cw.SharpCAM(follow_edges=False, masks=64)
    calls = []

    def grown(operator, similarity):
        coefficients, done = coefficients_now(operator, similarity)
        calls.append(done)
        return (torch.cat([coefficients, coefficients]), done) if len(calls) == 1 else (coefficients, done)

    monkeypatch.setattr(sender, "coefficients_now", grown)
    engine, recorder, _ = make(first=question(method=method))
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    agrees(engine, recorder, question(method=method))


def test_a_view_that_may_have_lost_something_gets_it_again(make):
    engine, recorder, _ = make(first=question(explicands=("p0", "p4")))

    def sent_again(*images):
        for image in images:
            settled(engine, recorder, image=image)
        assert set(recorder.page.images) == set(images)
        recorder.page.images.clear()

    engine.watch("a", SHOWN)
    sent_again("p0", "p4")
    engine.watch("a", SHOWN, renew=True)
    sent_again("p0", "p4")
    engine.watch("b", View(explicands=12))
    sent_again("p0", "p4")
    # The page forgets an explicand that is removed, and the kernel may never see the question without it.
    with engine._state.changed:
        engine.ask(question(explicands=("p0",)))
        engine.ask(question(explicands=("p0", "p4")))
    sent_again("p4")
    gallery = View(explicands=32, gallery=16, visible=ALL)
    engine.watch("a", gallery)
    sent_again(*(image for image in ALL if image not in ("p0", "p4")))
    with engine._state.changed:  # scrolled away and back
        engine.watch("a", View(explicands=32, gallery=16, visible=ALL[:7]))
        engine.watch("a", gallery)
    sent_again("p7", "p8", "p9")


def test_what_comes_on_screen_has_products_and_what_was_seen_least_recently_has_coarse_heatmaps(make, monkeypatch):
    explicands = ("p0", "p4", "p5", "p6")
    monkeypatch.setattr(sent, "KEPT_BYTES", 2 * 4 * 101 * (1 + 6))  # two explicands with the six members at hand
    monkeypatch.setattr(painter, "COARSE", 8)
    q = question(explicands=explicands, foil=())
    engine, recorder, _ = make(first=q)
    engine.watch("a", View(explicands=32, seen=("p0", "p4")))
    engine.wait(120)
    recorder.until(lambda: {"p0", "p4"} <= {*recorder.page.images} and recorder.page.images["p4"]["progress"] == 1)
    engine.watch("a", View(explicands=32, seen=("p4", "p6")))
    recorder.until(lambda: "p6" in recorder.page.images)
    engine.watch("a", View(explicands=32, seen=("p5", "p6")))
    recorder.until(lambda: "p5" in recorder.page.images)
    assert {*recorder.page.images} == {"p5", "p6"}
    agrees(engine, recorder, q, "p6")
    engine.ask(question(explicands=explicands, foil=(), corpus=("p2",)))
    recorder.until(lambda: recorder.updates[-1][0] == 1)
    assert {h.image: h.values.shape for h in recorder.updates[-1][1]} == {"p0": (8, 8), "p4": (8, 8)}


@pytest.mark.parametrize(
    "change",
    [{"similarity": "dot"}, {"method": cw.RISE(n_masks=96)}, {"baseline": cw.Blur(sigma=2.0)}, {"template": "photo"}],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_is_another_space(make, change):
    engine, recorder, _ = make(joint())
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    space = recorder.page.space
    engine.ask(question(**change))
    recorder.until(lambda: recorder.page.space > space)
    settled(engine, recorder)
    agrees(engine, recorder, question(**change))


def test_new_weights_are_another_space(make):
    module = Convolutional()
    engine, recorder, _ = make(module)
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    space = recorder.page.space
    with torch.no_grad():
        module.body[0].weight.mul_(-1)
    engine.ask(question(corpus=("p4",)))
    recorder.until(lambda: recorder.page.space > space)
    settled(engine, recorder)
    agrees(engine, recorder, question(corpus=("p4",)))


# ---- what is left out of the heatmaps ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"similarity": "gaussian"},
        {"layer": "error"},
        {"method": cw.RISE(n_masks=80, estimator="plain")},  # more than the page is sent as a matrix
        {"method": cw.IntegratedGradients(steps=4)},
    ],
    ids=["gaussian", "layer", "plain", "gradients"],
)
def test_heatmaps_that_the_page_cannot_compute_are_sent(make, change):
    engine, recorder, _ = make()
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    engine.ask(question(**change))
    engine.wait(120)
    last = recorder.updates[-1][1][-1]
    assert (last.image, last.preview, last.progress) == ("p0", False, 1)
    expected = engine.heatmap("p0", 120, question(**change).layer)
    np.testing.assert_allclose(last.values, expected.values, rtol=0, atol=1e-6 * abs(expected.values).max())


@pytest.mark.parametrize("follow_edges", [False, True])
def test_the_page_computes_the_deviation_over_draws_of_small_bins(make, monkeypatch, follow_edges):
    monkeypatch.setattr(sender, "MOST_MAPS", 5 * sent.FILTER_COST if follow_edges else 5)
    settings = {"method": cw.RISE(n_masks=64, follow_edges=follow_edges), "layer": "stability"}
    q = question(**settings, corpus=("p1", "p2"), foil=("p3", "p4", "p5"))
    engine, recorder, _ = make(first=q)
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    expected = engine.heatmap("p0", 120, "stability").values
    found = recorder.page.deviation("p0", q.target, q.corpus, q.foil)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())

    def sent_for(q):
        engine.ask(q)
        engine.wait(120)
        recorder.until(lambda: recorder.updates[-1][0] == engine.version)
        return [h.image for h in recorder.updates[-1][1]]

    assert sent_for(replace(q, foil=("p3", "p4"))) == []
    assert sent_for(replace(q, foil=("p3", "p4", "p5", "p6"))) == ["p0"], "more members"
    assert sent_for(replace(q, foil=("p3", "p4", "p5"))) == []
    assert sent_for(replace(q, foil=("p3",))) == []
    assert recorder.updates[-1][2].startswith("Deviation over resampled bins: a bin with a single image")


def test_a_windows_heatmap_is_sent_until_it_has_a_spread(make):
    """Occlusion has none until all windows were hidden: the preview that was sent does not stand in for it."""
    occlusion = cw.Occlusion(window=4, stride=2)
    engine, recorder, _ = make(Slow(), question(method=occlusion))
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    reported = [h for _, heatmaps, _ in recorder.updates for h in heatmaps]
    assert reported
    assert all(not h.preview and h.progress < 1 for h in reported)
    agrees(engine, recorder, question(method=occlusion))


def test_a_member_that_fails_is_named_and_left_out(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / name, "png")
    images = cw.ImageSet([tmp_path / name for name in pictures])
    (tmp_path / "p2").unlink()
    ids = {name: next(i for i in images.ids if i.endswith(name)) for name in pictures}
    q = question(corpus=(ids["p1"], ids["p2"]), foil=(ids["p3"],), explicands=(ids["p0"],))
    engine, recorder, _ = make(first=q, images=images)
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: recorder.failed == [ids["p2"]])
    recorder.until(lambda: recorder.page.has(ids["p0"], (ids["p1"], ids["p3"])))
    recorder.until(lambda: recorder.page.images[ids["p0"]]["progress"] == 1)
    agrees(engine, recorder, q, ids["p0"])
    count = len(recorder.updates)
    engine.watch("a", View(explicands=32), renew=True)
    recorder.until(lambda: len(recorder.updates) > count)
    assert [heatmaps for _, heatmaps, _ in recorder.updates[count:]] == [[]]


def test_without_a_view_nothing_is_sent(make):
    engine, recorder, _ = make()
    engine.wait(120)
    engine.watch("a", View(visible=ALL))
    engine.wait(120)
    assert recorder.products_sent == []


def test_products_are_sent_before_there_is_something_to_explain(make):
    engine, recorder, _ = make(first=question(corpus=(), foil=()))
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    assert recorder.updates[-1][1:] == ([], "Nothing to explain yet: put images into the corpus, the foil, or both.")
    sent = len(recorder.products_sent)
    engine.ask(question())
    engine.wait(120)
    agrees(engine, recorder, question())
    assert len(recorder.products_sent) == sent
