"""The study of Lin et al. (ICLR 2023): a comparison of targets and methods by insertion and deletion."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import Method, Random
from ..contrast import TARGETS, check_similarity, check_target
from ..encoders import Encoder
from ..explainer import Explainer
from ..optional import require
from .ablation import Features, insertion_deletion
from .draw import Draw, draw
from .measures import ContrastiveCorpusSimilarity, CorpusMajorityProbability, Measure
from .sanity import randomised

if TYPE_CHECKING:
    from pandas import DataFrame

SEEDS = (123, 456, 789, 42, 91)
"""The seeds of Lin et al. (ICLR 2023)."""

SETTINGS = ("same class", "different class")

COCOA = "contrastive_corpus"


def study(
    encoder: Encoder,
    images: Any,
    labels: Sequence[Hashable],
    methods: Mapping[str, str | Method],
    *,
    targets: Sequence[str] = tuple(TARGETS),
    similarity: str = "cosine",
    seeds: Sequence[int] = SEEDS,
    explicands: int = 25,
    corpus: int = 100,
    foil: int = 1500,
    steps: int = 50,
    features: Features = 1,
    progress: bool = True,
) -> DataFrame:
    """Compare targets and methods by insertion and deletion, as in the tables of Lin et al. (ICLR 2023).

    For each seed, explicands and a corpus of each class and a foil are drawn. Explicands are explained by the corpus of
    their own class (same class) and of another (different class), and measured with the bins that explained them. Two
    controls should do worse: COCOA's heatmaps from a randomised encoder, with batch normalisation measured on the foil,
    and heatmaps drawn from a normal distribution.

    Each explicand is prepared once per method, for all targets and both settings, and a heatmap that does not depend on
    the corpus is measured once for both.

    Parameters
    ----------
    encoder : Encoder
        With a `classifier`, corpus majority probability is measured as well.
    images : Tensor, or anything that `ImageSet` takes
        m images; a float tensor (m, 3, H, W) is taken as preprocessed already.
    labels : sequence
        (m,), the classes of the images.
    methods : mapping
        From the name in the table to a method: one of `METHODS` by name, or a method with settings.
    targets : sequence of str
        All four by default.
    similarity : {"cosine", "dot", "gaussian"}
        How representations are compared, in explaining and in measuring.
    seeds : sequence of int
        Each seed makes one draw; the paper's five by default.
    explicands, corpus : int
        Images for each class and seed; the paper's by default.
    foil : int
        Images for each seed; the paper's by default.
    steps, features
        Settings of insertion and deletion; see `insertion_deletion`.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    DataFrame
        One area a row, with the columns seed, class, explicand (its index), method, target, encoder ("trained" or
        "randomised": what the heatmap comes from), setting ("same class" or "different class"), measure, kind
        ("insertion" or "deletion") and auc. Random heatmaps have method, target and encoder "random".

    Raises
    ------
    ValueError
        Too few images of a class, labels that do not match, unknown names, or a method called "random".
    ImportError
        pandas is not installed.
    """
    pandas = require("pandas", "demo", "A table of results")
    for target in targets:
        check_target(target)
    check_similarity(similarity)
    if "random" in methods:
        raise ValueError("'random' is the name of the control that every study has: give the method another name.")
    explainers = {name: Explainer(encoder, method) for name, method in methods.items()}
    inputs = encoder.inputs(images)
    if len(labels) != len(inputs):
        raise ValueError(f"There are {len(labels)} labels for {len(inputs)} images; each image needs one.")
    draws = {seed: draw(labels, explicands=explicands, corpus=corpus, foil=foil, seed=seed) for seed in seeds}
    trained = encoder.forward(inputs).representations
    frames = []
    total = sum(len(drawn.explicands) for drawn in draws.values()) * len(explainers)
    with tqdm(total=total, delay=1, disable=not progress, desc="Study", unit="class") as bar:
        for seed, drawn in draws.items():
            forgotten = randomised(encoder, seed, inputs[drawn.foil])
            vectors = _encode_drawn(forgotten, inputs, drawn)
            noise = Explainer(encoder, Random(seed))
            for kind, chosen in drawn.explicands.items():
                mine = inputs[chosen]
                known = _Bins.of(trained, drawn, kind, similarity)
                measured = partial(_measured, encoder, mine, known.measures(encoder), steps, features)
                (random,) = known.explain("random", noise, mine, ["label_free"], "random")
                rows = [measured(random._replace(target="random"))]
                for name, explainer in explainers.items():
                    rows += [measured(each) for each in known.explain(name, explainer, mine, targets, "trained")]
                    other = _Bins.of(vectors, drawn, kind, similarity)
                    blind = Explainer(forgotten, explainer.method)
                    rows += [measured(each) for each in other.explain(name, blind, mine, [COCOA], "randomised")]
                    bar.update()
                frame = pandas.concat(rows, ignore_index=True)
                frames.append(frame.assign(**{"seed": seed, "class": kind, "explicand": chosen[frame["explicand"]]}))
    result = pandas.concat(frames, ignore_index=True)
    result[["setting", "measure"]] = result["measure"].str.split(": ", n=1, expand=True)
    columns = ["seed", "class", "explicand", "method", "target", "encoder", "setting", "measure", "kind", "auc"]
    table: DataFrame = result[columns]
    return table


_Measures = Mapping[str, Sequence[Measure]]


class _Heatmaps(NamedTuple):
    """Heatmaps (n, H, W) of a class's explicands, and the settings that they are for."""

    method: str
    target: str
    encoder: str
    settings: Sequence[str]
    heatmaps: NDArray[Any]


@dataclass(frozen=True)
class _Bins:
    """Representations that explain and measure the explicands of one class: a corpus for each setting, and the foil."""

    corpora: dict[str, Tensor]
    foil: Tensor
    similarity: str

    @classmethod
    def of(cls, vectors: Tensor, drawn: Draw, kind: Hashable, similarity: str) -> _Bins:
        kinds = (kind, drawn.others[kind])
        corpora = {setting: vectors[drawn.corpora[each]] for setting, each in zip(SETTINGS, kinds, strict=True)}
        return cls(corpora, vectors[drawn.foil], similarity)

    def measures(self, encoder: Encoder) -> _Measures:
        """Return the measures of each setting, named after it, so that one ablation can use those of all settings."""
        found: dict[str, list[Measure]] = {}
        for setting, corpus in self.corpora.items():
            gamma = ContrastiveCorpusSimilarity(corpus, self.foil, self.similarity)
            found[setting] = [replace(gamma, name=f"{setting}: {gamma.name}")]
            if encoder.classifier is not None:
                majority = CorpusMajorityProbability(encoder.classifier, corpus)
                found[setting].append(replace(majority, name=f"{setting}: {majority.name}"))
        return found

    def explain(
        self, name: str, explainer: Explainer, mine: Tensor, targets: Sequence[str], source: str
    ) -> Iterator[_Heatmaps]:
        """Explain explicands (n, 3, H, W) by all targets and settings, from one preparation."""
        prepared = explainer.prepare(mine, similarity=self.similarity, progress=False)
        for target in targets:
            for settings in [(each,) for each in SETTINGS] if TARGETS[target].corpus else [SETTINGS]:
                explanation = prepared.explain(
                    corpus=self.corpora[settings[0]],
                    foil=self.foil,
                    target=target,
                    similarity=self.similarity,
                    progress=False,
                )
                yield _Heatmaps(name, target, source, settings, explanation.heatmaps)


def _measured(
    encoder: Encoder, explicands: Tensor, measures: _Measures, steps: int, features: Features, found: _Heatmaps
) -> DataFrame:
    used = [measure for setting in found.settings for measure in measures[setting]]
    curves = insertion_deletion(
        encoder, explicands, found.heatmaps, used, steps=steps, features=features, progress=False
    )
    return curves.to_frame().assign(method=found.method, target=found.target, encoder=found.encoder)


def _encode_drawn(encoder: Encoder, inputs: Tensor, drawn: Draw) -> Tensor:
    """Return representations (m, d) of all images, with NaN for those that are in no bin."""
    used = np.concatenate([drawn.foil, *drawn.corpora.values()])
    found = encoder.forward(inputs[used]).representations
    vectors = found.new_full((len(inputs), found.shape[1]), torch.nan)
    vectors[used] = found
    return vectors
