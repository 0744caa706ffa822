"""Tables and a figure of a study: the layout of the paper, and the advantage of COCOA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..optional import require
from .statistics import summarise

if TYPE_CHECKING:
    from pandas import DataFrame

COCOA = "COCOA"

_ROWS = {
    ("label_free", "trained"): "Label-free",
    ("contrastive_label_free", "trained"): "Contrastive label-free",
    ("corpus", "trained"): "Corpus",
    ("contrastive_corpus", "trained"): COCOA,
    ("contrastive_corpus", "randomised"): "COCOA, randomised encoder",
    ("random", "random"): "Random heatmap",
}

_KEYS = ["setting", "measure", "method", "kind"]


def tabulate(frame: DataFrame, setting: str, measure: str = "contrastive_corpus_similarity") -> DataFrame:
    """Lay a study out as Lin et al. (ICLR 2023) do: a row for each target and control, a column for each method.

    Parameters
    ----------
    frame : DataFrame
        A table of `study`.
    setting : {"same class", "different class"}
        Whether explicands are of the corpus's class.
    measure : {"contrastive_corpus_similarity", "corpus_majority_probability"}
        What was measured.

    Returns
    -------
    DataFrame
        Texts "mean ± half-width" over seeds: a row for each target and control, a column for each method and kind. A
        larger insertion and a smaller deletion are better.

    Raises
    ------
    ValueError
        The study has no such setting or measure.
    """
    named = _named(_chosen(frame, setting, measure))
    found = summarise(named, ["row", "method", "kind"])
    wide = found.pivot(index="row", columns=["method", "kind"], values="text")
    columns = [(method, kind) for method in found["method"].unique() for kind in ("insertion", "deletion")]
    table: DataFrame = wide.loc[[row for row in _ROWS.values() if row in wide.index], columns]
    return table.rename_axis(index=None)


def advantage(frame: DataFrame) -> DataFrame:
    """Return by how much COCOA is better than each other row, in differences within explicands.

    These paired differences vary less than the means of `tabulate`, because some explicands are harder for all rows.

    Parameters
    ----------
    frame : DataFrame
        A table of `study`, with the target ``"contrastive_corpus"``.

    Returns
    -------
    DataFrame
        The columns setting, measure, method, kind and rival, then mean, half_width, n and text as `summarise` makes
        them. Positive where COCOA is better: a larger insertion area, or a smaller deletion area.
    """
    named = _named(frame)
    if COCOA not in set(named["row"]):
        raise ValueError("The study has no COCOA to compare with: add 'contrastive_corpus' to its targets.")
    case = ["seed", "class", "explicand", *_KEYS]
    cocoa = named[named["row"] == COCOA].set_index(case)["auc"].rename("cocoa")
    rivals = named[named["row"] != COCOA].join(cocoa, on=case)
    sign = rivals["kind"].map({"insertion": 1, "deletion": -1})
    rivals = rivals.assign(advantage=sign * (rivals["cocoa"] - rivals["auc"]), rival=rivals["row"])
    return summarise(rivals, [*_KEYS, "rival"], value="advantage")


def plot_study(
    frame: DataFrame, setting: str, measure: str = "contrastive_corpus_similarity", *, ax: Any = None
) -> Any:
    """Draw the gap between insertion and deletion of each row and method, with 95 % intervals over seeds.

    Parameters
    ----------
    frame : DataFrame
        A table of `study`.
    setting, measure
        See `tabulate`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The axes of the figure; points farther to the right are better.
    """
    axis = (
        ax
        if ax is not None
        else require("matplotlib.pyplot", "demo", "A figure").subplots(figsize=(6, 3.4), layout="constrained")[1]
    )
    chosen = _named(_chosen(frame, setting, measure))
    case = ["row", "method", "seed", "class", "explicand"]
    areas = chosen.set_index([*case, "kind"])["auc"].unstack("kind")
    gaps = (areas["insertion"] - areas["deletion"]).rename("gap").reset_index()
    found = summarise(gaps, ["row", "method"], value="gap").set_index(["row", "method"])
    rows = [row for row in _ROWS.values() if row in set(gaps["row"])]
    methods = list(chosen["method"].unique())
    for index, method in enumerate(methods):
        part = found.xs(method, level="method").reindex(rows)
        # The methods of a row are side by side, and its name is at the middle.
        heights = [place + 0.16 * (index - (len(methods) - 1) / 2) for place in range(len(rows))]
        marker, color = "osD^vP"[index % 6], f"C{index}"
        axis.errorbar(
            part["mean"], heights, xerr=part["half_width"], fmt=marker, color=color, ms=5, capsize=2, label=method
        )
    axis.axvline(0, color="0.8", zorder=0)
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)  # the first row on top, for shared axes, too
    for name in axis.get_yticklabels():
        name.set_fontweight("bold" if name.get_text() == COCOA else "normal")
    axis.set(xlabel="Insertion area − deletion area", title=setting.capitalize())
    return axis


def _chosen(frame: DataFrame, setting: str, measure: str) -> DataFrame:
    for column, value in (("setting", setting), ("measure", measure)):
        if value not in set(frame[column]):
            raise ValueError(f"The study has no {column} {value!r}; it has {', '.join(frame[column].unique())}.")
    return frame[(frame["setting"] == setting) & (frame["measure"] == measure)]


def _named(frame: DataFrame) -> DataFrame:
    """Add a column with the name of each row, and repeat the random heatmaps for every method."""
    random = frame[frame["method"] == "random"]
    others = frame[frame["method"] != "random"]
    repeated = [random.assign(method=method) for method in others["method"].unique()]
    whole: DataFrame = require("pandas", "demo", "A table of results").concat([others, *repeated], ignore_index=True)
    rows = [_ROWS[key] for key in zip(whole["target"], whole["encoder"], strict=True)]
    return whole.assign(row=rows)
