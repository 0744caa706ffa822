"""Prepared explicands in a file, and what is said about other files."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import cocoa_widget as cw
from tests.conftest import Convolutional, encoder_of


def segments(explicand):
    labels = torch.zeros(32, 32, dtype=torch.int64)
    labels[:, 10:] = 1
    labels[int(10 + explicand[0, 0, 0] % 5) :, 20:] = 2
    return labels


METHODS = [
    cw.RISE(n_masks=64),
    cw.RISE(n_masks=50, p=0.4),
    cw.CAM(),
    cw.SharpCAM(follow_edges=False),
    cw.Occlusion(window=8, stride=4),
    cw.KernelSHAP(superpixels=4, n_samples=60),
    cw.KernelSHAP(superpixels=segments, n_samples=20),
]


@pytest.fixture
def file(tmp_path, convolutional, inputs):
    path = tmp_path / "explicands.safetensors"
    cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs).save(path)
    return path


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_loaded_explicands_give_the_same_answers_without_a_pass(tmp_path, inputs, corpus, foil, method):
    module = Convolutional()
    encoder = encoder_of(module)
    prepared = cw.Explainer(encoder, method).prepare(inputs)
    bins = {"corpus": prepared.members(corpus), "foil": prepared.members(foil)}
    before = module.calls
    prepared.save(tmp_path / "explicands")
    loaded = cw.Prepared.load(tmp_path / "explicands")
    for similarity in ("cosine", "dot"):
        found, expected = (each.explain(**bins, similarity=similarity) for each in (loaded, prepared))
        np.testing.assert_array_equal(found.heatmaps, expected.heatmaps)
        np.testing.assert_array_equal(found.scores, expected.scores)
        assert (found.errors is None) == (expected.errors is None)
        if expected.errors is not None:
            np.testing.assert_array_equal(found.errors, expected.errors)
        for one, other in zip(loaded.operators, prepared.operators, strict=True):
            assert torch.equal(one.coefficients_for(similarity), other.coefficients_for(similarity))
        stable = [each.stability(**bins, similarity=similarity, size=(8, 8))[1] for each in (loaded, prepared)]
        np.testing.assert_allclose(stable[0].deviation, stable[1].deviation, rtol=1e-4)
    shares = [each.influence(**bins)[2][0].shares for each in (loaded, prepared)]
    np.testing.assert_array_equal(*shares)
    assert module.calls == before


@pytest.mark.parametrize(
    "method",
    [
        cw.SharpCAM(),
        cw.SharpCAM(masks=64, follow_edges=False),
        cw.SharpCAM(masks=64),
        replace(METHODS[-1], follow_edges=True),
    ],
    ids=str,
)
def test_filters_and_sums_are_saved(tmp_path, convolutional, inputs, corpus, method):
    prepared = cw.Explainer(convolutional, method).prepare(inputs)
    prepared.save(tmp_path / "explicands")
    loaded = cw.Prepared.load(tmp_path / "explicands", convolutional)
    for similarity in ("cosine", "dot"):
        found, expected = (each.explain(corpus=corpus, similarity=similarity) for each in (loaded, prepared))
        largest = abs(expected.heatmaps).max()
        np.testing.assert_allclose(found.heatmaps, expected.heatmaps, rtol=0, atol=1e-5 * largest)


def test_explicands_share_their_spread_in_the_file(file, tmp_path, convolutional, inputs):
    prepared = cw.Explainer(convolutional, METHODS[-1]).prepare(inputs)
    prepared.save(tmp_path / "labels")
    with safe_open(file, "pt") as one, safe_open(tmp_path / "labels", "pt") as other:
        assert sum(name.startswith("spread") for name in one.keys()) == 2  # noqa: SIM118
        assert sum(name.startswith("spread") for name in other.keys()) == 3  # noqa: SIM118
        assert one.get_tensor("spread.0.rows").shape == (32, 10)
        assert one.get_tensor("0.cosine.steps").shape == (116, 16)


def test_an_encoder_encodes_the_members_of_loaded_explicands(file, convolutional, corpus):
    loaded = cw.Prepared.load(file, convolutional)
    assert loaded.explain(corpus=corpus).heatmaps.shape == (3, 32, 32)
    with pytest.raises(ValueError, match=r"without an encoder.*Prepared.load\(path, encoder\)"):
        cw.Prepared.load(file).explain(corpus=corpus)


def test_another_encoder_is_refused(file, convolutional):
    with torch.no_grad():
        convolutional.module.body[0].weight.mul_(2)
    with pytest.raises(cw.EncoderError, match=r"prepared with the encoder 'Convolutional'.*other weights"):
        cw.Prepared.load(file, convolutional)


def test_the_gaussian_similarity_needs_more_than_a_file_has(file, convolutional, corpus):
    loaded = cw.Prepared.load(file, convolutional)
    with pytest.raises(ValueError, match="choose the cosine or the dot product"):
        loaded.explain(corpus=corpus, similarity="gaussian")
    with pytest.raises(ValueError, match="copy that file"):
        loaded.save(file)


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (cw.RISE(n_masks=8, estimator="plain"), r"without coefficients.*estimator='plain'"),
        (cw.Saliency(), "no operators.*linear method"),
    ],
)
def test_methods_without_coefficients_cannot_be_saved(tmp_path, convolutional, inputs, method, says):
    with pytest.raises(ValueError, match=says):
        cw.Explainer(convolutional, method).prepare(inputs).save(tmp_path / "file")
    assert not (tmp_path / "file").exists()


class Harmful:
    """An object whose unpickling is noticed."""

    def __reduce__(self):
        return pytest.fail, ("the file was unpickled",)


def test_other_files_are_refused(file, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file.*Prepared.save"):
        cw.Prepared.load(tmp_path / "missing")
    other = tmp_path / "other"
    other.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ValueError, match="damaged, or no file of prepared explicands"):
        cw.Prepared.load(other)
    other.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        cw.Prepared.load(other)
    save_file({"weight": torch.zeros(3)}, other)
    with pytest.raises(ValueError, match="no file of prepared explicands"):
        cw.Prepared.load(other)


@pytest.mark.parametrize(
    ("change", "says"), [({"version": "2"}, "version 2 of the format.*reads version 1"), ({"content": "{}"}, "lacks")]
)
def test_files_of_other_versions_and_damaged_ones_are_refused(file, tmp_path, change, says):
    with safe_open(file, "pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        metadata = opened.metadata()
    save_file(tensors, tmp_path / "other", {**metadata, **change})
    with pytest.raises(ValueError, match=says):
        cw.Prepared.load(tmp_path / "other")
