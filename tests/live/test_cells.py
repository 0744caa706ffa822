"""Places of an explicand as members: their products give what the operator does with the place's direction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.contrast import LinearScore
from cocoa_widget.live import View, cells, sent
from cocoa_widget.live.cells import pooled
from tests.attribution.test_patch_tokens import Transformer
from tests.conftest import Convolutional
from tests.joint import joint

from .helpers import RISE, Slow, question
from .test_sender import ALL, SHOWN, agrees, settled

POINTING = View(explicands=32, visible=ALL, cells_of="p0")


def ids(origin, rows, columns, image="p0"):
    return [f"cell:{origin}:{rows}x{columns}:{i}:{image}" for i in range(rows * columns)]


def in_page(recorder, image="p0"):
    """The cells of which the page has products with an image."""
    known = recorder.page.images.get(image, {"members": {}})
    return [member for member in known["members"] if member.startswith("cell:")]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize(
    ("method", "origin", "cells_from"),
    [
        (cw.CAM(), "cam.1", cw.CAM()),
        (cw.PatchTokens(), "patch_tokens.1", cw.PatchTokens()),
        (cw.SharpCAM(follow_edges=False), None, cw.SharpCAM(follow_edges=False)),
        (RISE, "cam.1", cw.CAM()),
    ],
    ids=["cam", "tokens", "sharp", "rise"],
)
def test_a_cells_product_is_the_operators_answer_to_its_direction(
    make, pictures, method, origin, cells_from, similarity
):
    q = question(method=method, similarity=similarity, explicands=("p0", "p5"))
    tokens = method.name == "patch_tokens"
    engine, recorder, encoder = make(Transformer("token") if tokens else None, q)
    engine.watch("a", SHOWN)
    settled(engine, recorder)
    settled(engine, recorder, image="p5")
    engine.watch("a", POINTING)
    # Computed anew, from coefficients alone.
    chosen = cw.Explainer(encoder, method, q.baseline).prepare([pictures["p0"], pictures["p5"]])
    source = cw.Explainer(encoder, cells_from, q.baseline).prepare([pictures["p0"]]).operators[0]
    grid, matrix = source.spread.cells, source.coefficients_for(similarity)
    most = min(14, int((2**16 / (1 + len(matrix))) ** 0.5))  # 256 KiB for each image
    rows, columns = (min(most, length) for length in grid)
    origin = origin or f"sharp.{source.total}"
    expected = ids(origin, rows, columns)
    recorder.until(lambda: in_page(recorder) == in_page(recorder, "p5") == expected)
    for cell in (0, rows * columns // 2, rows * columns - 1):
        down, across = (
            slice(at * length // few, -(-(at + 1) * length // few))
            for at, length, few in zip(divmod(cell, columns), grid, (rows, columns), strict=True)
        )
        row = matrix.reshape(*grid, -1)[down, across].mean((0, 1))
        score = LinearScore((row / row.norm())[None], similarity)
        for image, operator in zip(("p0", "p5"), chosen.operators, strict=True):
            values, gamma = recorder.page.heatmap(image, "corpus", [expected[cell]], [])
            direct = operator.apply(score)[0].numpy()
            np.testing.assert_allclose(values, direct, rtol=0, atol=2e-5 * abs(direct).max())
            u = encoder.represent(cw.ImageSet({image: pictures[image]}))
            u = F.normalize(u, dim=1) if similarity == "cosine" else u
            assert gamma == pytest.approx(float(score(u)[0, 0]), rel=1e-4)
    agrees(engine, recorder, q)


@pytest.mark.parametrize(("grid", "most"), [((7, 7), 7), ((16, 14), 14), ((28, 28), 9), ((37, 37), 6), ((3, 100), 14)])
def test_finer_grids_have_fewer_cells(grid, most):
    places = grid[0] * grid[1]
    vectors, found = pooled(torch.rand(places, 4), grid)
    assert found == tuple(min(length, most) for length in grid)
    assert len(vectors) == found[0] * found[1]
    assert 4 * len(vectors) * (places + 1) <= cells.CELL_BYTES


def test_cells_are_means_of_the_places_that_they_cover():
    places = torch.arange(2 * 28 * 15, dtype=torch.float32).reshape(28 * 15, 2) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "CELL_BYTES", 1 << 20)
        vectors, grid = pooled(places, (28, 15))
    assert grid == (14, 14)
    block = places.reshape(28, 15, 2)[2:4, 0:2].mean((0, 1))  # the second row's first cell: 15 columns overlap in 14
    torch.testing.assert_close(vectors[14], block / block.norm())
    vectors, grid = pooled(torch.zeros(6, 4), (3, 2))
    assert grid == (3, 2)
    assert vectors.tolist() == torch.zeros(6, 4).tolist(), "a place without features is like nothing"


def test_centred_members_leave_cells_as_they_are(make):
    """A cell is compared by its direction: the score stays the cosine."""
    engine, recorder, _ = make(joint(0.5), question(method=cw.CAM()))
    engine.watch("a", POINTING)
    recorder.until(lambda: in_page(recorder))
    score = recorder.page.heatmap("p0", "corpus", [in_page(recorder)[3]], [])[1]
    engine.ask(question(method=cw.CAM(), centred=True))
    recorder.until(lambda: recorder.page.settings["centred"] and in_page(recorder))
    assert recorder.page.heatmap("p0", "corpus", [in_page(recorder)[3]], [])[1] == pytest.approx(score, rel=1e-5)


# ---- what is sent ------------------------------------------------------------------------------------------------


def sent_cells(recorder, image="p0"):
    """How many times each cell was sent for an image."""
    found = {}
    for products in recorder.products_sent:
        for item in products.items:
            for member in products.members if item.image == image else ():
                if member.startswith("cell:"):
                    found[member] = found.get(member, 0) + 1
    return found


def test_cells_come_once_and_are_sharper_with_their_operator(make):
    engine, recorder, _ = make(Slow(), question(method=cw.SharpCAM(follow_edges=False), explicands=("p0", "p5")))
    engine.watch("a", POINTING)
    settled(engine, recorder)
    settled(engine, recorder, image="p5")
    recorder.until(lambda: any(cell.startswith("cell:sharp") for cell in in_page(recorder, "p5")[-1:]))
    last = in_page(recorder)[-1].split(":")[1]
    total = int(last.removeprefix("sharp."))
    assert total == engine._state.store.get("p0", question(method=cw.SharpCAM(follow_edges=False)).recipe).total
    origins = list(dict.fromkeys(cell.split(":")[1] for cell in sent_cells(recorder, "p5")))
    passes = [int(origin.split(".")[1]) for origin in origins if origin.startswith("sharp")]
    assert passes == sorted(passes)
    assert all(after >= 2.5 * before or after == total for before, after in pairwise(passes))
    count = len(recorder.products_sent)
    engine.ask(question(method=cw.SharpCAM(follow_edges=False), explicands=("p0", "p5"), corpus=("p4",)))
    recorder.until(lambda: recorder.updates[-1][0] == engine.version)
    assert len(recorder.products_sent) == count


def test_cells_are_sent_again_to_a_view_that_begins_to_point(make):
    engine, recorder, _ = make(first=question(method=cw.CAM()))
    engine.watch("a", POINTING)
    recorder.until(lambda: sent_cells(recorder))
    assert {*sent_cells(recorder).values()} == {1}
    engine.watch("a", SHOWN)
    engine.watch("a", POINTING)  # perhaps before the painter has seen that nothing is pointed at
    recorder.until(lambda: {*sent_cells(recorder).values()} == {2})
    engine.watch("b", POINTING)
    recorder.until(lambda: {*sent_cells(recorder).values()} == {3})
    engine.watch("b", POINTING, renew=True)
    recorder.until(lambda: {*sent_cells(recorder).values()} == {4})
    engine.leave("b")
    engine.watch("a", View(explicands=32, visible=ALL, cells_of="p4"))
    recorder.until(lambda: any(cell.endswith(":p4") for cell in in_page(recorder)))
    assert {*sent_cells(recorder).values()} == {1, 4}


def test_what_is_not_pointed_at_is_forgotten(make):
    engine, recorder, _ = make(first=question(method=cw.CAM()))
    engine.watch("a", POINTING)
    recorder.until(lambda: in_page(recorder))
    kept = engine._painter._sender._sent
    engine.watch("a", SHOWN)
    engine.ask(question(method=cw.CAM(), corpus=("p4",)))
    engine.wait(120)
    engine.watch("b", SHOWN)  # products are due, so that the painter looks
    recorder.until(lambda: not any(m.startswith("cell:") for m in kept._editions["p0"].members))
    assert kept._cells == frozenset()
    assert engine._painter._sender._cells.ids == frozenset()


def test_cells_in_parts_and_within_the_pages_budget(make, monkeypatch):
    from cocoa_widget.live import sender

    q = question(method=cw.CAM(), explicands=("p0", "p4"))
    engine, recorder, _ = make(first=q)
    engine.watch("a", View(explicands=32, visible=ALL))
    settled(engine, recorder)
    settled(engine, recorder, image="p4")
    numbers = next(iter(recorder.page.images["p0"]["members"].values())).size
    held = sum(edition.nbytes for edition in engine._painter._sender._sent._editions.values())
    rows, columns = engine._state.store.get("p0", q.recipe).grid
    cells_of_one = 4 * numbers * rows * columns
    monkeypatch.setattr(sent, "KEPT_BYTES", held + cells_of_one)  # room for those of the first explicand alone
    monkeypatch.setattr(sender, "PART_BYTES", 4 * numbers * 5)
    engine.watch("a", POINTING)
    recorder.until(lambda: len(in_page(recorder)) == rows * columns)
    engine.ask(question(method=cw.CAM(), explicands=("p0", "p4"), corpus=("p3",), foil=()))
    engine.wait(120)
    assert in_page(recorder, "p4") == []
    parts = [products for products in recorder.products_sent if products.members[:1] == in_page(recorder)[:1]]
    assert len(parts) == 1
    assert len(parts[0].members) <= 4
    agrees(engine, recorder, question(method=cw.CAM(), corpus=("p3",), foil=()), "p4")


@pytest.mark.parametrize(
    "change",
    [{"similarity": "gaussian"}, {"layer": "error"}, {"method": cw.IntegratedGradients(steps=4)}],
    ids=["gaussian", "layer", "gradients"],
)
def test_without_products_there_are_no_cells(make, change):
    engine, recorder, _ = make(first=question(**change))
    engine.watch("a", POINTING)
    engine.wait(120)
    assert recorder.products_sent == []


def test_an_encoder_without_a_feature_map_has_no_cells(make):
    engine, recorder, _ = make(Transformer("token"), question())
    engine.watch("a", POINTING)
    settled(engine, recorder)
    assert in_page(recorder) == []


def test_new_weights_are_new_cells(make):
    module = Convolutional()
    engine, recorder, _ = make(module, question(method=cw.CAM()))
    engine.watch("a", POINTING)
    recorder.until(lambda: in_page(recorder))
    space, before = recorder.page.space, recorder.page.images["p0"]["members"][in_page(recorder)[5]]
    with torch.no_grad():
        module.body[0].weight.mul_(-1)
    engine.ask(question(method=cw.CAM(), corpus=("p4",)))
    recorder.until(lambda: recorder.page.space > space and in_page(recorder))
    after = recorder.page.images["p0"]["members"][in_page(recorder)[5]]
    assert abs(after - before).max() > 1e-3 * abs(before).max()
