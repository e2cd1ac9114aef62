"""A real OpenAI-compatible server in a thread of the test, which answers as the test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROP = object()
"""An answer that is none: the connection is closed."""


@dataclass
class Served:
    """`answer` makes of a request's body what is sent: a text (the response), a (status, headers, body), or DROP. `asked` are the bodies so far."""

    answer: Callable[[dict[str, Any]], Any]
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    most_at_once: int = 0


def completion(text: str | None, *, ended: str = "stop", **message: Any) -> tuple[int, dict[str, str], str]:
    """A whole reply with this response."""
    written = 0 if text is None else len(text.split())
    body = {
        "choices": [{"index": 0, "finish_reason": ended, "message": {"role": "assistant", "content": text, **message}}],
        "usage": {"completion_tokens": written},
    }
    return 200, {}, json.dumps(body)


@contextmanager
def served(answer: Callable[[dict[str, Any]], Any]) -> Iterator[Served]:
    """A server on a free port for as long as the block runs."""
    state = Served(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.asked.append(body)
                state.headers.append(dict(self.headers))
                state.paths.append(self.path)
                state.at_once += 1
                state.most_at_once = max(state.most_at_once, state.at_once)
            try:
                found = state.answer(body)
            finally:
                with state.lock:
                    state.at_once -= 1
            if found is DROP:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, text = completion(found) if isinstance(found, str) else found
            data = text if isinstance(text, bytes) else text.encode()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            pass  # whoever asked has gone, or the connection was dropped

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
