import numpy as np
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from cocoa_widget.evaluation import (
    Ablation,
    ContrastiveCorpusSimilarity,
    CorpusMajorityProbability,
    CorpusSimilarity,
    ExplicandSimilarity,
    insertion_deletion,
)
from cocoa_widget.evaluation.ablation import ranks
from tests.conftest import Convolutional, Linear, encoder_of


class Identity(nn.Module):
    """A module whose representation is the image's pixels, and which keeps what it encoded."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(images.clone())
        return images.flatten(1)


def zero(explicands):
    return torch.zeros_like(explicands)


def heatmaps_of(inputs, seed=0):
    return torch.randn(len(inputs), 32, 32, generator=torch.Generator().manual_seed(seed))


def all_measures(encoder, corpus, foil):
    c, v = encoder.encode(corpus), encoder.encode(foil)
    torch.manual_seed(0)
    return [
        ContrastiveCorpusSimilarity(c, v),
        ContrastiveCorpusSimilarity(c, v, similarity="dot", name="dot"),
        CorpusSimilarity(c),
        CorpusMajorityProbability(nn.Linear(16, 5), c),
        ExplicandSimilarity(),
    ]


def test_by_hand():
    """Pixels of 4, 3, 2 and 1 are inserted one by one; the score is their sum."""
    explicand = torch.tensor([[4.0, 1.0], [2.0, 3.0]]).expand(3, 2, 2) / 3
    sums = CorpusSimilarity(torch.ones(1, 12), similarity="dot")
    encoder = encoder_of(Identity(), image_size=2)
    found = insertion_deletion(encoder, explicand, explicand[0], [sums], baseline=zero, steps=4)
    np.testing.assert_allclose(found.fractions, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.insertion, [[[0, 4, 7, 9, 10]]], atol=1e-6)
    np.testing.assert_allclose(found.deletion, [[[10, 6, 3, 1, 0]]], atol=1e-6)
    # Trapezoids of width 1/4: (0+4)/2 + (4+7)/2 + (7+9)/2 + (9+10)/2 = 25, and 40 − 25 = 15.
    np.testing.assert_allclose(found.insertion_auc, [[25 / 4]], atol=1e-6)
    np.testing.assert_allclose(found.deletion_auc, [[15 / 4]], atol=1e-6)


def test_inputs_are_insertions_and_deletions_step_by_step():
    explicand = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    baseline = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1))
    heatmap = torch.arange(16.0).reshape(4, 4)  # the last pixel is the most important
    ablation = Ablation(explicand, baseline, heatmap, steps=4)
    encoded = ablation.inputs(100)
    assert torch.equal(encoded[0], explicand)
    assert torch.equal(encoded[1], baseline)
    rows = torch.arange(4)[:, None].expand(4, 4)
    for step in (1, 2, 3):  # each step is one row of pixels, from the bottom
        changed = rows >= 4 - step
        assert torch.equal(encoded[2 * step], torch.where(changed, explicand, baseline))
        assert torch.equal(encoded[2 * step + 1], torch.where(changed, baseline, explicand))


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_encodings_are_counted(inputs, corpus, foil, steps):
    """Two ends and twice the steps between, whatever the number of measures: 100 for the paper's 50 steps."""
    module = Convolutional()
    encoder = encoder_of(module)
    measures = all_measures(encoder, corpus, foil)
    encoder.pooling  # noqa: B018  (probed with a pass of its own)
    before = module.calls
    insertion_deletion(encoder, inputs, heatmaps_of(inputs), measures, steps=steps)
    assert module.calls - before == 3 * 2 * steps <= 3 * 102


def test_batches_are_full(inputs, corpus):
    module = Identity()
    encoder = encoder_of(module, batch_size=7)
    encoder.pooling  # noqa: B018
    module.seen.clear()
    insertion_deletion(encoder, inputs, heatmaps_of(inputs), [ExplicandSimilarity()], steps=5)
    assert [len(batch) for batch in module.seen] == [7, 7, 7, 7, 2]


def test_batch_size_and_slices_change_nothing(inputs, corpus, foil):
    found = []
    for size in (1, 7, 64):
        encoder = encoder_of(Convolutional(), batch_size=size)
        measures = all_measures(encoder, corpus, foil)
        found.append(insertion_deletion(encoder, inputs, heatmaps_of(inputs), measures, steps=6))
    ablation = Ablation(inputs[1], cw.Blur()(inputs)[1], heatmaps_of(inputs)[1], steps=6)
    while not ablation.complete:
        ablation.accept(encoder.forward(ablation.inputs(5)).representations)
    alone = ablation.curves(measures)
    for other in found[1:]:
        np.testing.assert_allclose(found[0].insertion, other.insertion, atol=1e-5)
        np.testing.assert_allclose(found[0].deletion, other.deletion, atol=1e-5)
    np.testing.assert_allclose(alone.insertion[:, 0], found[0].insertion[:, 1], atol=1e-5)
    np.testing.assert_allclose(alone.deletion[:, 0], found[0].deletion[:, 1], atol=1e-5)


def test_both_ends_are_shared(convolutional, inputs, corpus, foil):
    measures = all_measures(convolutional, corpus, foil)
    found = insertion_deletion(convolutional, inputs, heatmaps_of(inputs), measures, steps=3)
    assert np.array_equal(found.insertion[..., 0], found.deletion[..., -1])
    assert np.array_equal(found.insertion[..., -1], found.deletion[..., 0])
    vectors, blurred = convolutional.encode(inputs), convolutional.encode(cw.Blur()(inputs))
    for row, measure in enumerate(measures):
        np.testing.assert_allclose(measure(vectors[:, None], vectors)[:, 0], found.deletion[row, :, 0], atol=1e-5)
        np.testing.assert_allclose(measure(blurred[:, None], vectors)[:, 0], found.insertion[row, :, 0], atol=1e-5)


@pytest.mark.parametrize("features", [1, 4])
def test_the_perfect_order_is_the_best(features):
    """For a linear score, a pixel's own contribution is the best order for insertion and for deletion."""
    encoder = encoder_of(Linear())
    (explicand, *corpus) = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    vectors = encoder.encode(torch.stack(corpus))
    measure = ContrastiveCorpusSimilarity(vectors[:1], vectors[1:], similarity="dot")
    w = vectors[0] - vectors[1:].mean(0)
    perfect = ((w @ encoder.module.weight).reshape(3, 32, 32) * explicand).sum(0).detach()
    options = {"baseline": zero, "steps": 8, "features": features}

    def areas(heatmap):
        found = insertion_deletion(encoder, explicand, heatmap, [measure], **options)
        return found.insertion_auc.item(), found.deletion_auc.item()

    best = areas(perfect)
    generator = torch.Generator().manual_seed(1)
    others = [areas(torch.randn(32, 32, generator=generator)) for _ in range(20)]
    assert all(best[0] > insertion and best[1] < deletion for insertion, deletion in others)
    assert areas(-perfect)[0] < min(insertion for insertion, _ in others)


def test_ties_are_in_reading_order():
    assert torch.equal(ranks(torch.zeros(3, 4), 1), torch.arange(12).reshape(3, 4))
    heatmap = torch.zeros(2, 3)
    heatmap[1, 1] = 1
    assert ranks(heatmap, 1).tolist() == [[1, 2, 3], [4, 0, 5]]


def test_cells_count_with_their_mean():
    heatmap = torch.zeros(5, 4)
    heatmap[4, 2] = 3  # the lower border's cells are 1 × 2 pixels, mean 1.5
    heatmap[:2, :2] = 1
    assert ranks(heatmap, 2).tolist() == [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2 + [[5, 5, 0, 0]]


def test_labels_define_features():
    labels = torch.tensor([[7, 7, 3], [7, 9, 9]])
    heatmap = torch.tensor([[3.0, 0, 1], [0, 2, 2]])  # means 1, 1 and 2; of the equal ones the lower label is first
    expected = [[2, 2, 1], [2, 0, 0]]
    assert ranks(heatmap, labels).tolist() == expected
    assert ranks(heatmap, labels.numpy()).tolist() == expected


def test_each_explicand_may_have_its_own_label_map(convolutional, inputs, corpus):
    measure = CorpusSimilarity(convolutional.encode(corpus))
    cells = [ranks(torch.zeros(32, 32), side) for side in (4, 8, 16)]  # labels in reading order
    maps = heatmaps_of(inputs)
    together = insertion_deletion(convolutional, inputs, maps, [measure], steps=5, features=cells)
    for i, side in enumerate((4, 8, 16)):
        alone = insertion_deletion(convolutional, inputs[i], maps[i], [measure], steps=5, features=side)
        np.testing.assert_allclose(alone.insertion[0, 0], together.insertion[0, i], atol=1e-6)
    same = insertion_deletion(convolutional, inputs, maps, [measure], steps=5, features=cells[1])
    np.testing.assert_allclose(same.insertion[0, 1], together.insertion[0, 1], atol=1e-6)


def test_fewer_features_than_steps():
    """The feature at the border is blended, so that the share of changed features is exact at every step."""
    explicand = torch.full((3, 4, 4), 1 / 12)
    explicand[:, :, 2:] = 3 / 12  # two features: sums 2 and 6
    sums = CorpusSimilarity(torch.ones(1, 48), similarity="dot")
    encoder = encoder_of(Identity(), image_size=4)
    halves = (torch.arange(4) // 2).expand(4, 4)
    found = insertion_deletion(encoder, explicand, explicand[0], [sums], baseline=zero, steps=8, features=halves)
    np.testing.assert_allclose(found.insertion[0, 0], [0, 1.5, 3, 4.5, 6, 6.5, 7, 7.5, 8], atol=1e-5)
    np.testing.assert_allclose(found.deletion[0, 0], 8 - found.insertion[0, 0], atol=1e-5)


def test_a_constant_heatmap_works(convolutional, inputs, corpus):
    measure = CorpusSimilarity(convolutional.encode(corpus))
    found = insertion_deletion(convolutional, inputs, np.zeros((3, 32, 32)), [measure], steps=4)
    ordered = -torch.arange(32 * 32.0).reshape(1, 32, 32).expand(3, -1, -1)
    again = insertion_deletion(convolutional, inputs, ordered, [measure], steps=4)
    assert np.array_equal(found.insertion, again.insertion)


def test_to_frame(convolutional, inputs, corpus, foil):
    measures = all_measures(convolutional, corpus, foil)[:2]
    found = insertion_deletion(convolutional, inputs, heatmaps_of(inputs), measures, steps=3)
    frame = found.to_frame()
    assert list(frame.columns) == ["explicand", "measure", "kind", "auc"]
    assert len(frame) == 3 * 2 * 2
    row = frame.query("explicand == 2 and measure == 'dot' and kind == 'deletion'")
    assert row["auc"].item() == pytest.approx(found.deletion_auc[1, 2])


def test_plot(convolutional, inputs, corpus, foil):
    import matplotlib.pyplot as plt

    measures = all_measures(convolutional, corpus, foil)[:2]
    found = insertion_deletion(convolutional, inputs, heatmaps_of(inputs), measures, steps=4)
    axes = found.plot()
    assert [axis.get_ylabel() for axis in axes] == ["Contrastive corpus similarity"] * 2
    lines = {line.get_label().split()[0]: line for line in axes[0].get_lines()}
    np.testing.assert_allclose(lines["insertion"].get_ydata(), found.insertion[0].mean(0), atol=1e-6)
    np.testing.assert_allclose(lines["deletion"].get_ydata(), found.deletion[0].mean(0), atol=1e-6)
    band = axes[0].collections[0].get_paths()[0].vertices[:, 1]
    mean, std = found.insertion[0].mean(0), found.insertion[0].std(0, ddof=1)
    assert band.max() == pytest.approx((mean + 1.96 * std / 3**0.5).max(), abs=1e-5)
    axes[0].figure.canvas.draw()
    with pytest.raises(ValueError, match="2 measures but 1 axes"):
        found.plot(plt.subplots()[1])
    single = insertion_deletion(convolutional, inputs[:1], heatmaps_of(inputs)[:1], measures[:1], steps=4)
    (axis,) = single.plot(plt.subplots()[1])
    assert not axis.collections  # one explicand has no interval
    plt.close("all")


def test_bad_arguments_are_named(convolutional, inputs, corpus):
    maps, measure = heatmaps_of(inputs), CorpusSimilarity(convolutional.encode(corpus))
    with pytest.raises(ValueError, match="2 heatmaps but 3 explicands"):
        insertion_deletion(convolutional, inputs, maps[:2], [measure])
    with pytest.raises(ValueError, match=r"\(16, 16\).*\(32, 32\).*input size"):
        insertion_deletion(convolutional, inputs, maps[:, ::2, ::2], [measure])
    with pytest.raises(ValueError, match="not finite"):
        insertion_deletion(convolutional, inputs, maps * torch.nan, [measure])
    with pytest.raises(ValueError, match="at least 1 step"):
        insertion_deletion(convolutional, inputs, maps, [measure], steps=0)
    with pytest.raises(ValueError, match="a side of at least 1 pixel"):
        insertion_deletion(convolutional, inputs, maps, [measure], features=0)
    with pytest.raises(ValueError, match=r"integer labels of the shape \(32, 32\).*float32"):
        insertion_deletion(convolutional, inputs, maps, [measure], features=maps[0])
    with pytest.raises(ValueError, match="2 label maps but 3 explicands"):
        insertion_deletion(convolutional, inputs, maps, [measure], features=[8, 8])
    with pytest.raises(ValueError, match="no measures"):
        insertion_deletion(convolutional, inputs, maps, [])
    with pytest.raises(ValueError, match="different names"):
        insertion_deletion(convolutional, inputs, maps, [measure, measure])
    with pytest.raises(ValueError, match="no explicands"):
        insertion_deletion(convolutional, inputs[:0], maps[:0], [measure])
    with pytest.raises(RuntimeError, match="0 of 100"):
        Ablation(inputs[0], inputs[0], maps[0]).curves([measure])
