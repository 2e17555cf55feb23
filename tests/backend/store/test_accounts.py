"""Ways in: codes are spent once, tokens end and are kept hashed, passwords are checked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.audit.errors import Conflict, NotFound
from backend.store import accounts, activity, uploads
from backend.store.database import Database
from backend.store.tables import Activity, Base


def test_the_local_account_is_made_once(database: Database) -> None:
    def ensure() -> str:
        with database.transaction() as session:
            return accounts.ensure_local_account(session).id

    with ThreadPoolExecutor(4) as threads:
        assert len({one.result() for one in [threads.submit(ensure) for _ in range(4)]}) == 1


def test_a_code_signs_in_once_however_many_try(database: Database, owner: str) -> None:
    with database.transaction() as session:
        code = accounts.new_login_code(session, owner)

    def spend() -> str | None:
        with database.transaction() as session:
            account = accounts.spend_code(session, code)
            return account.id if account else None

    with ThreadPoolExecutor(4) as threads:
        spent = [one.result() for one in [threads.submit(spend) for _ in range(4)]]
    assert sorted(spent, key=str) == sorted([owner, None, None, None], key=str)


def test_an_old_code_signs_nobody_in(database: Database, owner: str) -> None:
    with database.transaction() as session:
        code = accounts.new_login_code(session, owner, ttl=timedelta(seconds=-1))
        assert accounts.spend_code(session, code) is None
        assert accounts.spend_code(session, "made up") is None


def test_a_session_lasts_until_it_is_ended_or_old(database: Database, owner: str) -> None:
    with database.transaction() as session:
        token, other = accounts.new_session(session, owner), accounts.new_session(session, owner)
        old = accounts.new_session(session, owner, days=-1)
    with database.transaction() as session:
        for signed_in in (token, other):
            found = accounts.by_session(session, signed_in)
            assert found is not None
            assert found[0].id == owner
        accounts.end_session(session, token)
        accounts.end_session(session, "made up")
        assert accounts.by_session(session, token) is None
        assert accounts.by_session(session, old) is None
        assert accounts.by_session(session, other) is not None
        assert accounts.by_token(session, other) is None, "a session is no API token"


def test_an_api_token_works_until_it_is_revoked_or_expires(database: Database, owner: str) -> None:
    with database.transaction() as session:
        kept, token = accounts.new_api_token(session, owner, "laptop")
        _, old = accounts.new_api_token(session, owner, "old", days=-1)
        stranger = accounts.add_user(session, "stranger", "secret").id
    with database.transaction() as session:
        found = accounts.by_token(session, token)
        assert found is not None
        assert found[0].id == owner
        assert accounts.by_token(session, old) is None
        assert accounts.by_token(session, token[:-1]) is None
        assert accounts.by_session(session, token) is None
        assert {row.name for row in accounts.list_tokens(session, owner)} == {"laptop", "old"}
        assert accounts.list_tokens(session, stranger) == []
        with pytest.raises(NotFound):
            accounts.revoke_token(session, stranger, kept.id)
        accounts.revoke_token(session, owner, kept.id)
        assert accounts.by_token(session, token) is None


def test_no_table_holds_anything_that_signs_in(database: Database, owner: str) -> None:
    with database.transaction() as session:
        secrets = [
            accounts.new_login_code(session, owner),
            accounts.new_session(session, owner),
            accounts.new_api_token(session, owner, "laptop")[1],
            "correct horse battery staple",
        ]
        accounts.add_user(session, "ann", secrets[-1])
    with database.transaction() as session:
        for table in Base.metadata.tables:
            everything = str(session.execute(text(f'SELECT * FROM "{table}"')).all())
            for secret in secrets:
                assert secret not in everything
                assert secret.removeprefix(accounts.TOKEN_PREFIX)[:20] not in everything
        stored = session.scalar(text("SELECT password_hash FROM account WHERE name = 'ann'"))
    assert str(stored).startswith("$argon2id$")


def test_a_password_is_checked_and_a_name_taken_once(database: Database) -> None:
    with database.transaction() as session:
        ann = accounts.add_user(session, "ann", "secret")
        local = accounts.ensure_local_account(session)
        assert ann.role == "editor"
        assert local.role == "admin"
    with database.transaction() as session:
        found = accounts.check_password(session, "ann", "secret")
        assert found is not None
        assert found.id == ann.id
        assert accounts.check_password(session, "ann", "Secret") is None
        assert accounts.check_password(session, "nobody", "secret") is None
        assert accounts.check_password(session, "local", "") is None
        with pytest.raises(Conflict):
            accounts.add_user(session, "ann", "other")


def test_an_upload_is_noted_once_and_found_by_its_owner_alone(database: Database, owner: str) -> None:
    with database.transaction() as session:
        stranger = accounts.add_user(session, "stranger", "secret").id
        for _ in range(2):
            row = uploads.record(session, owner, "u1", "pets.zip", 5 * 2**32, "digest")
        assert (row.filename, row.size) == ("pets.zip", 5 * 2**32)
        assert uploads.get(session, owner, "u1").created_at is not None
        for account, upload in ((stranger, "u1"), (owner, "u2")):
            with pytest.raises(NotFound):
                uploads.get(session, account, upload)
        with pytest.raises(NotFound):
            uploads.record(session, stranger, "u1", "mine.zip", 1, "digest")


def test_what_was_done_is_noted_with_the_transaction_that_did_it(database: Database, owner: str) -> None:
    with database.transaction() as session:
        activity.record(session, owner, "dataset.create", "d1", name="pets", format="zip")
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012
        activity.record(session, owner, "dataset.create", "d2")
        raise ZeroDivisionError
    with database.transaction() as session:
        rows = session.query(Activity).all()
    assert [(row.account_id, row.action, row.subject) for row in rows] == [(owner, "dataset.create", "d1")]
    assert rows[0].detail == {"name": "pets", "format": "zip"}
