"""Names are text, whatever is in them; numbers are said as they are; an empty run still makes a page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from backend.audit.classnoise import class_noise, flag_cells, transition_counts
from backend.audit.report import Report, Suspect, data_uri, percent, render
from backend.audit.report_charts import classes_chart, literal, matrix_chart

NASTY = "<img src=x onerror=alert(1)>&lt;b&gt;</script><script>alert(2)</script>\"'{{ 7 * 7 }}"


def a_report(**changed: Any) -> Report:
    plain = Report(
        dataset="pets",
        facts=[("Samples", "4")],
        samples=4,
        flagged=0,
        noise_rate=None,
        noise_rate_interval=None,
        trust={"verdict": "none", "reasons": []},
        metrics=None,
        decided={},
        flagged_unreviewed=0,
        sign_off=None,
        charts=[],
        suspects=[],
        manifest={},
        as_of=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )
    return plain._replace(**changed)


def without_scripts(html: str) -> str:
    return re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)


def test_a_run_that_found_nothing_makes_a_page_that_says_so() -> None:
    html = without_scripts(render(a_report()))
    assert "Nothing was flagged." in html
    assert "This run left no figures." in html
    assert "State of 2026-01-02 03:04 UTC" in html
    assert "data-theme" not in html.split("<style>")[0]


def test_names_full_of_markup_are_text_wherever_they_stand() -> None:
    classes = [NASTY, "dog"]
    given_N, suggested_N = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1])
    flagged_N = np.array([True, True, True, False])
    noise = class_noise(given_N, np.array([0.9, 0.8, 0.7, 0.1]), flagged_N, 2)
    matrix = matrix_chart(
        transition_counts(given_N, suggested_N, flagged_N, 2, 60),
        flag_cells(given_N, suggested_N, flagged_N, 2),
        classes,
    )
    assert matrix is not None
    suspect = Suspect(0, NASTY, NASTY, "dog", 0.9, "relabel", NASTY, "data:image/png;base64,", small=True)
    html = render(
        a_report(
            dataset=NASTY,
            facts=[(NASTY, NASTY)],
            flagged=3,
            trust={"verdict": NASTY, "reasons": [NASTY]},
            suspects=[suspect],
            charts=[classes_chart(noise, classes), matrix],
            manifest={"dataset": {"name": NASTY}},
        )
    )
    page = without_scripts(html)
    assert "<img src=x" not in page
    assert "alert(2)</script>" not in page
    assert "49" not in page.split("<main>")[0]
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&amp;lt;b&amp;gt;") >= 8
    assert html.count("<script") == 3
    # In the charts' data the name has no tag for plotly to read, and none that would end the script.
    block = re.search(r'id="figures">(.*?)</script>', html, flags=re.DOTALL)
    assert block is not None
    figures = json.loads(block[1])
    texts = json.dumps(figures, ensure_ascii=False)
    assert "onerror" in texts
    assert not re.search(r"<(img|script|/script)", texts)
    assert not re.search(r"&lt;b", texts)


def test_a_literal_name_has_the_same_letters() -> None:
    assert literal("a<b>&amp;").replace("\u200b", "") == "a<b>&amp;"
    assert literal("cat") == "cat"


def test_without_other_suggestions_there_is_no_matrix() -> None:
    label_N, flagged_N = np.array([0, 1]), np.array([True, False])
    cells = flag_cells(label_N, label_N, flagged_N, 2)
    assert matrix_chart(transition_counts(label_N, label_N, flagged_N, 2, 60), cells, ["a", "b"]) is None


def test_many_classes_are_said_to_be_shown_in_part() -> None:
    label_N = np.arange(300) % 100
    noise = class_noise(label_N, np.full(300, 0.2), np.zeros(300, dtype=bool), 100)
    chart = classes_chart(noise, [f"class {label}" for label in range(100)])
    assert chart.table.caption == "Noise by class: the 40 noisiest classes of 100"
    assert len(chart.table.rows) == 40


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "unknown"),
        (0.0, "0.0 %"),
        (0.0002, "under 0.1 %"),
        (0.1234, "12.3 %"),
        (0.9996, "over 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_shares_are_never_rounded_to_all_or_nothing(share: float | None, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("begin", "kind"),
    [(b"RIFF\0\0\0\0WEBPVP8 ", "webp"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff\xe0", "jpeg")],
)
def test_an_image_says_what_it_is(begin: bytes, kind: str) -> None:
    assert data_uri(begin).startswith(f"data:image/{kind};base64,")
