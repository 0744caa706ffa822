"""The gap between texts and images, and centring, which takes it out."""

import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.contrast.modality import Reference, centred
from tests.joint import joint


def test_the_gap_is_gone():
    names = [f"name{i}" for i in range(200)]
    prompts = [f"word{i}" for i in range(20)]
    without, with_gap = joint(0.0).encode_text(prompts), joint(3.0).encode_text(prompts)
    found = cw.centre(with_gap, joint(3.0).encode_text(names))
    assert float(F.cosine_similarity(with_gap, without).mean()) < 0.5
    assert float(F.cosine_similarity(found, without).mean()) > 0.9
    torch.testing.assert_close(found.norm(dim=1), torch.ones(20))


@pytest.mark.parametrize("similarity", ["dot", "gaussian"])
def test_each_modality_loses_its_own_mean(similarity):
    generator = torch.Generator().manual_seed(0)
    images, texts, members = (torch.randn(n, 4, generator=generator) for n in (50, 40, 2))
    found = centred(members, torch.tensor([True, False]), Reference(images, texts), similarity)
    if similarity == "dot":
        torch.testing.assert_close(found, members - torch.stack([texts.mean(0), images.mean(0)]))
    else:
        torch.testing.assert_close(found[0], members[0] - texts.mean(0) + images.mean(0))
        torch.testing.assert_close(found[1], members[1])
