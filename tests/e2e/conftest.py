"""A real JupyterLab in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.browser import find_browser

ROOT = Path(__file__).parents[2]
PATIENCE = 180_000
"""Milliseconds that anything may take: a busy machine is slow, and only what never comes takes so long."""
expect.set_options(timeout=PATIENCE)
RESULTS = ROOT / "test-results"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The idle light is on before the kernel is connected, and a run asked for then does nothing: wait for the connection.
READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const pause = () => new Promise((resolve) => setTimeout(resolve, 25));
  let panel;
  while (!(panel = app.shell.currentWidget)?.sessionContext) await pause();
  await panel.context.ready;
  await panel.revealed;
  await panel.sessionContext.ready;
  const kernel = () => panel.sessionContext.session?.kernel;
  while (kernel()?.connectionStatus !== 'connected') await pause();
  await kernel().info;
}"""


class Lab:
    """A running JupyterLab server, rooted in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        environment = {
            **os.environ,
            **{
                name: str(folder / name.lower())
                for name in (
                    "JUPYTER_CONFIG_DIR",
                    "JUPYTER_RUNTIME_DIR",
                    "JUPYTERLAB_SETTINGS_DIR",
                    "JUPYTERLAB_WORKSPACES_DIR",
                    "IPYTHONDIR",
                )
            },
        }
        settings = folder / "jupyterlab_settings_dir/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text('{"fetchNews": "false"}')  # else a question lies over the page
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jupyterlab",
                    "--allow-root",
                    "--no-browser",
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={self.port}",
                    "--ServerApp.port_retries=0",
                    f"--ServerApp.root_dir={folder}",
                    "--IdentityProvider.token=",
                    "--ServerApp.disable_check_xsrf=True",
                    "--LabApp.expose_app_in_browser=True",
                    "--LabApp.news_url=None",
                    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
                ],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await_answer()

    def _await_answer(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/api/status", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def end_sessions(self) -> None:
        """Shut all kernels down."""
        with urllib.request.urlopen(f"{self.url}/api/sessions") as response:
            sessions = json.load(response)
        for session in sessions:
            request = urllib.request.Request(f"{self.url}/api/sessions/{session['id']}", method="DELETE")
            with contextlib.suppress(OSError), urllib.request.urlopen(request):
                pass

    def stop(self) -> None:
        """Stop the server and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Notebook:
    """A notebook open in JupyterLab."""

    def __init__(self, lab: Lab, page: Page, name: str) -> None:
        self.lab, self.page, self.name = lab, page, name
        page.goto(f"{lab.url}/lab/workspaces/w{time.time_ns()}/tree/{name}")
        self.await_kernel()

    def await_kernel(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate(READY)

    def run_all(self) -> None:
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def run_cell(self, index: int) -> None:
        """Run one cell; does not wait for its end."""
        self.page.evaluate(
            """(index) => {
              window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
              window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells, and return what it prints."""
        return self.page.evaluate(
            """async (code) => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code, store_history: false });
              let text = '';
              future.onIOPub = (message) => {
                if (message.header.msg_type === 'stream') text += message.content.text;
                if (message.header.msg_type === 'error') text += message.content.traceback.join('\\n');
              };
              await future.done;
              return text.trim();
            }""",
            code,
        )

    def cells(self) -> int:
        """Count the notebook's cells."""
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = Lab(tmp_path_factory.mktemp("lab"))
    # A plain kill skips `finally`, and would leave the server behind.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield server
    finally:
        server.stop()
        signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_browser()
    assert path, "No Chromium was found: `make browser` installs one."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    outside: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith(LOCAL) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    RESULTS.mkdir(exist_ok=True)
    with contextlib.suppress(Exception):
        page.screenshot(path=RESULTS / f"{request.node.name}.png")
    context.close()
    assert not outside, f"The page asked for things outside: {outside}"
    assert not errors, errors


LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")

Open = Callable[..., Notebook]


@pytest.fixture
def open_notebook(lab: Lab, page: Page) -> Iterator[Open]:
    def start(*cells: str, path: Path | None = None) -> Notebook:
        name = f"n{time.time_ns()}.ipynb"
        if path is None:
            # Without a kernel's name JupyterLab asks for one, and waits.
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
            nbformat.write(notebook, lab.folder / name)
        else:
            shutil.copy(path, lab.folder / name)
        return Notebook(lab, page, name)

    yield start
    lab.end_sessions()


@pytest.fixture
def notebook(open_notebook: Open) -> Notebook:
    from tests.e2e.widget import WIDGET

    notebook = open_notebook(WIDGET, "widget", "widget.corpus")
    notebook.run_cell(0)
    return notebook
