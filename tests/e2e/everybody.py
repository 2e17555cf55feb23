"""Looks at a page with axe: what stands in the way of people who see, hear or move otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from playwright.sync_api import Page, expect

Rules: TypeAlias = dict[str, str | list[str]]

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Rules = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
OF_COLOUR: Rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What another theme can change; names, roles, order and sizes are the same in both."""


def violations(page: Page, rules: Rules = RULES) -> list[str]:
    """Every violation of WCAG 2.2 AA that axe finds on the page as it is now, with the elements at fault."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: run python frontend/build_hook.py --test first")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
        ".then(({violations}) => violations.map(v => v.id + ': ' + v.nodes.slice(0, 3)"
        ".map(n => n.html.slice(0, 120) + ' ' + (n.any[0]?.message ?? '')).join(' | ')))",
        rules,
    )
    return found


def violations_in_both_themes(page: Page) -> list[str]:
    """As `violations` in the light theme, and those of colour in the dark one; the page must follow the system's."""
    found = []
    themes: tuple[tuple[Literal["light", "dark"], Rules], ...] = (
        ("light", RULES),
        ("dark", OF_COLOUR),
    )
    for theme, rules in themes:
        page.emulate_media(color_scheme=theme)
        expect(page.locator(f"html[data-mantine-color-scheme={theme}]")).to_be_attached()
        for figure in page.locator(".plot").all():
            expect(figure).to_have_attribute("data-state", "ready")
        found += [f"{theme}: {one}" for one in violations(page, rules)]
    return found


def violations_half_way(page: Page) -> list[str]:
    """As `violations`, with every transition that is under way held in its middle."""
    page.evaluate(
        "document.getAnimations().filter(one => one instanceof CSSTransition).forEach(one => {"
        "one.pause(); one.currentTime = one.effect.getComputedTiming().duration / 2 })"
    )
    return violations(page)


def slow_down(page: Page) -> None:
    """Make every transition last for minutes, so that a look at the page meets it under way."""
    animations = page.context.new_cdp_session(page)
    animations.send("Animation.enable")
    animations.send("Animation.setPlaybackRate", {"playbackRate": 0.0005})
