import pandas as pd
import pytest

from cocoa_widget.evaluation import advantage, plot_study, tabulate

COLUMNS = ["seed", "class", "explicand", "method", "target", "encoder", "setting", "measure", "kind", "auc"]


@pytest.fixture
def frame():
    """Two seeds of one explicand each; the second is harder for all rows, so that only differences are certain."""
    rows = []
    for seed, harder in ((1, 0.0), (2, -0.4)):
        for kind, cocoa, corpus, blind, random in (
            ("insertion", 0.9, 0.8, 0.5, 0.4),
            ("deletion", 0.2, 0.1, 0.5, 0.4),
        ):
            for method, target, encoder, auc in (
                ("RISE", "corpus", "trained", corpus + 0.02 * seed),
                ("RISE", "contrastive_corpus", "trained", cocoa),
                ("RISE", "contrastive_corpus", "randomised", blind),
                ("CAM", "contrastive_corpus", "trained", cocoa - 0.1),
                ("random", "random", "random", random),
            ):
                case = (seed, "a", 7, method, target, encoder, "same class", "contrastive_corpus_similarity", kind)
                rows.append((*case, auc + harder))
    return pd.DataFrame(rows, columns=COLUMNS)


def test_layout(frame):
    table = tabulate(frame, "same class")
    assert list(table.index) == ["Corpus", "COCOA", "COCOA, randomised encoder", "Random heatmap"]
    assert list(table.columns) == [(m, k) for m in ("RISE", "CAM") for k in ("insertion", "deletion")]
    # 0.9 and 0.5: mean 0.7, and 1.96 · (0.4/√2) / √2 = 0.392.
    assert table.loc["COCOA", ("RISE", "insertion")] == "0.700 ± 0.392"
    assert table.loc["COCOA", ("CAM", "deletion")] == "-0.100 ± 0.392"
    assert table.loc["Random heatmap", ("CAM", "insertion")] == table.loc["Random heatmap", ("RISE", "insertion")]
    assert pd.isna(table.loc["Corpus", ("CAM", "insertion")])


def test_advantage_is_paired(frame):
    found = advantage(frame).set_index(["method", "kind", "rival"])
    corpus = found.loc[("RISE", "insertion", "Corpus")]
    assert corpus["mean"] == pytest.approx(0.07)  # of 0.08 and 0.06, which do not depend on the seed's difficulty
    assert corpus["half_width"] == pytest.approx(1.96 * 0.01)
    assert found.loc[("RISE", "deletion", "Corpus"), "mean"] == pytest.approx(-0.07)  # less deletion is better
    assert found.loc[("RISE", "insertion", "COCOA, randomised encoder"), "mean"] == pytest.approx(0.4)
    assert found.loc[("CAM", "insertion", "Random heatmap"), "mean"] == pytest.approx(0.4)
    assert found.loc[("CAM", "deletion", "Random heatmap"), "mean"] == pytest.approx(0.3)


def test_figure(frame):
    import matplotlib.pyplot as plt

    axis = plot_study(frame, "same class")
    assert [text.get_text() for text in axis.get_yticklabels()] == list(tabulate(frame, "same class").index)
    rise, cam = axis.containers
    assert [rise.get_label(), cam.get_label()] == ["RISE", "CAM"]
    # Corpus: 0.82 − 0.12 and 0.84 − 0.14; the seeds' difficulty falls out of the gap.
    assert rise.lines[0].get_xdata() == pytest.approx([0.7, 0.7, 0.0, 0.0])
    assert cam.lines[0].get_xdata()[1:] == pytest.approx([0.7, float("nan"), 0.0], nan_ok=True)
    axis.figure.canvas.draw()
    weights = {text.get_text(): text.get_fontweight() for text in axis.get_yticklabels()}
    assert {row for row, weight in weights.items() if weight == "bold"} == {"COCOA"}
    _, shared = plt.subplots(1, 2, sharey=True)
    for each in shared:
        assert plot_study(frame, "same class", ax=each).get_title() == "Same class"
        assert each.yaxis_inverted()
    plt.close("all")


def test_missing_settings_measures_and_targets_are_named(frame):
    with pytest.raises(ValueError, match="no setting 'other class'; it has same class"):
        tabulate(frame, "other class")
    with pytest.raises(ValueError, match="no measure 'x'"):
        tabulate(frame, "same class", "x")
    with pytest.raises(ValueError, match="add 'contrastive_corpus'"):
        advantage(frame[frame["target"] != "contrastive_corpus"])
