"""The widget's end of the wire, without a page."""

from __future__ import annotations

import threading

BINS = {"corpus": ["p1", "p2"], "foil": ["p3"], "explicands": ["p0"]}


class Wire:
    """Stands where the comm would: keeps what the widget sends, and speaks as the page does."""

    def __init__(self, widget):
        self.widget, self.messages, self.states = widget, [], []
        self.arrived = threading.Condition()
        widget.send = self._send
        widget.send_state = lambda key=None: self.states.append(key)
        self.count = 0

    def _send(self, content, buffers=None):
        with self.arrived:
            self.messages.append((content, buffers or []))
            self.arrived.notify_all()

    def ask(self, kind, **body):
        self.count += 1
        message = {"id": f"a-{self.count}", "kind": kind, "view": "a", **body}
        self.widget._receive(self.widget, message, [])
        return message["id"]

    def wait(self, predicate, timeout=20):
        def find():
            return next((m for m in self.messages if predicate(m[0])), None)

        with self.arrived:
            assert self.arrived.wait_for(find, timeout), [m[0] for m in self.messages[-5:]]
            return find()

    def reply(self, request, last=True):
        return self.wait(lambda m: m.get("id") == request and (not last or m.get("last", True)))
