"""A headless Chromium, spoken to over its debugging pipe: pages opened from files, what they say, ask for and measure, and their pictures. Standard library alone."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 180.0
"""Seconds that an answer may take on a busy machine."""


@dataclass(slots=True)
class Browser:
    """One browser with one page. `events`: what it told beside its answers, since the page was last opened."""

    process: subprocess.Popen
    into: int
    out: int
    session: str = ""
    number: int = 0
    rest: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to one command of the DevTools protocol."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self.into, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self.number:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self.events.append(told)

    def _next(self) -> dict[str, Any]:
        ends = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            assert time.monotonic() < ends, "the browser says nothing"
            part = os.read(self.out, 1 << 20)
            assert part, "the browser has gone"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Open a file at a size, in a light or a dark reader's colours, and wait until it is there."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())
        self.measure("document.readyState")

    def measure(self, expression: str) -> Any:
        """The value of an expression in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    @property
    def asked_for(self) -> list[str]:
        """The addresses that the page asked for."""
        return [each["params"]["request"]["url"] for each in self.events if each.get("method") == "Network.requestWillBeSent"]

    @property
    def complaints(self) -> list[str]:
        """What stands in the console, and what was thrown."""
        logged = [each["params"]["entry"]["text"] for each in self.events if each.get("method") == "Log.entryAdded"]
        said = [json.dumps(each["params"]) for each in self.events if each.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
        return logged + said

    def picture(self, path: Path, *, whole: bool = False, clip: tuple[float, float, float, float] | None = None) -> None:
        """What is seen as PNG; all of the page where `whole`, or a part of it (x, y, width, height)."""
        region = None if clip is None else dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}
        more = {} if region is None else {"clip": region}
        told = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole or clip is not None, **more)
        path.write_bytes(base64.b64decode(told["data"]))

    def printed(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile in a folder, ended at the end."""
    assert CHROMIUM is not None
    read_end, into = os.pipe()
    out, write_end = os.pipe()
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage", "--disable-extensions", "--remote-debugging-pipe")

    # The browser reads at 3 and writes at 4: a shell puts the pipes there, whatever numbers they have here.
    script = f'exec "$@" 3<&{read_end} 4>&{write_end}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", CHROMIUM, *flags, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(read_end, write_end), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read_end)
    os.close(write_end)
    try:
        made = Browser(process, into, out)
        target = made.ask("Target.createTarget", url="about:blank")["targetId"]
        made.session = made.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            made.ask(f"{domain}.enable")
        yield made
    finally:
        os.close(into)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(out)
