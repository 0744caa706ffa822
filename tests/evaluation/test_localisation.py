import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from cocoa_widget.evaluation import average_precision, energy, hits, mosaic, overlap


def test_energy():
    heatmap = np.array([[3.0, -5.0], [1.0, 0.0]])
    left = np.array([[True, False], [True, False]])
    top = np.array([[True, True], [False, False]])
    np.testing.assert_allclose(energy([heatmap, heatmap, -abs(heatmap)], np.stack([left, top, top])), [1, 0.75, 0])
    np.testing.assert_allclose(energy(torch.tensor(heatmap), torch.tensor(~left)), [0])


def test_hits():
    heatmap = np.zeros((10, 10))
    heatmap[2, 3] = 1
    region = np.zeros((10, 10), dtype=bool)
    region[5:, 7:] = True  # its nearest pixel is 3 rows and 4 columns, so 5 pixels, away
    there, here = region.copy(), np.zeros_like(region)
    there[2, 3] = True
    here[:3, :4] = True
    assert hits([heatmap] * 3, [region, there, here]).tolist() == [False, True, True]
    assert [bool(hits(heatmap, region, tolerance=t)) for t in (4.9, 5)] == [False, True]
    assert not hits(heatmap, np.zeros_like(region), tolerance=99)  # no region
    assert not hits(np.zeros((10, 10)), here)  # points nowhere
    assert not hits(-1 - heatmap, np.ones_like(region))
    heatmap[8, 8] = 1
    assert not hits(heatmap, region)  # the first of two maxima counts
    assert hits(heatmap, here)


def test_average_precision():
    heatmap = np.array([[4.0, 3.0], [2.0, -1.0]])
    region = np.array([[True, False], [True, False]])
    assert average_precision(heatmap, region) == pytest.approx([(1 / 1 + 2 / 3) / 2])
    assert average_precision([heatmap, -heatmap], [region, ~region]).tolist() == pytest.approx([5 / 6, 5 / 6])
    assert average_precision(np.zeros((2, 2)), region) == pytest.approx([0.5])  # all pixels count together
    assert average_precision(heatmap, np.zeros((2, 2), dtype=bool)) == [0]


def test_average_precision_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    heatmaps, regions = rng.integers(-5, 6, (4, 9, 7)).astype(float), rng.random((4, 9, 7)) < 0.3
    expected = [average_precision_score(r.ravel(), h.ravel()) for h, r in zip(heatmaps, regions, strict=True)]
    assert average_precision(heatmaps, regions) == pytest.approx(expected)


def test_overlap():
    heatmap = np.array([[4.0, 3.0], [2.0, -1.0]])
    region = np.array([[True, False], [True, False]])
    assert overlap(heatmap, region, 0.9) == [1 / 2]
    assert overlap(heatmap, region, 0.75) == pytest.approx([1 / 3])
    assert overlap(heatmap, region, 0.5) == pytest.approx([2 / 3])
    assert overlap(heatmap, region) == pytest.approx([2 / 3])
    assert overlap([heatmap, -heatmap], [~region, ~region]).tolist() == pytest.approx([1 / 2, 2 / 3])
    assert overlap(-abs(heatmap), region, 0.5) == [0]
    assert overlap(heatmap, np.zeros_like(region)) == [0]


@pytest.mark.parametrize(("side", "size"), [(1, (6, 6)), (2, (8, 6)), (2, (7, 9)), (3, (32, 32))])
def test_mosaic(side, size):
    values = torch.arange(1.0, side**2 + 1)
    whole, regions = mosaic(values[:, None, None, None].expand(-1, 3, *size))
    assert whole.shape == (3, *size)
    assert regions.shape == (side**2, *size)
    assert regions.dtype == torch.bool
    assert torch.equal(regions.sum(0), torch.ones(size, dtype=torch.int64))
    for value, region in zip(values, regions, strict=True):
        assert bool((whole[:, region] == value).all())
    corners = [regions[:, row, column].int().argmax() for row in (0, -1) for column in (0, -1)]
    assert corners == [0, side - 1, side**2 - side, side**2 - 1]  # in reading order
    areas = regions.sum((1, 2))
    assert areas.max() - areas.min() <= size[0] // side + size[1] // side + 1


def test_mosaic_averages():
    explicands = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    whole, regions = mosaic(explicands)
    expected = explicands[2].reshape(3, 4, 2, 4, 2).mean((2, 4))
    torch.testing.assert_close(whole[:, 4:, :4], expected)
    assert bool(regions[2, 4:, :4].all())


def test_bad_arguments_are_named():
    maps, regions = np.zeros((2, 4, 4)), np.zeros((2, 4, 4), dtype=bool)
    with pytest.raises(TypeError, match="boolean.*int64"):
        energy(maps, regions.astype(int))
    with pytest.raises(ValueError, match="2 heatmaps but 1 regions"):
        energy(maps, regions[0])
    with pytest.raises(ValueError, match="differ in shape"):
        hits(maps, regions[:, :2])
    with pytest.raises(ValueError, match="at least 0, not -1"):
        hits(maps, regions, tolerance=-1)
    with pytest.raises(ValueError, match=r"\(5, 3, 8, 8\)"):
        mosaic(torch.zeros(5, 3, 8, 8))
    with pytest.raises(ValueError, match="too many"):
        mosaic(torch.zeros(9, 3, 2, 2))
