"""The localisation study: fit to be read as it is kept, and it runs, here with sizes that say little."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks/clip_localisation.ipynb"
SIZES = "\nMOSAICS, GRADIENT_MOSAICS = "


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def figures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in outputs if "image/png" in output.get("data", {})]


def test_kept_outputs(notebook):
    nbformat.validate(notebook)
    assert NOTEBOOK.stat().st_size < 2_000_000
    assert "widgets" not in notebook.metadata
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert len(figures(notebook)) == 2
    for home in (str(Path.home()), str(NOTEBOOK.parents[1]), "site-packages", "Traceback"):
        assert home not in str(outputs)


def test_runs(notebook, tmp_path):
    (sizes,) = (cell for cell in notebook.cells if cell.cell_type == "code" and SIZES in cell.source)
    before, _, after = sizes.source.partition(SIZES)
    rest = after[after.index("  #") :].replace("RISE(n_masks=512)", "RISE(n_masks=16)")
    sizes.source = f"{before}{SIZES}3, 0{rest}"
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert len(figures(notebook)) == 2
