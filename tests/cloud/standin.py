# SPDX-License-Identifier: MIT
"""Small local servers that stand in for those that hand out credentials."""
import base64
import http.server
import json
import threading
import time
import types


def token(seconds=3600):
    """A well-formed JWT that Azurite takes; nobody has signed it."""
    now = int(time.time())
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
              "iat": now, "nbf": now - 60, "exp": now + seconds}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
             for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join(parts + ["c2lnbmF0dXJl"])


class StandIn:
    """answers: path (without query) to a function of the request that returns status, text and perhaps headers."""

    def __init__(self):
        self.answers = {}
        self.log = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                outer.log.append(types.SimpleNamespace(path=self.path))  # the handler is the next request's, too
                answer = outer.answers.get(self.path.partition("?")[0])
                status, text, *headers = answer(self) if answer else (404, "")
                self.send_response(status)
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
