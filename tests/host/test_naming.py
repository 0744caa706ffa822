"""Names under which the page of a cell that is run again finds what it kept."""

from __future__ import annotations

import pytest

from cocoa_widget.host.naming import Execution, Namer, execution_in
from tests.wire import BINS

HOME = {"JPY_SESSION_NAME": "work/cats.ipynb"}


def test_a_cell_that_is_run_again_gives_its_widgets_their_names() -> None:
    namer = Namer(HOME)
    first = [namer.name(Execution("cell-a", "1")), namer.name(Execution("cell-a", "1"))]
    again = [namer.name(Execution("cell-a", "2")), namer.name(Execution("cell-a", "2"))]
    assert first == again == ["work/cats.ipynb#cell-a#1", "work/cats.ipynb#cell-a#2"]


def test_cells_and_notebooks_differ() -> None:
    runs = [Execution("a", "1"), Execution("b", "2")]
    names = [Namer({"JPY_SESSION_NAME": path}).name(run) for path in ("x", "y") for run in runs]
    assert len(set(names)) == 4


def test_a_restarted_kernel_gives_the_same_names() -> None:
    assert Namer(HOME).name(Execution("a", "1")) == Namer(HOME).name(Execution("a", "9"))
    assert [Namer(HOME).name(None) for _ in range(2)] == ["work/cats.ipynb#1"] * 2


def test_without_a_cell_widgets_are_counted() -> None:
    namer = Namer({})
    assert [namer.name(None), namer.name(Execution("a", "1")), namer.name(None)] == ["#1", "#a#1", "#2"]


@pytest.mark.parametrize(
    "request_", [None, {}, {"metadata": None}, {"metadata": {"cellId": ""}}, {"metadata": {"cellId": 3}}]
)
def test_requests_without_a_cell(request_: dict | None) -> None:
    assert execution_in(request_) is None


def test_a_request_of_jupyterlab() -> None:
    assert execution_in({"header": {"msg_id": "m"}, "metadata": {"cellId": "c"}}) == Execution("c", "m")


def test_names(make_widget) -> None:
    first, second = make_widget(**BINS), make_widget(**BINS)
    assert first.name
    assert first.name != second.name
    named = make_widget(**BINS, name="cats")
    assert named.name == "cats"
    assert named.get_state()["name"] == "cats"
