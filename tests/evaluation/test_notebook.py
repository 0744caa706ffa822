"""The evaluation notebook: its stored outputs are complete, and it runs, here with sizes too small for conclusions."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks/evaluation.ipynb"

SMALL = """
EPOCHS = 1
DIGITS = {"seeds": (1, 2), "explicands": 1, "corpus": 3, "foil": 20, "steps": 2}
PHOTOGRAPHS = {"seeds": (1,), "explicands": 1, "corpus": 1, "foil": 4, "steps": 2, "features": 16}
CROPS, SIDE = 3, 64
"""


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_kept_outputs(notebook):
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 2_000_000
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    for home in (str(Path.home()), str(NOTEBOOK.parents[1]), "site-packages", "Traceback"):
        assert home not in str(outputs)


def test_runs(notebook, tmp_path):
    (sizes,) = (cell for cell in notebook.cells if cell.cell_type == "code" and "\nEPOCHS = " in cell.source)
    sizes.source = sizes.source.partition("\nEPOCHS = ")[0] + SMALL
    NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}).execute()
    figures = [o for cell in notebook.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(figures) == 2
