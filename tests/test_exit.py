"""A process that ends while the engine works ends cleanly, at every stage of a preparation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import nbformat
import pytest
from nbclient import NotebookClient

SECONDS = 180
"""How long anything may take: only what hangs takes so long."""

SETUP = """
import sys, threading, time
import numpy as np, torch, cocoa_widget as cw

stages = {name: threading.Event() for name in ("encoding", "preparing", "gradients", "decoding")}

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 7), torch.nn.ReLU(), torch.nn.Conv2d(64, 64, 5))

    def forward(self, images):
        stages["encoding"].set()
        if torch.is_grad_enabled():
            stages["gradients"].set()
        return self.body(images).mean((2, 3))

class Pictures:
    def __len__(self): return 200
    def __getitem__(self, index):
        stages["decoding"].set()
        return np.random.default_rng(index).integers(0, 256, (96, 96, 3), dtype=np.uint8)

def widget(**options):
    encoder = cw.Encoder(Network(), image_size=96, precision="float32", device="cpu")
    images = cw.ImageSet(Pictures())
    ids = images.ids
    # With a method, so that the constructor does not run the encoder to choose one: the stages are the engine's.
    options = {"method": "rise", "corpus": ids[:20], "foil": ids[20:40], "explicands": ids[40:60], **options}
    return cw.CocoaWidget(images, encoder, **options)

def until(predicate):
    end = time.monotonic() + 60
    while not predicate():
        assert time.monotonic() < end
        time.sleep(0.001)
"""

STAGES = {
    "at once": "w = widget()",
    "decoding": "w = widget(); stages['decoding'].wait(120)",
    "encoding": "w = widget(); stages['encoding'].wait(120)",
    "preparing": "w = widget(); until(lambda: w._engine._state.store.nbytes)",
    "gradients": "w = widget(method='integrated_gradients'); stages['gradients'].wait(120)",
    "closed": "w = widget(); stages['encoding'].wait(120); w.close()",
    "forgotten": "widget(); stages['encoding'].wait(120)",
    "answering": (
        "w = widget();"
        " w._receive(w, {'id': '1', 'kind': 'thumbnails', 'view': 'a', 'images': w.images.ids, 'size': 96}, [])"
    ),
}


def script(body: str) -> list[str]:
    return [sys.executable, "-c", SETUP + textwrap.dedent(body)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_script_ends(stage):
    done = subprocess.run(script(STAGES[stage]), capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_script_that_raises_ends_with_its_own_error():
    done = subprocess.run(
        script("w = widget(); stages['encoding'].wait(120); raise LookupError('mine')"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("LookupError: mine")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_script_that_is_stopped_ends_by_the_signal(sent, code):
    body = """
    import signal
    # A shell's background jobs ignore SIGINT, and so do their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    w = widget(); stages['encoding'].wait(120); print('now', flush=True)
    # Not one long sleep, which a signal does not end that comes just before, while another thread takes the GIL.
    while True: time.sleep(0.01)
    """
    with subprocess.Popen(script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "now\n"
            os.kill(process.pid, sent)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == code
    assert "terminate called" not in errors
    assert errors == "" or errors.rstrip().endswith("KeyboardInterrupt")


def test_a_notebook_ends_under_nbclient():
    """As papermill and nbconvert run it: the kernel is shut down right after the last cell."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(SETUP),
            nbformat.v4.new_code_cell("w = widget(); stages['encoding'].wait(120)\nw"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    client = NotebookClient(notebook, timeout=SECONDS)
    codes = []
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        process = client.km.provisioner.process
        client.km.shutdown_kernel = _recorded(client.km.shutdown_kernel, codes, process)
    assert codes == [0]


def _recorded(shutdown, codes, process):
    async def wrapper(*arguments, **options):
        await shutdown(*arguments, **options)
        codes.append(process.wait(SECONDS))

    return wrapper


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork on this system.")
def test_forked_processes_end():
    """Even if a thread of the engine held a lock at the moment of the fork."""
    body = """
    import os
    w = widget()
    stages['encoding'].wait(60)
    held, leave = threading.Event(), threading.Event()
    def hold():
        with w._engine._state.changed:
            held.set()
            leave.wait(60)
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    child = os.fork()
    if child == 0:
        threading._shutdown()  # as at the end of every process of multiprocessing
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    leave.set()
    holder.join()
    """
    done = subprocess.run(script(body), capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
