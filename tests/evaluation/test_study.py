import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from cocoa_widget.evaluation import study, summarise
from cocoa_widget.evaluation.draw import draw
from tests.conftest import Convolutional, encoder_of

LABELS = ["a"] * 12 + ["b"] * 10 + ["c"] * 14
SIZES = {"explicands": 2, "corpus": 3, "foil": 8, "steps": 4, "seeds": (1, 2), "progress": False}
METHODS = {"RISE": cw.RISE(n_masks=24), "CAM": "cam"}


class Pooled(nn.Module):
    """An encoder that returns the mean colour of the middle of an image."""

    def forward(self, images):
        return images[:, :, 8:24, 8:24].mean((2, 3))


def coloured(labels):
    """Return noise whose middle has the colour of the image's class."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(len(labels), 3, 32, 32, generator=generator)
    for image, label in zip(images, labels, strict=True):
        image["abc".index(label), 8:24, 8:24] += 2
    return images


def classified(module):
    encoder = encoder_of(module)
    torch.manual_seed(0)
    encoder.classifier = nn.Linear(16, 4)
    return encoder


def test_table():
    frame = study(classified(Convolutional()), coloured(LABELS), LABELS, METHODS, **SIZES)
    columns = ["seed", "class", "explicand", "method", "target", "encoder", "setting", "measure", "kind", "auc"]
    assert list(frame.columns) == columns
    rows = 2 * len(cw.TARGETS) + 2 * 1 + 1  # two methods by all targets, COCOA by a randomised encoder, and noise
    assert len(frame) == 2 * 3 * 2 * rows * 2 * 2 * 2  # seeds, classes, explicands; settings, measures, kinds
    assert not frame.duplicated(columns[:-1]).any()
    assert set(frame["setting"]) == {"same class", "different class"}
    assert set(frame["measure"]) == {"contrastive_corpus_similarity", "corpus_majority_probability"}
    assert set(frame["encoder"]) == {"trained", "randomised", "random"}
    assert all(LABELS[i] == kind for i, kind in zip(frame["explicand"], frame["class"], strict=True))
    assert np.isfinite(frame["auc"]).all()


def test_a_study_is_its_parts():
    """One row of the table, computed step by step with the other functions."""
    from cocoa_widget.evaluation import ContrastiveCorpusSimilarity, insertion_deletion

    encoder, images = classified(Convolutional()), coloured(LABELS)
    frame = study(encoder, images, LABELS, METHODS, targets=["corpus", "label_free"], **SIZES)
    drawn = draw(LABELS, explicands=2, corpus=3, foil=8, seed=2)
    mine = images[drawn.explicands["b"]]
    corpora = {"same class": drawn.corpora["b"], "different class": drawn.corpora[drawn.others["b"]]}
    rows = frame.query("seed == 2 and `class` == 'b' and method == 'RISE' and encoder == 'trained'")
    rows = rows[rows["measure"] == "contrastive_corpus_similarity"]
    areas = rows.set_index(["setting", "target", "kind", "explicand"])["auc"].to_dict()
    for setting, corpus in corpora.items():
        c, v = encoder.encode(images[corpus]), encoder.encode(images[drawn.foil])
        for target in ("corpus", "label_free"):
            maps = cw.Explainer(encoder, METHODS["RISE"]).explain(mine, corpus=c, foil=v, target=target).heatmaps
            curves = insertion_deletion(encoder, mine, maps, [ContrastiveCorpusSimilarity(c, v)], steps=4)
            for i, explicand in enumerate(drawn.explicands["b"].tolist()):
                key = setting, target
                assert areas[*key, "insertion", explicand] == pytest.approx(curves.insertion_auc[0, i], abs=1e-5)
                assert areas[*key, "deletion", explicand] == pytest.approx(curves.deletion_auc[0, i], abs=1e-5)


def test_cocoa_finds_the_coloured_middle():
    """For an encoder of the middle, COCOA's heatmaps beat noise by more than the confidence intervals."""
    encoder = encoder_of(Pooled())
    encoder.classifier = None
    options = {**SIZES, "foil": 12, "steps": 10, "seeds": (1, 2, 3)}
    frame = study(encoder, coloured(LABELS), LABELS, {"RISE": cw.RISE(n_masks=200)}, **options)
    assert set(frame["measure"]) == {"contrastive_corpus_similarity"}  # no classifier
    found = summarise(frame[frame["encoder"] != "randomised"], ["setting", "target", "kind"])
    table = {row[:3]: row for row in found.itertuples(index=False)}
    for kind, sign in (("insertion", 1), ("deletion", -1)):
        cocoa, random = (table["same class", target, kind] for target in ("contrastive_corpus", "random"))
        assert sign * (cocoa.mean - random.mean) > cocoa.half_width + random.half_width
        cocoa, random = (table["different class", target, kind] for target in ("contrastive_corpus", "random"))
        assert sign * (cocoa.mean - random.mean) > 0


def test_same_seed_same_study():
    images = coloured(LABELS)
    methods = {"RISE": METHODS["RISE"]}
    a, b = (study(classified(Convolutional()), images, LABELS, methods, **SIZES) for _ in "ab")
    pd.testing.assert_frame_equal(a, b)


def test_explicands_are_prepared_once_for_everything(inputs):
    module = Convolutional()
    encoder = classified(module)
    encoder.pooling  # noqa: B018
    before = module.calls
    study(encoder, coloured(LABELS), LABELS, {"RISE": METHODS["RISE"]}, **{**SIZES, "seeds": (1,)})
    explicands = 3 * 2
    # Heatmaps: 2 targets without a corpus, 2 targets by 2 settings, 2 of the randomised encoder, and noise.
    ablations = explicands * (2 + 2 * 2 + 2 + 1) * 2 * SIZES["steps"]
    # The randomised encoder is another module with a count of its own.
    # Noise is prepared as well, which encodes the explicands.
    assert module.calls - before == len(LABELS) + explicands * (24 + 1 + 1) + ablations


def test_bad_arguments_are_named():
    encoder, images = classified(Convolutional()), coloured(LABELS)
    with pytest.raises(ValueError, match="35 labels for 36 images"):
        study(encoder, images, LABELS[1:], METHODS, **SIZES)
    with pytest.raises(ValueError, match="'nearest'"):
        study(encoder, images, LABELS, METHODS, **SIZES, targets=["nearest"])
    with pytest.raises(ValueError, match="'best'"):
        study(encoder, images, LABELS, {"Best": "best"}, **SIZES)
    with pytest.raises(ValueError, match="give the method another name"):
        study(encoder, images, LABELS, {"random": "rise"}, **SIZES)


def test_a_missing_library_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas.*cocoa-widget\[demo\]"):
        study(classified(Convolutional()), coloured(LABELS), LABELS, METHODS, **SIZES)
