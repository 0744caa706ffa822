"""What the page is sent about images, encoder and menus when a view opens."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..attribution import BASELINES, METHODS, Baseline, Method
from ..contrast import SIMILARITIES, TARGETS
from ..encoders import Encoder, EncoderError
from ..images import ImageSet
from ..live import LAYERS
from ..texts import CLASS_NAMES, TEMPLATES
from . import protocol


@dataclass
class Choices:
    """The methods and baselines that the user has set, by name: a name stands for the settings that it had last."""

    methods: dict[str, Method] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)


def catalogue(request: str, model: str, images: ImageSet, encoder: Encoder, choices: Choices) -> protocol.Catalogue:
    """Return the answer to `hello`; may run the encoder, to find out which methods it allows.

    Parameters
    ----------
    request : str
        Id of the request.
    model : str
        Id of the widget's model.
    images : ImageSet
    encoder : Encoder
    choices : Choices
    """
    methods = {name: kind() for name, kind in METHODS.items()} | choices.methods
    return {
        "id": request,
        "kind": "catalogue",
        "model": model,
        "images": list(images.ids),
        "labels": list(images.labels),
        "captions": list(images.captions),
        "skipped": [{"image": image, "reason": reason} for image, reason in images.skipped.items()],
        "encoder": {
            "name": encoder.name,
            "device": str(encoder.device),
            "precision": encoder.precision,
            "input": encoder.input_size,
        },
        "methods": [_method(method, encoder) for method in methods.values()],
        "targets": [{"name": name, "label": t.label, "hint": t.hint} for name, t in TARGETS.items()],
        "similarities": [{"name": name, "label": label, "hint": hint} for name, (label, hint) in SIMILARITIES.items()],
        "baselines": [_baseline(name, b) for name, b in {**BASELINES, **choices.baselines}.items()],
        "layers": [{"name": name, "label": label, "hint": hint} for name, (label, hint) in LAYERS.items()],
        "text": _text(encoder),
    }


def _method(method: Method, encoder: Encoder) -> protocol.Choice:
    choice: protocol.Choice = {"name": method.name, "label": method.label, "hint": method.hint}
    try:
        obstacle = method.obstacle(encoder)
    except EncoderError:
        return choice  # the first image that is encoded reports what is wrong with the encoder
    if obstacle is not None:
        choice["unavailable"] = f"Not with this encoder: {obstacle}"
    return choice


def _baseline(name: str, baseline: Baseline) -> protocol.Choice:
    return {
        "name": name,
        "label": getattr(baseline, "label", name),
        "hint": getattr(baseline, "hint", "Removed parts come from a function of yours"),
    }


def _text(encoder: Encoder) -> protocol.TextInfo:
    reason = None
    try:
        encoder.text_keys([])
    except EncoderError as error:
        reason = str(error)
    tower = encoder.text
    return {
        "available": reason is None,
        "reason": reason,
        "note": tower.note if tower else "",
        "context": tower.context if tower else None,
        "templates": [{"name": name, "label": t.label, "hint": t.hint} for name, t in TEMPLATES.items()],
        "lists": [{"name": name, "label": c.label, "count": c.count} for name, c in CLASS_NAMES.items()],
    }
