"""The widget's end of the wire, without a page."""

from __future__ import annotations

import json
import threading
import time

from jupyter_client.session import Session

BINS = {"corpus": ["p1", "p2"], "foil": ["p3"], "explicands": ["p0"]}

SESSION = Session()


def to_page(content, buffers=None):
    """Return a message and its buffers as the page receives them: packed by Jupyter, which needs text to be UTF-8."""
    return SESSION.unpack(SESSION.pack(content)), [bytes(memoryview(buffer)) for buffer in buffers or []]


def from_page(content):
    """Return a message as the kernel receives it: a browser's JSON has escapes for half surrogate pairs."""
    return SESSION.unpack(json.dumps(content).encode())


class Wire:
    """A stand-in for the comm: keeps what the widget sends, and sends what a page would.

    `states` lists the names of the traits of each message, `state` has their last values.
    Sending raises `fail` if that is set to an exception.
    """

    def __init__(self, widget):
        self.widget, self.messages, self.states, self.fail = widget, [], [], None
        self.arrived = threading.Condition()
        self.comm = widget.comm
        widget.comm.send = self._send
        self.count, self.operations, self.state = 0, {}, {}

    def _send(self, data=None, metadata=None, buffers=None):
        if self.fail is not None:
            raise self.fail
        data, buffers = to_page(data, buffers)
        with self.arrived:
            if data["method"] == "update":
                self.states.append(sorted(data["state"]))
                self.state.update(data["state"])
            elif data["method"] == "custom":
                self.messages.append((data["content"], buffers))
            self.arrived.notify_all()

    def receive(self, content):
        """Give the widget a message of the page, well-formed or not."""
        data = from_page({"method": "custom", "content": content})
        self.widget._handle_msg({"content": {"comm_id": self.widget.model_id, "data": data}, "buffers": []})

    def set(self, **state):
        """Give the widget traits that the page has set."""
        data = from_page({"method": "update", "state": state, "buffer_paths": []})
        self.widget._handle_msg({"content": {"comm_id": self.widget.model_id, "data": data}, "buffers": []})

    def ask(self, kind, **body):
        self.count += 1
        if kind == "watch":
            body = {"seen": list(self.widget.explicands), "cells_of": None, "renew": False, **body}
        message = {"id": f"a-{self.count}", "kind": kind, "view": "a", **body}
        self.receive(message)
        return message["id"]

    def operate(self, kind, view="a", number=None, **body):
        """Send an operation of a view: the next, or one with another number; return the id of the message."""
        if number is None:
            number = self.operations[view] = self.operations.get(view, 0) + 1
        self.count += 1
        operation = {"kind": kind, **body}
        message = {"id": f"{view}-{self.count}", "kind": "operation", "view": view}
        self.receive({**message, "number": number, "operation": operation})
        return message["id"]

    def step(self, kind, **options):
        """Undo or redo what the page shows as the next step."""
        steps = self.widget._steps[kind]
        return self.operate(kind, step=steps[-1]["id"] if steps else "none", **options)

    def wait(self, predicate, timeout=120):
        def find():
            return next((m for m in self.messages if predicate(m[0])), None)

        with self.arrived:
            assert self.arrived.wait_for(find, timeout), [m[0] for m in self.messages[-5:]]
            return find()

    def reply(self, request, last=True, timeout=120):
        return self.wait(lambda m: m.get("id") == request and (not last or m.get("last", True)), timeout)


def wait_until(predicate, seconds=120):
    """Wait for a condition that no event announces; return whether it holds."""
    end = time.monotonic() + seconds
    while not predicate() and time.monotonic() < end:
        time.sleep(0.01)
    return predicate()
