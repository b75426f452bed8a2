# SPDX-License-Identifier: MIT
"""The real servers, and requests to them that are signed here, by code that shares nothing with the program's."""
import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "servers"
ACCOUNT = "devstoreaccount1"
# Azurite's well-known key; it opens nothing else.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def free_port(n=1):
    """The first of n ports in a row that nobody listens to. Tests that run at the same time begin to look at different ones,
    as the servers take theirs later; and none below 32768 is lent to a client."""
    for port in range(21000 + 16 * os.getpid() % 10000, 60000, n):
        with contextlib.ExitStack() as stack:
            try:
                for i in range(n):
                    stack.enter_context(socket.create_server(("127.0.0.1", port + i)))
            except OSError:
                continue
            return port
    raise RuntimeError("no free ports")


def wait_for(port, process=None, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens to port {port} after {seconds} s, or the server has ended")


class Store:
    """A bucket or container of a server. url(key) is the program's location of an object, env what the program needs."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, query="", body=b"", headers=None):
        """Status, headers and body of the answer. A server that has just started, or is busy, is asked again."""
        for pause in (0.5, 1, 2, 4, None):
            answer = self.request_once(method, path, query, body, headers)
            if answer[0] < 500 or pause is None:
                return answer
            time.sleep(pause)

    def request_once(self, method, path, query, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        sent = self.sign(method, path, query, body, dict(headers or {}))
        connection.request(method, path + ("?" + query if query else ""), body, sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def get(self, key):
        """An object's bytes, or None."""
        status, _, data = self.request("GET", self.path(key))
        assert status in (200, 404), (status, data)
        return data if status == 200 else None

    def digest(self, key):
        """An object's length and SHA-256; it need not fit into memory."""
        digest, first, step = hashlib.sha256(), 0, 64 << 20
        n_bytes = int(self.request("HEAD", self.path(key))[1]["Content-Length"])
        while first < n_bytes:
            status, _, data = self.request("GET", self.path(key), headers={self.range_header: f"bytes={first}-{first + step - 1}"})
            assert status == 206 and data, status
            digest.update(data)
            first += len(data)
        return first, digest.hexdigest()

    def content_type(self, key):
        status, headers, _ = self.request("HEAD", self.path(key))
        assert status == 200, status
        return headers["Content-Type"]

    def put(self, key, data):
        status, _, answer = self.request("PUT", self.path(key), "", data, self.put_headers)
        assert status in (200, 201), (status, answer)

    def delete(self, key):
        assert self.request("DELETE", self.path(key))[0] in (200, 202, 204, 404)


class Azure(Store):
    name = "azure"
    container = "children"
    put_headers = {"x-ms-blob-type": "BlockBlob"}
    range_header = "x-ms-range"

    def path(self, key):
        return f"/{ACCOUNT}/{self.container}/{urllib.parse.quote(key, safe='/-._~')}"

    def url(self, key):
        return f"az://{ACCOUNT}/{self.container}/{key}"

    def env(self, url=None):
        return {"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_SERVICE_ENDPOINT": url or f"http://127.0.0.1:{self.port}"}

    def make(self):
        assert self.request("PUT", f"/{ACCOUNT}/{self.container}", "restype=container")[0] in (201, 409)

    def sign(self, method, path, query, body, headers):
        headers["x-ms-date"] = datetime.datetime.utcnow().strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers["x-ms-version"] = "2021-12-02"
        extra = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-ms-"))
        resource = f"/{ACCOUNT}{path}" + "".join(f"\n{name}:{value}" for name, value in
                                                 sorted(urllib.parse.parse_qsl(query, keep_blank_values=True)))
        text = f"{method}\n\n\n{len(body) or ''}\n\n\n\n\n\n\n\n\n{extra}{resource}"
        code = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(code).decode()}"
        return headers

    def sas(self, permissions, key=None):
        """A SAS for a blob, or for the container."""
        end = (datetime.datetime.utcnow() + datetime.timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        resource = f"/blob/{ACCOUNT}/{self.container}" + (f"/{key}" if key else "")
        kind = "b" if key else "c"
        text = f"{permissions}\n\n{end}\n{resource}\n\n\n\n2021-12-02\n{kind}\n\n\n\n\n\n\n"
        code = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
        return urllib.parse.urlencode({"sv": "2021-12-02", "sr": kind, "sp": permissions, "se": end, "sig": code})

    def open_url(self, key):
        """An URL that is good for whoever has it."""
        return f"http://127.0.0.1:{self.port}{self.path(key)}?{self.sas('r')}"

    def staged(self):
        """Uploads that were begun and neither ended nor given up: Azure has none."""
        return []

    def give_up_staged(self):
        pass


class S3(Store):
    name = "s3"
    container = "children"
    put_headers = {}
    range_header = "Range"

    def path(self, key):
        return f"/{self.container}/{urllib.parse.quote(key, safe='/-._~')}"

    def url(self, key):
        return f"s3://{self.container}/{key}"

    def env(self, url=None):
        return {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "SKTEST",
                "AWS_ENDPOINT_URL_S3": url or f"http://127.0.0.1:{self.port}"}

    def make(self):
        status, _, answer = self.request("PUT", f"/{self.container}")
        assert status in (200, 409), (status, answer)

    def sign(self, method, path, query, body, headers):
        now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
        payload = hashlib.sha256(body).hexdigest()
        headers |= {"Host": f"127.0.0.1:{self.port}", "x-amz-date": now, "x-amz-content-sha256": payload}
        names = sorted(headers, key=str.lower)
        signed = ";".join(name.lower() for name in names)
        text = "\n".join([method, path, "&".join(sorted(query.split("&"))),
                          *(f"{name.lower()}:{headers[name]}" for name in names), "", signed, payload])
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential=AKTEST/{scope},SignedHeaders={signed},"
                                    f"Signature={self.code(now, scope, text)}")
        return headers

    @staticmethod
    def code(now, scope, text):
        """The signature of a request that was brought into its canonical form."""
        key = b"AWS4SKTEST"
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(text.encode()).hexdigest()}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def open_url(self, key):
        """An URL that is good for whoever has it."""
        now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        query = (f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={urllib.parse.quote('AKTEST/' + scope, safe='')}"
                 f"&X-Amz-Date={now}&X-Amz-Expires=3600&X-Amz-SignedHeaders=host")
        text = "\n".join(["GET", self.path(key), query, f"host:127.0.0.1:{self.port}", "", "host", "UNSIGNED-PAYLOAD"])
        return f"http://127.0.0.1:{self.port}{self.path(key)}?{query}&X-Amz-Signature={self.code(now, scope, text)}"

    def staged(self):
        return [upload for _, upload in self.uploads()]

    def uploads(self):
        status, _, data = self.request("GET", f"/{self.container}", "uploads=")
        assert status == 200, data
        return re.findall(r"<Key>(.*?)</Key>.*?<UploadId>(.*?)</UploadId>", data.decode(), re.S)

    def give_up_staged(self):
        for key, upload in self.uploads():
            assert self.request("DELETE", self.path(key), f"uploadId={upload}")[0] == 204


@contextlib.contextmanager
def told(server, folder):
    """Where a server does not start, the ends of its logs are the message."""
    try:
        yield
    except (RuntimeError, subprocess.SubprocessError) as error:
        logs = (f"--- {path}\n" + path.read_text(errors="replace")[-2000:] for path in sorted(folder.glob("*log")))
        raise RuntimeError("\n".join([f"{server} does not start: {error}", *logs])) from error


def install():
    """Installs what comes from npm, once. What npm says goes to standard error; None, or what went wrong."""
    done = subprocess.run([SCRIPTS / "azurite", "install"], stdin=subprocess.DEVNULL, check=False, timeout=900)
    return None if done.returncode == 0 else f"Azurite could not be installed: npm ended with {done.returncode}"


@contextlib.contextmanager
def azurite(folder, *certificate):
    port = free_port()
    process = subprocess.Popen([SCRIPTS / "azurite", folder, str(port), *certificate], stdout=subprocess.DEVNULL)
    try:
        with told("Azurite", folder):
            wait_for(port, process)
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def radosgw(folder):
    port = free_port(3)
    try:
        with told("radosgw", folder), open(folder / "start.log", "wb") as log:  # no pipe: the servers would hold it open
            subprocess.run([SCRIPTS / "radosgw", "start", folder, str(port)], check=True, timeout=600, stdout=log, stderr=log)
            wait_for(port)
        yield port
    finally:
        subprocess.run([SCRIPTS / "radosgw", "stop", folder], check=True, timeout=60)


@contextlib.contextmanager
def nginx(folder, root):
    port = free_port()
    process = subprocess.Popen([SCRIPTS / "nginx", folder, str(port), root])
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def missing():
    """What has to be installed before the servers can be started."""
    programs = {"npm": "npm", "node": "nodejs", "radosgw": "radosgw", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd",
                "ceph": "ceph-common", "openssl": "openssl"}
    path = os.environ["PATH"] + ":/usr/sbin"
    return [package for program, package in ({**programs, "nginx": "nginx-light"}).items()
            if shutil.which(program, path=path) is None]
