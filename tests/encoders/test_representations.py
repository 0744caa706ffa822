"""The table of representations."""

import torch
import torch.nn.functional as F

from cocoa_widget.contrast.score import LinearScore
from cocoa_widget.encoders import Representations


def test_representations_are_kept_once_and_averaged():
    generator = torch.Generator().manual_seed(0)
    corpus, foil = (torch.randn(n, 8, generator=generator) for n in (4, 5))
    table = Representations()
    table.add(["a", "b", "c", "d"], corpus)
    table.add(["d", "e", "f", "g", "h", "i"], torch.cat([torch.zeros(1, 8), foil]))
    assert len(table) == 9
    assert table.missing(["a", "z"]) == ["z"]
    torch.testing.assert_close(table.get(["d", "e"]), torch.stack([corpus[3], foil[0]]))
    torch.testing.assert_close(table.mean(list("abcd"), unit=True), F.normalize(corpus, dim=1).mean(0))
    torch.testing.assert_close(table.mean(list("abcd"), unit=False), corpus.mean(0))


def test_a_table_grows_beyond_its_capacity():
    table = Representations()
    rows = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    for i in range(0, 500, 7):
        table.add([str(j) for j in range(i, min(i + 7, 500))], rows[i : i + 7])
    torch.testing.assert_close(table.get([str(j) for j in range(500)]), rows)


def test_a_zero_representation_scores_zero():
    table = Representations()
    table.add(["zero"], torch.zeros(1, 4))
    assert not table.mean(["zero"], unit=True).any()
    assert LinearScore(torch.ones(1, 4), "cosine")(torch.zeros(1, 4)).item() == 0
