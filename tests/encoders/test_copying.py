"""Every kind of module is copied, and runs as the original does in eval mode."""

from __future__ import annotations

import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

import cocoa_widget as cw
from cocoa_widget.encoders.twin import Twin
from tests.conftest import encoder_of


def body():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5))


class Of(nn.Module):
    """A module that calls a function of itself and the images."""

    def __init__(self, run, **parts):
        super().__init__()
        torch.manual_seed(2)
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, images):
        return self.run(self, images)


class Slotted(nn.Module):
    __slots__ = ("inner",)

    def __init__(self):
        super().__init__()
        self.register_parameter("scale", nn.Parameter(torch.full((1,), 2.0)))
        type(self).inner.__set__(self, [body()])

    def forward(self, images):
        return (self.inner[0](images) * self.scale).mean((2, 3))


class Helper:
    """An object that is not a module, and holds one."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, images):
        return self.inner(images).mean((2, 3))


def patched():
    module = Of(lambda m, x: m.body(x).mean((2, 3)), body=body())
    before = module.forward
    module.forward = lambda images: 2 * before(images)
    return module


def cyclic():
    module = Of(lambda m, x: m.ring[0].body(x).mean((2, 3)), body=body())
    module.ring = [module]
    module.ring.append(module.ring)
    return module


def tied():
    inner = body()
    return Of(lambda m, x: (m.a(x) + m.b[0](x)).mean((2, 3)), a=inner, b=[inner])


def recurrent():
    return Of(
        lambda m, x: m.lstm(x.flatten(2).transpose(1, 2)[:, :20])[0][:, -1],
        lstm=nn.LSTM(3, 5, dropout=0.5, num_layers=2),
    )


def attention():
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.5, batch_first=True)
    return Of(
        lambda m, x: m.layer(m.embed(x).flatten(2).transpose(1, 2)).mean(1), embed=nn.Conv2d(3, 16, 8, 8), layer=layer
    )


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Of(lambda m, x: m.body(x).mean((2, 3)), body=torch.jit.script(body()))


def normed(norm):
    inner = body()
    inner[0] = norm(inner[0])
    return Of(lambda m, x: m.body(x).mean((2, 3)), body=inner)


def old(norm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return normed(norm)


def hooked():
    module = Of(lambda m, x: m.body(x).mean((2, 3)), body=body())
    module.body.register_forward_hook(lambda _, __, output: output + 1)
    return module


MODULES = {
    "slots": Slotted,
    "lists": lambda: Of(lambda m, x: m.parts["a"][0](x).mean((2, 3)), parts={"a": (body(),)}),
    "patched": patched,
    "cyclic": cyclic,
    "tied": tied,
    "lstm": recurrent,
    "attention": attention,
    "script": scripted,
    "parametrisation": lambda: normed(parametrizations.weight_norm),
    "spectral parametrisation": lambda: normed(parametrizations.spectral_norm),
    "old weight_norm": lambda: old(weight_norm),
    "old spectral_norm": lambda: old(spectral_norm),
    "helper": lambda: Of(lambda m, x: m.helper(x), helper=Helper(inner := body()), inner=inner),
    "partial": lambda: Of(partial(lambda inner, m, x: inner(x).mean((2, 3)), body())),
    "bound method": lambda: Of(lambda m, x: m.call(x).mean((2, 3)), call=body().forward),
    "data parallel": lambda: Of(lambda m, x: m.body(x).mean((2, 3)), body=nn.DataParallel(body())),
    "compiled": lambda: torch.compile(Of(lambda m, x: m.body(x).mean((2, 3)), body=body())),
    "hooked": hooked,
}


def modules_of(value):
    """Return all modules within a module, including those in lists and slots."""
    return Twin(value).current().parts


@pytest.mark.parametrize("name", MODULES)
def test_every_kind_of_module_is_copied(inputs, name):
    """The copy computes what the module does in eval mode, and the module itself is not touched."""
    module = MODULES[name]()
    parts = modules_of(module)
    for part in parts:
        part.eval() if isinstance(part, torch.jit.ScriptModule) else setattr(part, "training", False)
    with torch.no_grad():
        runs = getattr(module, "_orig_mod", module)
        runs(inputs)  # some change their state in the first pass
        expected = runs(inputs)
    for part in parts:
        part.train() if isinstance(part, torch.jit.ScriptModule) else setattr(part, "training", True)
    encoder = encoder_of(module)
    before = [
        (part, dict(vars(part)), {k: v.clone() for k, v in part._buffers.items() if v is not None}) for part in parts
    ]
    torch.testing.assert_close(encoder.encode(inputs), expected)
    assert torch.isfinite(encoder.gradients(inputs, lambda v: v.sum(1)).gradients).all()
    for part, attributes, buffers in before:
        assert part.training
        assert vars(part).keys() == attributes.keys()
        assert all(vars(part)[key] is value for key, value in attributes.items())
        assert not part._forward_pre_hooks or name.startswith("old ")
        assert all(torch.equal(part._buffers[key], value) for key, value in buffers.items())
    assert all(p.requires_grad and p.grad is None for p in module.parameters())


def test_weights_that_were_made_in_inference_mode(inputs, pictures):
    """PyTorch does not count writes to them: a replacement is noticed, and a write needs a refresh."""
    with torch.inference_mode():
        module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
    encoder = encoder_of(module)
    torch.testing.assert_close(encoder.encode(inputs), module(inputs))
    fingerprint = encoder.fingerprint
    assert encoder.encode(cw.ImageSet(pictures)).shape == (10, 5)
    assert encoder.fingerprint == fingerprint
    with torch.inference_mode():
        module[1].weight.mul_(2)
    encoder.refresh()
    assert encoder.fingerprint != fingerprint


def test_lazy_modules_are_run_first(inputs):
    module = nn.Sequential(nn.Flatten(), nn.LazyLinear(5))
    with pytest.raises(cw.EncoderError, match=r"shapes in its first pass.*run it once"):
        encoder_of(module).encode(inputs)
    assert isinstance(module[1], nn.LazyLinear)
    module(inputs)
    assert encoder_of(module).encode(inputs).shape == (3, 5)
