"""The application's routes, and its OpenAPI document without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from backend.api import (
    accounts,
    activities,
    annotators,
    atlas,
    classes,
    compare,
    datasets,
    decisions,
    deletions,
    duplicates,
    events,
    exports,
    figures,
    imported,
    installation,
    members,
    metrics,
    people,
    predictions,
    preflights,
    problems,
    recipes,
    reports,
    review,
    runs,
    samples,
    selections,
    selftests,
    server_folders,
    sessions,
    signoff,
    splits,
    system,
    thresholds,
    versions,
)
from backend.api.described import described
from backend.api.gate import is_public
from backend.api.pages import pages_router
from backend.api.rights import authorized
from backend.api.schemas.base import ErrorAnswer
from backend.api.uploads import uploads_router
from backend.settings import Settings

DASHBOARD = Path(__file__).parents[1] / "dashboard"
NOUNS = (
    *(accounts, sessions, people, activities, system, installation, recipes, events),
    *(preflights, server_folders, datasets, members, annotators, duplicates, versions, atlas, decisions),
    *(review, deletions, imported, compare, selftests),
    *(
        runs,
        predictions,
        samples,
        selections,
        thresholds,
        classes,
        splits,
        figures,
        signoff,
        exports,
        reports,
    ),
)
_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "refused; the code says why"},
    422: {"model": ErrorAnswer, "description": "a field is wrong; `item` names it, `limit` its range"},
    "5XX": {"model": ErrorAnswer, "description": "a part of the installation is away or failed; try again"},
}


def routed(settings: Settings, app: FastAPI, dashboard: Path = DASHBOARD) -> FastAPI:
    """The application with every route; its gate and context are added by `create_app`."""
    problems.install(app)
    rights = [Depends(authorized)]
    for noun in NOUNS:
        app.include_router(noun.router, responses=_ERRORS, dependencies=rights)
    app.include_router(metrics.router, dependencies=rights)
    app.include_router(uploads_router(settings), include_in_schema=False, dependencies=rights)
    # Last: it answers every address that is left.
    app.include_router(pages_router(dashboard))
    return app


def new_app(**settings: Any) -> FastAPI:
    """An application without routes; its document lies behind the sign-in like everything else."""
    app = FastAPI(
        title="Noise Audit",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        **settings,
    )
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        known = app.openapi_schema is not None
        document = plain()
        return document if known else described(document, is_public)

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document of every route."""
    return routed(Settings(), new_app()).openapi()


def _operation_id(route: APIRoute) -> str:
    return route.name
