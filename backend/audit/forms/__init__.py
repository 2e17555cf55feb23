"""The forms in which a cleaned dataset leaves with its images, one file per form; no storage, no clock."""

from backend.audit.forms.choice import (
    AS_DELIVERED,
    FORMS,
    Form,
    FormName,
    arranged,
    form_as_delivered,
    refusal,
)
from backend.audit.forms.content import Content

__all__ = [
    "AS_DELIVERED",
    "FORMS",
    "Content",
    "Form",
    "FormName",
    "arranged",
    "form_as_delivered",
    "refusal",
]
