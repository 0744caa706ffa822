"""What is to be explained, and how."""

from __future__ import annotations

from dataclasses import dataclass

from ..attribution import Baseline, LinearMethod, Method
from ..contrast import TARGETS
from ..texts import AS_TYPED

ATTRIBUTION = "attribution"
STABILITY = "stability"
LAYERS: dict[str, tuple[str, str]] = {
    ATTRIBUTION: ("Attribution", "What makes the image like the corpus and unlike the foil"),
    "error": ("Standard error", "How far the heatmap may be off because masks are random (RISE)"),
    STABILITY: (
        "Deviation over resampled bins",
        "How far the heatmap may be off because bins hold just these images",
    ),
}
"""What a heatmap can show: label and hint by name."""


@dataclass(frozen=True)
class Question:
    """The bins and settings of one moment: what is to be explained, and how.

    Attributes
    ----------
    corpus, foil : tuple of str
        Ids of images and texts.
    explicands : tuple of str
        Ids of images.
    method : Method
    target, similarity : str
        See `cocoa_widget.contrast.score_of`.
    baseline : Baseline
    layer : str
        What heatmaps show, one of `LAYERS`.
    template : str
        Template around texts.
    centred : bool
        Whether the means of their modalities are taken out of the members.
    """

    corpus: tuple[str, ...]
    foil: tuple[str, ...]
    explicands: tuple[str, ...]
    method: Method
    target: str
    similarity: str
    baseline: Baseline
    layer: str = ATTRIBUTION
    template: str = AS_TYPED
    centred: bool = False

    @property
    def recipe(self) -> tuple[Method, Baseline]:
        """Method and baseline: what an operator depends on besides its image."""
        return self.method, self.baseline

    @property
    def used(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Members of corpus and foil, without those of a bin that the target does not use."""
        corpus, foil = TARGETS[self.target].used(self.corpus, self.foil)
        return corpus or (), foil or ()


def missing_layer(question: Question, smallest: int) -> str | None:
    """Return why the question's layer cannot be shown with its method and bins; None if it can.

    `smallest` is the size of the smallest bin that is used, 0 if none is.
    """
    label = question.method.label
    if question.layer == "error" and not question.method.estimates_error:
        return f"{label} draws nothing at random that could be averaged better. Choose RISE, or another layer."
    if question.layer == "error" and isinstance(question.method, LinearMethod) and question.method.follow_edges:
        return f"{label} knows the error of heatmaps before the guided filter alone. Choose follow_edges=False."
    if question.layer == STABILITY and not isinstance(question.method, LinearMethod):
        return f"{label} would need encoder passes for every resampled bin. Choose RISE, or another layer."
    if question.layer == STABILITY and smallest == 1:
        return f"{LAYERS[STABILITY][0]}: a bin with a single image cannot be resampled. Add images to it."
    return None
