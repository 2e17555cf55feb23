"""What is kept of slow questions stays within its bound, and is asked once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.store.recent import Recent


def test_the_weight_stays_below_the_limit_and_what_was_used_last_stays() -> None:
    recent, made = Recent(10, len), []

    def ask(word: str) -> str:
        return recent.get(word, lambda: made.append(word) or word)

    for word in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa"):
        assert ask(word) == word
    assert made == ["aaaa", "bbbb", "cccc"]
    assert ask("bbbb") == "bbbb"
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]
    # "cccc" went for it, "aaaa" did not.
    ask("aaaa")
    ask("cccc")
    assert made[4:] == ["cccc"]


def test_one_answer_over_the_limit_is_kept_until_the_next() -> None:
    recent, made = Recent(3, len), []
    for word in ("too long", "too long", "b", "too long"):
        recent.get(word, lambda word=word: made.append(word) or word)
    assert made == ["too long", "b", "too long"]


def test_asked_by_many_at_once_it_is_answered_once_and_others_are_not_kept_waiting() -> None:
    recent, begun, go = Recent(10), threading.Event(), threading.Event()
    made = []

    def slow() -> int:
        begun.set()
        assert go.wait(10)
        made.append(1)
        return 7

    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(recent.get, "slow", slow) for _ in range(5)]
        assert begun.wait(10)
        assert recent.get("quick", lambda: 1) == 1
        time.sleep(0.05)
        go.set()
        assert [one.result(10) for one in waiting] == [7] * 5
    assert made == [1]


def test_a_question_that_failed_is_asked_again() -> None:
    recent = Recent(10)
    with pytest.raises(ZeroDivisionError):
        recent.get("key", lambda: 1 // 0)
    assert recent.get("key", lambda: 3) == 3


def test_what_is_dropped_is_asked_again_and_weighs_nothing() -> None:
    recent, made = Recent(6, len), []
    for word in ("aaaa", "bb"):
        recent.get(word, lambda word=word: made.append(word) or word)
    recent.drop("aaaa")
    recent.drop("never kept")
    for word in ("cccc", "bb", "aaaa"):
        recent.get(word, lambda word=word: made.append(word) or word)
    assert made == ["aaaa", "bb", "cccc", "aaaa"]
