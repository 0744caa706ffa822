"""The examples run as they stand."""

import runpy
from pathlib import Path

import pytest

import cocoa_widget as cw

EXAMPLES = Path(__file__).parents[1] / "examples"


# Examples that need a download or minutes have tests of their own.
QUICK = [path for path in sorted(EXAMPLES.glob("*.py")) if not path.stem.startswith(("load_", "train_"))]


@pytest.mark.parametrize("script", QUICK, ids=lambda path: path.stem)
def test_example(script, capsys):
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out


def test_a_method_of_your_own_takes_less_than_thirty_lines():
    source = (EXAMPLES / "own_method.py").read_text(encoding="utf-8")
    body = source[source.index("@dataclass") : source.index("if __name__")].strip().splitlines()
    assert len(body) < 30


def test_it_is_live_in_the_widget(make_widget):
    method = runpy.run_path(str(EXAMPLES / "own_method.py"))["Columns"](columns=4)
    widget = make_widget(method=method, corpus=["p1"], foil=["p2"], explicands=["p0"])
    found = widget.heatmap("p0", 120)
    assert found.shape == (32, 32)
    assert (found.std(axis=0) < 1e-6).all(), "the same all the way down each column"
    assert isinstance(method, cw.PerturbationMethod)
