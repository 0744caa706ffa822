"""Evaluation of heatmaps: whether they mark the pixels that matter, lie where they should, and depend on the network.

Heatmaps are arrays (n, H, W), so those of other packages can be evaluated, too.
"""

from .ablation import Ablation, insertion_deletion
from .curves import Curves
from .localisation import average_precision, energy, hits, mosaic, overlap
from .measures import (
    ContrastiveCorpusSimilarity,
    CorpusMajorityProbability,
    CorpusSimilarity,
    ExplicandSimilarity,
    Measure,
)
from .robustness import infidelity, max_sensitivity
from .sanity import cascade, randomised, rank_correlation, structural_similarity
from .sparsity import gini
from .statistics import Interval, interval, summarise
from .study import study
from .tables import advantage, plot_study, tabulate

__all__ = [
    "Ablation",
    "ContrastiveCorpusSimilarity",
    "CorpusMajorityProbability",
    "CorpusSimilarity",
    "Curves",
    "ExplicandSimilarity",
    "Interval",
    "Measure",
    "advantage",
    "average_precision",
    "cascade",
    "energy",
    "gini",
    "hits",
    "infidelity",
    "insertion_deletion",
    "interval",
    "max_sensitivity",
    "mosaic",
    "overlap",
    "plot_study",
    "randomised",
    "rank_correlation",
    "structural_similarity",
    "study",
    "summarise",
    "tabulate",
]
