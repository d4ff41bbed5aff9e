"""The report as a file: one page that fetches nothing, and holds nothing that could run."""

import base64
import gzip
import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from board_rows import board_rows
from report_evidence import HOSTILE, answers_of, evidence

from mftbench.errors import UsageError
from mftbench.leaderboard.board import make_board
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.files import write_board
from mftbench.leaderboard.report.archive import pack
from mftbench.leaderboard.report.page import render_report
from mftbench.leaderboard.report.server import open_server


@pytest.fixture(scope="module")
def page():
    return render_report(evidence())


def inflated(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_the_page_fetches_nothing(page):
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[\w./]+", page)) <= namespaces
    assert not re.search(r"<(?:link|iframe|object|embed|base)\b|@import|url\((?!#)", page)


def test_the_policy_allows_the_pages_own_script_and_no_other(page):
    (script,) = re.findall(r"<script>([\s\S]*?)</script>", page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert f"script-src &#39;sha256-{digest}&#39;;" in policy
    assert policy.startswith("default-src &#39;none&#39;;")


def test_names_are_escaped():
    page = render_report(evidence(name="<script>alert(1)</script>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_completions_are_in_the_page_as_packed_data_only(page):
    assert "window.hacked" not in page
    block = inflated(re.search(r'id="block-0">([^<]*)<', page)[1])
    assert HOSTILE in [sample["text"] for sample in block["samples"]]


def test_the_page_shows_every_part(page):
    for part in ("results", "comparisons", "training", "answers", "samples", "remake"):
        assert f'<section id="{part}">' in page
    for figure in ("scores", "differences", "loss", "weight", "shares", "affinity", "conciseness"):
        assert f'<figure id="{figure}">' in page


def test_the_page_is_the_same_every_time(page):
    assert render_report(evidence()) == page


def test_an_empty_board_has_a_page():
    page = render_report(Evidence(make_board("new", []), (), ()))
    assert "There are no rows yet." in page
    assert "The store holds no samples" in page


def test_rows_without_a_store_say_what_is_missing():
    whole = evidence()
    page = render_report(Evidence(whole.board, (), ()))
    assert "The store lacks 1 trainings and 1 sets of samples" in page


def test_all_answers_to_a_problem_share_a_block():
    sets = evidence(problems=60).answers
    archive = pack(sets, [each.system.label for each in sets])
    index = inflated(archive.index)
    assert sum(index["blocks"]) == archive.samples == 240
    place = 0
    seen = {}
    for number, length in enumerate(index["blocks"]):
        for at in range(place, place + length):
            asked = index["columns"]["task"][at], index["columns"]["problem"][at]
            assert seen.setdefault(asked, number) == number
        place += length


def test_lone_surrogates_and_huge_lines_are_packed():
    (one, *_) = evidence(problems=1).answers
    odd = answers_of(one.system, "sql", [("\ud800 " + "x" * 300_000, True)])
    archive = pack([odd], ["mixed"])
    assert inflated(archive.blocks[0])["samples"][0]["text"].startswith("\ud800 x")
    assert len(archive.blocks[0]) < 20_000


def test_published_rows_sort_on_the_scale_of_ours():
    human = [replace(each, source="humaneval") for each in board_rows(tasks=("completion",))]
    text = render_report(Evidence(make_board("laptop", human), (), ()))
    assert '<td data-value="0.537">53.7 §</td>' in text


@pytest.fixture
def server(page):
    with open_server(page) as opened:
        thread = threading.Thread(target=opened.serve_forever, daemon=True)
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


def get(server, path="/", host=None):
    port = server.server_address[1]
    headers = {"Host": host} if host else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    return urllib.request.urlopen(request, timeout=10)


def test_the_server_listens_on_loopback_only(server):
    assert server.server_address[0] == "127.0.0.1"


def test_the_server_gives_the_page(server, page):
    with get(server) as response:
        assert response.read().decode() == page


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000"])  # no port where it is 80
def test_the_server_knows_its_names_with_and_without_a_port(server, page, host):
    with get(server, host=host) as response:
        assert response.read().decode() == page


@pytest.mark.parametrize(
    ("path", "host"), [("/etc/passwd", None), ("/..", None), ("/", "evil.example:80")]
)
def test_the_server_gives_nothing_else(server, path, host):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server, path, host)
    caught.value.close()
    assert caught.value.code in (403, 404)


def test_view_serves_the_report_until_it_is_interrupted(tmp_path):
    write_board(tmp_path / "laptop", board_rows())
    # Where the tests run in the background, the signal is ignored, and children inherit that.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heed}; from mftbench.cli import main; main()"
    command = [sys.executable, "-c", code, "view", str(tmp_path / "laptop")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        address = process.stdout.readline().decode().split()[0]
        with urllib.request.urlopen(address, timeout=10) as response:
            assert b"mftbench report" in response.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def test_a_taken_port_is_a_usage_error(server):
    with pytest.raises(UsageError, match="choose another --port"):
        open_server("", server.server_address[1])
