# SPDX-License-Identifier: MIT
"""A web server on this machine that knows ranges, which Python's own does not."""
import http.server
import re
import sys
import threading
import zlib


class Web(http.server.ThreadingHTTPServer):
    """look: a function of the path without its '/' that returns bytes, or None for what is not there."""
    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            data = self.server.look(self.path[1:])
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "") if self.server.has_ranges else "")
            tag = f'"{zlib.crc32(data or b"")}"' if self.server.has_tags else None
            if data is None or (self.headers.get("If-Match") or tag) != tag:
                self.answer(404 if data is None else 412, b"")
                return
            first, last = (int(part[1]), min(int(part[2] or len(data)), len(data) - 1)) if part else (0, len(data) - 1)
            if part and first >= len(data):
                self.answer(416, b"", f"bytes */{len(data)}")
            else:
                self.answer(206 if part else 200, data[first:last + 1], f"bytes {first}-{last}/{len(data)}" if part else None, tag)

        def answer(self, status, body, part=None, tag=None):
            self.send_response(status)
            if part:
                self.send_header("Content-Range", part)
            if tag:
                self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self, look, has_tags=True, has_ranges=True):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.look, self.has_tags, self.has_ranges = look, has_tags, has_ranges
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """Whoever has seen enough hangs up."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
