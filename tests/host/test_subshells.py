"""Messages of the page stay in the subshell that the page has sent them to."""

from __future__ import annotations

from types import SimpleNamespace

from ipykernel.comm.comm import BaseComm

from cocoa_widget.host.subshells import stay_in_subshell


def test_a_comm_keeps_the_subshell_of_the_message():
    """With ipykernel's own comm, also after something was published in another subshell."""
    comm = BaseComm(primary=False)
    if hasattr(comm, "_reply_subshell_for"):  # ipykernel 7.3 and later
        comm._reply_subshell_id = None
        assert comm._reply_subshell_for({}, "subshell-1") is None  # why it is replaced
        stay_in_subshell(comm)
        assert comm._reply_subshell_for({}, "subshell-1") == "subshell-1"
    else:
        stay_in_subshell(comm)
        assert not hasattr(comm, "_reply_subshell_for")


def test_other_comms_are_left_as_they_are():
    comm = SimpleNamespace()
    stay_in_subshell(comm)
    stay_in_subshell(None)
    assert vars(comm) == {}


def test_a_widgets_comm_keeps_the_subshell(make_widget):
    widget = make_widget()
    comm = SimpleNamespace(
        comm_id="mine", kernel=None, _reply_subshell_for=lambda *_: None, on_msg=lambda *_: None, close=lambda: None
    )
    before, widget.comm = widget.comm, comm
    assert comm._reply_subshell_for({}, "subshell-2") == "subshell-2"
    widget.comm = before
