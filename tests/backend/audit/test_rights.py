"""The table of rights: each role can what the one below can, and no answer widens another."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from typing import Any

import pytest

from backend.audit.errors import Forbidden
from backend.audit.rights import (
    ACCOUNT_ROLES,
    DATASET_ROLES,
    OF_ACCOUNT,
    OF_MEMBER,
    OF_SCOPE,
    OPERATIONS,
    SCOPES,
    may,
    require,
)


def test_each_role_and_scope_can_what_the_next_lower_can_and_more() -> None:
    tables: tuple[tuple[Mapping[Any, frozenset[str]], tuple[str, ...]], ...] = (
        (OF_ACCOUNT, ACCOUNT_ROLES),
        (OF_MEMBER, DATASET_ROLES),
        (OF_SCOPE, SCOPES),
    )
    for table, order in tables:
        assert set(table) == set(order)
        for higher, lower in pairwise(order):
            assert table[higher] > table[lower], (higher, lower)


def test_what_each_role_is_for_is_written_down_here_once_more() -> None:
    assert may("admin", "full", "owner") == [
        "see",
        "export",
        "decide",
        "run",
        "import",
        "delete",
        "members",
        "adjudicate",
    ]
    assert may("admin", "full", "editor") == ["see", "export", "decide", "run", "import"]
    assert may("admin", "full", "reviewer") == ["see", "export", "decide"]
    assert may("admin", "full", "viewer") == ["see", "export"]
    assert may("viewer", "full", "owner") == ["see", "export"]
    assert may("admin", "decide", "owner") == ["see", "export", "decide"]
    assert may("admin", "read", "owner") == ["see", "export"]


def test_an_operation_is_allowed_exactly_when_all_three_allow_it() -> None:
    for operation, account, scope, member in product(
        OPERATIONS, ACCOUNT_ROLES, SCOPES, (*DATASET_ROLES, None)
    ):
        allowed = operation in OF_ACCOUNT[account] & OF_SCOPE[scope]
        if member is not None:
            allowed = allowed and operation in OF_MEMBER[member]
        if allowed:
            require(operation, account, scope, member)
        else:
            with pytest.raises(Forbidden) as caught:
                require(operation, account, scope, member)
            assert caught.value.as_dict().keys() >= {"code", "message", "hint", "item", "found"}


def test_a_refusal_says_what_stands_in_the_way() -> None:
    with pytest.raises(Forbidden, match=r"With the scope read of this token nobody can decide on samples\."):
        require("decide", "viewer", "read", "viewer")
    with pytest.raises(Forbidden, match=r"With the role reviewer nobody can start or stop audits\."):
        require("run", "reviewer", "full", "owner")
    with pytest.raises(
        Forbidden, match=r"With the role viewer in this dataset nobody can decide on samples\."
    ):
        require("decide", "admin", "full", "viewer")
