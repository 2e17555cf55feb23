"""The OpenAPI document made complete: summaries, ways to sign in, errors, and an example of every body. Pure.

Examples are put together from values by field, so that what is new in a shape is in its example at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

ABOUT = """Everything that the dashboard, the command line and the Python client do.

Sign in with `Authorization: Bearer TOKEN` (`noise-audit token` prints one). Errors are `{code, message, hint, item?,
limit?, found?, request_id?}` with a fitting status. Bodies are JSON, unknown fields are refused. Files are uploaded by
tus 1.0 at `/api/uploads`, with the metadata `filename` and `filetype`; the last part of the upload's address is the
`upload_id` of a new dataset. Jobs are watched by asking again or by server-sent events. Webhooks are not offered."""

TAGS = {
    "accounts": "Signing in, and tokens for scripts.",
    "system": "Whether the installation is well, and what it can do.",
    "events": "Live progress as server-sent events.",
    "datasets": "Images with given labels.",
    "annotations": "What several annotators say of each sample.",
    "decisions": "What people say of samples; appended, never changed.",
    "runs": "Executions of a recipe on a dataset.",
    "samples": "What a run says of each sample.",
    "selections": "Kept sets of samples that have an address.",
    "figures": "plotly figures, ready to draw.",
    "exports": "Files to take away, each with its manifest.",
    "sign-off": "What a random sample, reviewed, says of the whole dataset.",
    "self-tests": "How well an audit would find wrong labels in these images.",
    "compare": "Runs on one dataset side by side.",
    "deletions": "What deleting would free, and deleting for good.",
}

SECURITY: dict[str, Schema] = {
    "token": {"type": "http", "scheme": "bearer", "description": "an API token"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "noise_audit_session",
        "description": "a browser's sign-in; under TLS the name begins with __Host-",
    },
}

ID = "5b38efd3cec84630853f6528a7eeb743"
TIME = "2026-11-26T13:53:35Z"
VALUES: dict[str, Any] = {
    # A shape's own field first, then the field's name in any shape.
    "AccountAnswer.name": "ann",
    "DatasetAnswer.name": "Pets",
    "DatasetAnswer.source": {"kind": "upload", "filename": "pets.zip", "format": "auto", "split": "train"},
    "DatasetAnswer.report": {"recognised": "class-folder", "imported": 600, "unreadable_count": 0},
    "DatasetCreate.name": "Pets",
    "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "server_folder": None,
    "ErrorAnswer.item": "dataset_id",
    "ErrorAnswer.limit": None,
    "ErrorAnswer.found": None,
    "InjectCreate.name": None,
    "RunAnswer.error": None,
    "DatasetAnswer.error": None,
    "RunCreate.embedding_upload_id": None,
    "RunCreate.settings": {"epochs": 20},
    "SelectionCreate.bitmap": None,
    "SignIn.code": None,
    "SignIn.name": "ann",
    "SignIn.password": "correct horse battery staple",
    "DatasetAnswer.status": "ready",
    "ErrorAnswer.message": "There is no such dataset.",
    "ExportChoice.format": "class-folder",
    "ExportChoice.images": "as delivered, byte for byte",
    "ExportList.formats": {"cleaned-labels": ["csv", "json", "jsonl", "parquet"], "report": ["html"]},
    "PreflightAnswer.error": None,
    "PreflightAnswer.status": "ready",
    "PreflightReport.counts": {"train": {"cat": 310, "dog": 290}},
    "PreflightReport.reason": "two folders hold images",
    "PreflightReport.recognised": "class-folder",
    "PreflightReport.splits": {"train": 600},
    "PreflightReport.total": 600,
    "Progress.message": "Epoch 5 of 16",
    "Progress.stage": "train",
    "Progress.total": 600,
    "RecipeAnswer.name": "fast",
    "RecipeAnswer.title": "Fast",
    "RecipeAnswer.description": "Finds most wrong labels in minutes, without a graphics card.",
    "RunAnswer.status": "succeeded",
    "SettingInfo.name": "epochs",
    "SettingInfo.type": "integer",
    "SettingInfo.default": 16,
    "SettingInfo.description": "Passes over the dataset.",
    "Trust.verdict": "good",
    "TokenAnswer.name": "nightly scan",
    "TokenCreate.name": "nightly scan",
    "account": "ann",
    "as_delivered": True,
    "agreement": 4,
    "auroc": 0.981,
    "average_precision": 0.94,
    "because": "reviewer relabelled it",
    "came_as": "class-folder",
    "classes": ["cat", "dog"],
    "class_counts": [310, 290],
    "code": "NOT_FOUND",
    "counts": {"keep": 12, "relabel": 30, "remove": 2, "unsure": 1},
    "dataset_name": "Pets",
    "data_free_bytes": 120_000_000_000,
    "decided": 45,
    "device": "cpu",
    "distance": 0.12,
    "done": 252,
    "epoch": 5,
    "epochs": 16,
    "expected_precision": 0.92,
    "expected_recall": 0.81,
    "f1": 0.91,
    "filename": "pets.zip",
    "flagged": 58,
    "fraction": 0.42,
    "given_label": 0,
    "hint": "",
    "idempotency_key": "3f0c7c52a1d84d1c",
    "image_bytes": 48_000_000,
    "image_shape": [32, 32, 3],
    "images": 598,
    "images_per_second": 950.0,
    "index": 17,
    "indices": [17, 4, 230],
    "cleaned_label": 1,
    "label": 1,
    "label_quality": 0.03,
    "loss": 3.2,
    "margin": -2.1,
    "matrix": None,
    "mixture": "beta",
    "name": "cat/0017.jpg",
    "password": "correct horse battery",
    "noise_posterior": 0.97,
    "noise_rate": 0.097,
    "noise_rate_interval": [0.074, 0.121],
    "parent_id": None,
    "precision": 0.93,
    "probability": 0.94,
    "rate": 0.1,
    "reasons": ["Clean and noisy samples form two groups (separation 3.10)."],
    "recall": 0.89,
    "recipe": "fast",
    "refusal": None,
    "request_id": "9f8e7d6c5b4a3928",
    "role": "admin",
    "sample_count": 600,
    "samples": 600,
    "says": "a folder for each class",
    "seconds": 61.5,
    "seed": 0,
    "suggested_label": 1,
    "threshold": 0.61,
    "title": "Class folders",
    "torch": "2.11.0",
    "total": 58,
    "true_label": None,
    "verdict": "relabel",
    "version": "0.1.0",
    "why": ["Its loss is higher than that of 98 % of the samples given as cat."],
    "width": 32,
    "height": 32,
    "x": 0.31,
    "y": -0.72,
}
BY_FORMAT = {"date-time": TIME, "binary": None}
ONE_OF_EACH = 1
"""Items in an example's list: enough to see their shape."""


def described(document: Schema, is_public: Callable[[str, str], bool]) -> Schema:
    """The document with all that readers and generators of clients want; `is_public(method, path)` needs no sign-in."""
    document["info"]["description"] = ABOUT
    document["tags"] = [{"name": name, "description": says} for name, says in TAGS.items()]
    document["components"]["securitySchemes"] = SECURITY
    document["security"] = [{name: []} for name in SECURITY]
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _describe(operation, schemas)
            if is_public(method.upper(), path):
                operation["security"] = []
    return document


def _describe(operation: Schema, schemas: dict[str, Schema]) -> None:
    first, _, rest = operation["description"].partition("\n\n")
    sentence, _, further = first.replace("\n", " ").partition(". ")
    operation["summary"] = sentence.rstrip(".")
    operation["description"] = "\n\n".join(filter(None, [further, rest])) or first
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            # Whatever a success is written in, an error is JSON.
            answer["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += operation["responses"].values()
    for body in bodies:
        for kind, content in body.get("content", {}).items():
            if kind != "application/json":
                # What is no JSON is text or a file to those who generate clients. Shapes of single events came to
                # OpenAPI later than the version that this document is in.
                content.pop("itemSchema", None)
                plain = (
                    {"type": "string"} if kind.startswith("text/") else {"type": "string", "format": "binary"}
                )
                content.setdefault("schema", plain)
            elif "schema" in content:
                content["example"] = example(content["schema"], schemas)


def example(schema: Schema, schemas: dict[str, Schema], name: str = "", field: str = "") -> Any:
    """A value that the schema allows: what VALUES says of the field, its default, or the plainest of its type."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return example(schemas[name], schemas, name)
    for key in (f"{name}.{field}", field):
        if field and key in VALUES and _allows(schema, VALUES[key]):
            return VALUES[key]
    if "default" in schema:
        return schema["default"]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], schemas, name, field)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if "properties" in schema:
        return {
            key: example(inner, schemas, schema.get("title", name), key)
            for key, inner in schema["properties"].items()
        }
    return _plainest(schema, schemas, name, field)


def _plainest(schema: Schema, schemas: dict[str, Schema], name: str, field: str) -> Any:
    kind = schema.get("type")
    if kind == "array":
        items = [example(schema["items"], schemas, name)] if "items" in schema else []
        return items * max(ONE_OF_EACH, schema.get("minItems", 1))
    if kind == "object":
        return {}
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), ID if field.endswith("id") else field or "text")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": False, "null": None}.get(str(kind), {})


def _allows(schema: Schema, value: Any) -> bool:
    """Whether a value of this type is one of the schema's; a field's name may mean something else elsewhere."""
    kinds = [inner.get("type") for inner in schema.get("anyOf", [schema])]
    kind = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }.get(type(value), "null")
    if "enum" in schema:
        return value in schema["enum"]
    return kind in kinds or (kind == "integer" and "number" in kinds)
