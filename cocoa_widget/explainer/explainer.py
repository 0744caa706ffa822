"""The explainer: an encoder, a method and a baseline, which prepare and explain explicands."""

from __future__ import annotations

import warnings
from typing import Any

from ..attribution import (
    Baseline,
    LinearMethod,
    Method,
    as_baseline,
    as_method,
    baselines_of,
    check_method,
)
from ..contrast import check_similarity, check_target
from ..encoders import Encoder
from .explanation import Explanation
from .operators import prepare_operators
from .prepared import Prepared


class Explainer:
    """Explain what makes images like a corpus and unlike a foil (COCOA, Lin et al., ICLR 2023).

    Parameters
    ----------
    encoder : Encoder
        The encoder whose representations are explained.
    method : str or Method, default "rise"
        The name of one of `METHODS`, or a method with settings, such as ``RISE(n_masks=512)``.
    baseline : str or callable, optional
        What replaces removed parts of an explicand: ``"blur"`` (the default), ``"mean_colour"``, ``"constant"``
        (black), ``"noise"``, a baseline with settings such as ``Constant((255, 0, 0))`` or ``OtherImage("sky.jpg")``,
        or a function from preprocessed explicands (n, 3, H, W) to what replaces them.

    Examples
    --------
    >>> explainer = Explainer(encoder, method=RISE(n_masks=512))  # doctest: +SKIP
    >>> explainer.explain("photos/", corpus="cats/", foil="dogs/").heatmaps.shape  # doctest: +SKIP
    (7, 224, 224)
    """

    def __init__(self, encoder: Encoder, method: str | Method = "rise", baseline: str | Baseline | None = None) -> None:
        if not isinstance(encoder, Encoder):
            raise TypeError(
                f"encoder must be a cocoa_widget.Encoder, not {type(encoder).__name__}: wrap a module as"
                " cocoa_widget.Encoder(module)."
            )
        self.encoder = encoder
        self.method = as_method(method)
        self.baseline = as_baseline(baseline, encoder)

    def prepare(self, explicands: Any, *, similarity: str = "cosine", progress: bool = True) -> Prepared:
        """Do the work on explicands that does not depend on corpus and foil.

        Parameters
        ----------
        explicands : Tensor, or anything that `ImageSet` takes
            A float tensor (n, 3, H, W) is taken as preprocessed already.
        similarity : {"cosine", "dot", "gaussian"}
            With ``"gaussian"``, what that similarity needs is kept, too: several times the memory for RISE. Without it,
            explanations with the Gaussian similarity prepare the explicands again.
        progress : bool
            Show a progress bar if it takes longer than a second.

        Returns
        -------
        Prepared

        Raises
        ------
        ValueError
            There are no explicands, or the baseline returned another shape.
        EncoderError
            The method cannot explain the encoder, or the encoder's weights changed meanwhile.
        """
        check_similarity(similarity)
        check_method(self.method, self.encoder)
        moment = self.encoder.moment()
        inputs = self.encoder.inputs(explicands)
        if len(inputs) == 0:
            raise ValueError("There are no explicands: give at least one image to explain.")
        baselines = baselines_of(self.baseline, inputs)
        vectors = self.encoder.forward(inputs).representations
        prepared = Prepared(self, inputs, baselines, vectors, moment.fingerprint, encoder=self.encoder)
        if isinstance(self.method, LinearMethod):
            prepared.operators = prepare_operators(
                self.encoder, self.method, inputs, baselines, similarity, progress=progress
            )
        for shortfall in dict.fromkeys(operator.shortfall for operator in prepared.operators):
            if shortfall is not None:
                warnings.warn(f"{self.method.label}: {shortfall}", stacklevel=2)
        moment.check("explicands were prepared", "Prepare them again while training is paused.")
        return prepared

    def explain(
        self,
        explicands: Any,
        *,
        corpus: Any = None,
        foil: Any = None,
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        progress: bool = True,
    ) -> Explanation:
        """Prepare and explain in one call; see `prepare` and `Prepared.explain`."""
        check_target(target)
        check_similarity(similarity)
        return self.prepare(explicands, similarity=similarity, progress=progress).explain(
            corpus=corpus, foil=foil, target=target, similarity=similarity, progress=progress
        )
