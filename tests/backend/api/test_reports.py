"""The report is one file that tells everything, asks for nothing, and runs nothing but its own two scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from html.parser import HTMLParser
from typing import Any

import httpx
import numpy as np
import pytest

VOID = {"meta", "img", "br", "link", "input", "hr", "base", "source", "embed", "track", "wbr", "col", "area"}


class Page(HTMLParser):
    """The report as a browser reads it: elements, texts and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], "elements that are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif "style" not in self._open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def report(client: httpx.Client, run_id: str, **query: str) -> httpx.Response:
    answer = client.get(f"/api/runs/{run_id}/report", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer


def decide(client: httpx.Client, planted: Any, items: list[dict[str, Any]]) -> None:
    body = {"items": items, "run_id": planted.run_id, "idempotency_key": uuid.uuid4().hex}
    assert client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body).status_code == 200


def test_it_tells_the_run_the_decisions_and_every_flagged_sample_with_its_image(
    client: httpx.Client, planted: Any
) -> None:
    flagged = [int(index) for index in np.flatnonzero(planted.result_N["flagged"])]
    decide(
        client,
        planted,
        [
            {"index": flagged[0], "verdict": "keep"},
            {"index": flagged[1], "verdict": "relabel", "label": 2},
            {"index": flagged[2], "verdict": "unsure"},
        ],
    )
    answer = report(client, planted.run_id)
    page = Page(answer.text)
    assert 'attachment; filename="pets-co-report.html"' in answer.headers["Content-Disposition"]
    assert "Noise audit: Pets & co" in page.words
    assert f"{len(flagged)} of 60 labels" in page.words
    assert "30.0 % (95 % interval 20.0 % to 40.0 %)" in page.words
    assert "Trust: good" in page.words
    assert "Two components." in page.words
    assert "✓ kept 1 ⇄ relabelled 1 ✕ removed 0 ? unsure 1" in page.words
    assert f"flagged, not reviewed {len(flagged) - 3}" in page.words
    assert "relabelled: =fox" in page.words
    posterior_N = planted.result_N["noise_posterior"]
    shown = [int((each["alt"] or "").removeprefix("Sample ")) for each in page.all("img")]
    assert shown == sorted(flagged, key=lambda index: -posterior_N[index])
    for image in page.all("img"):
        kind, data = (image["src"] or "").split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data)[:4] == b"\x89PNG"


def test_it_asks_the_network_for_nothing(client: httpx.Client, planted: Any) -> None:
    page = Page(report(client, planted.run_id).text)
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form"), tag
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, name)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)


def test_its_policy_lets_exactly_its_own_scripts_run(client: httpx.Client, planted: Any) -> None:
    page = Page(report(client, planted.run_id).text)
    (policy,) = [
        each["content"] or ""
        for each in page.all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    running = [text for attributes, text in page.scripts if "type" not in attributes]
    assert len(running) == 2
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running
    }
    assert set(re.findall(r"'sha256-[^']+'", policy)) == hashes
    assert "unsafe-inline" not in policy.split("style-src")[0]
    (figures,) = [json.loads(text) for attributes, text in page.scripts if "type" in attributes]
    assert set(figures) == {"loss", "classes", "matrix"}
    for themes in figures.values():
        assert set(themes) == {"light", "dark"}
        assert themes["light"]["data"]
        assert themes["light"] != themes["dark"]


def test_every_chart_has_its_words_and_its_numbers(client: httpx.Client, planted: Any) -> None:
    answer = report(client, planted.run_id)
    page = Page(answer.text)
    plots = [each for each in page.all("div") if each.get("role") == "img"]
    assert [each["id"] for each in plots] == ["plot-loss", "plot-classes", "plot-matrix"]
    assert all(each["aria-label"] for each in plots)
    assert page.text.count("Numbers of this chart") == 3
    flagged_N = planted.result_N["flagged"]
    for label, name in enumerate(["cat", "dog", "=fox"]):
        count = int((planted.given_N == label).sum())
        flags = int((flagged_N & (planted.given_N == label)).sum())
        assert re.search(rf'row">{name}</th><td>{count}</td><td>{flags}</td><td>[\d.]+%', answer.text)
    pairs = list(zip(planted.given_N, planted.result_N["suggested_label"], strict=True))
    cats_as_dogs = sum(flag and pair == (0, 1) for flag, pair in zip(flagged_N, pairs, strict=True))
    assert f'row">cat</th><td>dog</td><td>{cats_as_dogs}</td>' in answer.text


def test_the_review_of_a_random_sample_is_told_with_its_intervals(client: httpx.Client, planted: Any) -> None:
    assert "No random sample has been reviewed" in Page(report(client, planted.run_id).text).words
    order = client.get(f"/api/runs/{planted.run_id}/sign-off", params={"size": 30}).json()["remaining"]
    wrong_N = planted.given_N != planted.true_N
    decide(client, planted, [{"index": i, "verdict": "remove" if wrong_N[i] else "keep"} for i in order])
    found = client.get(f"/api/runs/{planted.run_id}/sign-off", params={"size": 30}).json()
    words = Page(report(client, planted.run_id).text).words
    rate = found["noise_rate"]
    assert (
        f"Noise rate: wrong labels in the dataset{100 * rate['value']:.1f} %"
        f"{100 * rate['low']:.1f} % to {100 * rate['high']:.1f} %"
    ) in words
    for each in found["strata"]:
        assert f"{each['counted']} of the {each['samples']} {each['name']} samples" in words


def test_the_export_is_the_same_file_with_a_manifest_of_its_bytes(client: httpx.Client, planted: Any) -> None:
    file = client.get(f"/api/runs/{planted.run_id}/exports/report", params={"unreviewed": "accept"})
    again = client.get(f"/api/runs/{planted.run_id}/report", params={"unreviewed": "accept"})
    assert file.content == again.content
    about = client.get(
        f"/api/runs/{planted.run_id}/exports/report/manifest", params={"unreviewed": "accept"}
    ).json()
    assert about["file"] == {
        "name": "pets-co-report.html",
        "bytes": len(file.content),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }
    inside = json.loads(Page(file.text).text.split("as in every export.")[1])
    assert inside == {key: value for key, value in about.items() if key != "file"}
    assert inside["run"]["seed"] == 3
    assert inside["what"] == "report"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_asked_for_is_the_pages_own(client: httpx.Client, planted: Any, theme: str) -> None:
    (root,) = Page(report(client, planted.run_id, theme=theme).text).all("html")
    assert root["data-theme"] == theme


def test_an_unknown_theme_and_an_unfinished_run_are_refused(
    client: httpx.Client, planted: Any, ready_dataset: Any
) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/report", params={"theme": "pink"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
    run = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()
    for address in ("report", "exports/report", "exports/report/manifest"):
        answer = client.get(f"/api/runs/{run['id']}/{address}")
        assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATUS")
