"""Lets further people into an installation, for the tests in which somebody else looks."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page


def let_in(admin: Page, guest: BrowserContext, url: str, name: str, role: str) -> None:
    """Add an account with this role in the installation, and sign its browser in by a one-time code."""
    origin = {"Origin": url}
    made = admin.request.post("/api/accounts", data={"name": name, "role": role}, headers=origin)
    assert made.ok, made.text()
    code = admin.request.post(f"/api/accounts/{made.json()['id']}/code", data={}, headers=origin)
    signed_in = guest.request.post("/api/session", data={"code": code.json()["code"]}, headers=origin)
    assert signed_in.ok, signed_in.text()


def share(admin: Page, url: str, dataset: str, name: str, role: str) -> None:
    """Give somebody a role in a dataset."""
    body = {"name": name, "role": role}
    shared = admin.request.put(f"/api/datasets/{dataset}/members", data=body, headers={"Origin": url})
    assert shared.ok, shared.text()
