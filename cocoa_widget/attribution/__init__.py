"""Attribution methods, one file for each family. `method` defines what a method is; `batches` runs the encoder."""

from ..encoders import Encoder, EncoderError
from .baseline import BASELINES, Baseline, Blur, Constant, MeanColour, Noise, OtherImage, as_baseline, baselines_of
from .batches import advance, advance_run, check_method, remaining, start
from .cam import CAM, CAMOperator
from .captum_method import CaptumMethod
from .compact import Compact
from .design import ScoreSpread
from .error_model import ErrorModel
from .grad_cam import GradCAM
from .gradient import GradientSHAP, InputXGradient, Saliency, SmoothGrad
from .guided_filter import GuidedFilter, GuidedSpread
from .integrated_gradients import IntegratedGradients
from .kernel_shap import KernelSHAP
from .method import DirectMethod, GradientMethod, LinearMethod, Method, Operator, Preparation, Run
from .occlusion import Occlusion
from .patch_tokens import PatchTokens
from .perturbation import PerturbationMethod
from .random_heatmap import Random
from .refinement import SumSpread
from .resample import Size
from .rise import RISE
from .sharp import SharpCAM
from .spread import SeparableSpread, SparseSpread, Spread, SuperpixelSpread, separable
from .stored import StoredOperator
from .together import apply_together

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        SharpCAM,
        RISE,
        CAM,
        PatchTokens,
        Occlusion,
        KernelSHAP,
        IntegratedGradients,
        GradientSHAP,
        GradCAM,
        Saliency,
        InputXGradient,
        SmoothGrad,
        Random,
    )
}
"""The methods by name, in the order of the page's menu."""


def as_method(method: str | Method) -> Method:
    """Return a method by name with its default settings, or the method itself.

    Raises
    ------
    ValueError
        There is no method of that name.
    TypeError
        `method` is neither a name nor a method, or it cannot be hashed.
    """
    if isinstance(method, Method):
        try:
            hash(method)
        except TypeError:
            raise TypeError(
                f"Operators are kept by their method, so {type(method).__name__} must be hashable: make it a frozen"
                " dataclass."
            ) from None
        return method
    if not isinstance(method, str):
        raise TypeError(f"method must be a name or a cocoa_widget method, not {type(method).__name__}.")
    if method not in METHODS:
        raise ValueError(f"Unknown method {method!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[method]()


def default_method(encoder: Encoder) -> Method:
    """Return the method that an encoder's images are explained by at first: the one that finds objects best.

    That is `SharpCAM` where the encoder allows it. `RISE` works with every encoder.
    """
    sharp = SharpCAM()
    try:
        return RISE() if sharp.obstacle(encoder) else sharp
    except EncoderError:
        return RISE()  # the first image that is encoded reports what is wrong with the encoder


__all__ = [
    "BASELINES",
    "CAM",
    "METHODS",
    "RISE",
    "Baseline",
    "Blur",
    "CAMOperator",
    "CaptumMethod",
    "Compact",
    "Constant",
    "DirectMethod",
    "ErrorModel",
    "GradCAM",
    "GradientMethod",
    "GradientSHAP",
    "GuidedFilter",
    "GuidedSpread",
    "InputXGradient",
    "IntegratedGradients",
    "KernelSHAP",
    "LinearMethod",
    "MeanColour",
    "Method",
    "Noise",
    "Occlusion",
    "Operator",
    "OtherImage",
    "PatchTokens",
    "PerturbationMethod",
    "Preparation",
    "Random",
    "Run",
    "Saliency",
    "ScoreSpread",
    "SeparableSpread",
    "SharpCAM",
    "Size",
    "SmoothGrad",
    "SparseSpread",
    "Spread",
    "StoredOperator",
    "SumSpread",
    "SuperpixelSpread",
    "advance",
    "advance_run",
    "apply_together",
    "as_baseline",
    "as_method",
    "baselines_of",
    "check_method",
    "default_method",
    "remaining",
    "separable",
    "start",
]
