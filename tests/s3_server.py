"""An S3 server on loopback that can be stopped and started; what it holds stays.

As a script: ``python tests/s3_server.py PORT BUCKET`` serves until it is killed. SIGUSR1 stops it
answering, so that connections are refused, and SIGUSR2 starts it again.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock, Thread
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

BUCKET = "studies"


class S3Server:
    """The server in a process of its own, as its clients see it."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, str(Path(__file__)), str(self.port), BUCKET]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait(up=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a client must have in its environment."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def url(self, name: str) -> str:
        return f"s3://{BUCKET}/{name}"

    def stop(self) -> None:
        self._process.send_signal(signal.SIGUSR1)
        self._wait(up=False)

    def start(self) -> None:
        self._process.send_signal(signal.SIGUSR2)
        self._wait(up=True)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait(self, up: bool) -> None:
        deadline = time.monotonic() + 120
        while self._answers() is not up:
            assert time.monotonic() < deadline, f"the S3 server is not {'up' if up else 'down'}"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urlopen(f"http://127.0.0.1:{self.port}/{BUCKET}", timeout=30).close()
        except HTTPError:
            return False  # up, but the bucket is not there yet
        except (URLError, OSError):
            return False
        return True


def serve(port: int, bucket: str) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.s3.models import s3_backends
    from werkzeug.serving import make_server

    s3_backends["123456789012"]["aws"].create_bucket(bucket, "us-east-1")
    app, lock = DomainDispatcherApplication(create_backend_app), Lock()

    def one_by_one(environ, start_response):
        # moto looks whether an object is there, and then puts it.
        with lock:
            return app(environ, start_response)

    running = []

    def start(*_) -> None:
        server = make_server("127.0.0.1", port, one_by_one, threaded=True)
        Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)

    def stop(*_) -> None:
        server = running.pop()
        server.shutdown()
        server.server_close()

    signal.signal(signal.SIGUSR1, stop)
    signal.signal(signal.SIGUSR2, start)
    start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
