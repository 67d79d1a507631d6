"""A server on loopback that answers as it is told to, in a thread of its own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Loopback:
    """
    Answers each request with what *answer* makes of its path and body.

    Attributes:
        url: Where it listens.
        received: The requests so far: method, path, headers (lower-case), body.
    """

    def __init__(self, answer):
        received = self.received = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received.append((self.command, self.path, headers, body))
                status, kind, content, more = answer(self.path, body)
                self.send_response(status)
                for name, value in (("content-type", kind), *more):
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815  # the name that the standard library calls

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answered(content, kind="application/json", status=200, *more):
    """Return an answer that does not look at the request."""
    return lambda *_: (status, kind, content, more)
