"""Fetching: published bytes by digest, the hub's rows by commit; both against local stand-ins."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, replace
from functools import partial

import pytest

from mftbench.errors import UsageError
from mftbench.sources.fetch import fetch_from_hub, fetch_upstream, load_from_hub
from mftbench.sources.jsonl import digest
from mftbench.sources.published import DataFile, Hub

ROWS = [{"task_id": 1, "text": "a"}, {"task_id": 2, "text": "é"}]


@dataclass(frozen=True)
class Row:
    task_id: int
    text: str


FILE = DataFile(
    path="set/rows.jsonl.gz",
    kind=Row,
    sha256="0" * 64,
    count=2,
    upstream="http://127.0.0.1:9/rows",
    hub=Hub("org/set", splits=("train", "test"), revision="c" * 40),
)


def halves(hub, split, revision):
    assert revision == "c" * 40
    return ROWS[:1] if split == "train" else ROWS[1:]


@pytest.fixture
def served(tmp_path):
    """Serve a folder on loopback; give the folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_upstream_s_bytes_are_kept_if_they_are_the_published_ones(served, tmp_path):
    folder, address = served
    (folder / "rows").write_bytes(b"{}\n")
    file = replace(FILE, sha256=digest(folder / "rows"), upstream=f"{address}/rows")
    assert fetch_upstream(file, tmp_path).read_bytes() == b"{}\n"


def test_other_bytes_are_refused_and_leave_nothing_behind(served, tmp_path):
    folder, address = served
    (folder / "rows").write_bytes(b"changed")
    with pytest.raises(UsageError, match="SHA-256"):
        fetch_upstream(replace(FILE, upstream=f"{address}/rows"), tmp_path)
    assert list((tmp_path / "set").iterdir()) == []


def test_an_address_that_does_not_answer_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"http://127\.0\.0\.1:9/rows: cannot be fetched"):
        fetch_upstream(FILE, tmp_path)


def test_an_answer_that_is_cut_off_is_named(tmp_path):
    class CutOff(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            self.wfile.write(b"half")

    with http.server.HTTPServer(("127.0.0.1", 0), CutOff) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        file = replace(FILE, upstream=f"http://127.0.0.1:{server.server_port}/rows")
        with pytest.raises(UsageError, match=r"/rows: cannot be fetched: IncompleteRead"):
            fetch_upstream(file, tmp_path)


def test_the_hub_s_splits_become_one_upstream_file_that_loads(tmp_path, monkeypatch):
    path = fetch_from_hub(FILE, tmp_path, load=halves)
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    assert [row.text for row in FILE.rows()] == ["a", "é"]
    note = json.loads(path.with_name(path.name + ".origin.json").read_text())
    assert note == {
        "dataset": "org/set",
        "config": None,
        "revision": "c" * 40,
        "sha256": digest(path),
    }


def test_a_file_from_the_hub_that_was_changed_is_refused(tmp_path, monkeypatch):
    path = fetch_from_hub(replace(FILE, path="set/rows.jsonl"), tmp_path, load=halves)
    path.write_bytes(path.read_bytes() + b'{"task_id": 3, "text": ""}\n')
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    with pytest.raises(UsageError, match="SHA-256"):
        replace(FILE, path="set/rows.jsonl").rows()


def test_renamed_fields_of_the_hub_are_put_back(tmp_path, monkeypatch):
    hub = Hub("org/set", splits=("test",), revision="c", renamed=(("text", "prompt"),))
    file = replace(FILE, hub=hub)
    rows = [{"task_id": row["task_id"], "prompt": row["text"]} for row in ROWS]
    fetch_from_hub(file, tmp_path, load=lambda *_: rows)
    monkeypatch.setenv("MFTBENCH_DATA", str(tmp_path))
    assert [row.text for row in file.rows()] == ["a", "é"]


def test_a_row_that_does_not_fit_is_told_by_its_place(tmp_path):
    def load(hub, split, revision):
        return [{"task_id": 1}]

    with pytest.raises(UsageError, match=r"org/set@c+ train\[0\]: field 'text'"):
        fetch_from_hub(FILE, tmp_path, load=load)


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match="1 rows, not 2"):
        fetch_from_hub(
            FILE, tmp_path, load=lambda hub, split, _: ROWS[:1] if split == "test" else []
        )


def test_a_commit_must_be_named_where_none_is_pinned(tmp_path):
    hub = Hub("org/set", splits=("train", "test"))
    with pytest.raises(UsageError, match="--revision"):
        fetch_from_hub(replace(FILE, hub=hub), tmp_path, load=halves)


def test_what_the_hub_does_not_have_is_said(tmp_path):
    with pytest.raises(UsageError, match="the hub has no such data"):
        fetch_from_hub(replace(FILE, hub=None), tmp_path)


def test_datasets_reads_a_local_folder_of_the_same_layout(tmp_path, monkeypatch):
    pytest.importorskip("datasets", reason="the extra [hub] is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    (folder / "test.jsonl").write_text(json.dumps(ROWS[1]) + "\n")
    hub = Hub(str(folder), splits=("train", "test"), revision="main")
    path = fetch_from_hub(replace(FILE, hub=hub), tmp_path / "out", load=load_from_hub)
    assert path.is_file()
