"""A server of the completions API on loopback that answers, or fails as a test wants it to."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mftbench.inference.text import cut


class CompletionsServer:
    """Answer with the prompt's words in reverse. ``faults`` are used up, one a request.

    ``context`` is how many tokens prompt and answer may have together; a prompt has 8.
    """

    def __init__(self, faults=(), context=10**6):
        self.faults = list(faults)
        self.context = context
        self.asked = []
        self.most_at_once = 0
        self._now, self._lock = 0, threading.Lock()
        handler = type("Handler", (_Handler,), {"server_state": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def enter(self, body):
        with self._lock:
            self.asked.append(body)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            return self.faults.pop(0) if self.faults else "none"

    def leave(self):
        with self._lock:
            self._now -= 1


class _Handler(BaseHTTPRequestHandler):
    server_state: CompletionsServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server_state.enter(body)
        try:
            getattr(self, f"_{fault}")(body)
        finally:
            self.server_state.leave()

    def _none(self, body):
        if len(body.get("stop", ())) > 4:  # as OpenAI's server and vLLM's do
            self._say(400, {"error": {"message": "stop: at most 4"}})
            return
        context = self.server_state.context
        if 8 + body["max_tokens"] > context:
            self._say(400, {"error": {"message": f"maximum context length is {context} tokens"}})
            return
        time.sleep(0.01)
        words = " ".join(reversed(body["prompt"].split()))
        text, stopped = cut(f" {words} #{body['seed']}", body.get("stop", ()))
        reason = "stop" if stopped else "length"
        choice = {"text": text, "index": 0, "finish_reason": reason}
        tokens = len(text.split())
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": 8 + tokens}
        self._say(200, {"choices": [choice], "usage": usage})

    def _overloaded(self, body):
        self._say(500, {"error": {"message": "out of memory"}})

    def _limited(self, body):
        self._say(429, {"error": {"message": "too many requests"}}, {"retry-after-ms": "20"})

    def _refused(self, body):
        self._say(401, {"error": {"message": "no key"}})

    def _silent(self, body):
        self._say(400, {"error": {"message": "the context length is exceeded"}})

    def _aborted(self, body):
        choice = {"text": " half", "index": 0, "finish_reason": "abort"}
        self._say(200, {"choices": [choice], "usage": None})

    def _uncounted(self, body):
        choice = {"text": " whole", "index": 0, "finish_reason": "stop"}
        self._say(200, {"choices": [choice], "usage": {}})

    def _hang(self, body):
        time.sleep(3)

    def _hang_up(self, body):
        self.connection.close()

    def _cut_off(self, body):
        self._send(200, b'{"choices": [{"text": "half', length=500)
        self.close_connection = True

    def _bad_json(self, body):
        self._send(200, b'{"choices": [{"text": "half')

    def _no_choice(self, body):
        self._say(200, {"choices": []})

    def _say(self, status, message, headers=None):
        self._send(status, json.dumps(message).encode(), headers)

    def _send(self, status, data, headers=None, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
