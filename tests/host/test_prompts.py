"""Prompts of the page, and of a cell at the same time, on their way into the bins."""

import threading

from tests.joint import joint
from tests.wire import Wire


def test_a_cell_and_the_page_at_once(make_widget):
    """Neither undoes what the other has added to a bin at the same time."""
    widget = make_widget(encoder=joint())

    def page():
        for i in range(100):
            widget._prompts.take([f"page {i}"], "corpus")

    thread = threading.Thread(target=page)
    thread.start()
    for i in range(100):
        widget.add_text(f"cell {i}")
    thread.join()
    assert len(widget.corpus) == 200


def test_prompts_of_the_page(make_widget):
    widget = make_widget(encoder=joint(), corpus=["text:tiger"])
    wire = Wire(widget)
    long = " ".join(["long"] * 20)
    reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=["a dog", " ", "tiger", long], list=None))
    assert reply["added"] == 2
    assert [each["text"] for each in reply["skipped"]] == [" ", "tiger"]
    assert reply["cut"] == [long]
    assert widget.foil == ["text:a dog", f"text:{long}"]
    widget.undo()
    assert widget.foil == []


def test_a_list_of_names(make_widget):
    widget = make_widget(encoder=joint())
    wire = Wire(widget)
    reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=[], list="cifar10"))
    assert reply["added"] == 10
    assert "text:airplane" in widget.foil
    reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=[], list="cifar11"))
    assert reply["kind"] == "error"
