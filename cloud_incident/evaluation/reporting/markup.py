"""The templates of the report, and how text gets into them: everything is escaped, no text becomes markup."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from cloud_incident.evaluation.reporting import losses, plots, wording
from cloud_incident.extras import require_extra

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = "evaluation/reporting/templates"
"""Where the templates are, inside the package `cloud_incident`."""

_NOT_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that the HTML standard does not allow in a text."""

_FILTERS = {
    "action": wording.format_action,
    "amount": wording.format_amount,
    "coordinate": plots.format_coordinate,
    "counted": wording.format_count,
    "dashes": plots.choose_dashes,
    "difference": wording.format_difference,
    "dollars": wording.format_dollars,
    "losses": losses.plot_losses,
    "interval": wording.format_interval,
    "p_value": wording.format_p_value,
    "names": wording.list_names,
    "score": wording.format_score,
    "seconds": wording.format_seconds,
    "share": wording.format_share,
    "short": wording.shorten_text,
    "tokens": wording.format_tokens,
}


def render_template(name: str, **values: object) -> str:
    """The template of this name, filled with the values.

    Raises:
        MissingExtraError: if Jinja2 is not installed.
    """
    return load_templates().get_template(name).render(values)


@cache
def load_templates() -> Environment:
    """The templates. Jinja2 is imported here and not above, because importing it takes 140 ms of processor time and
    the server imports this module.

    Raises:
        MissingExtraError: if Jinja2 is not installed.
    """
    require_extra("evaluate", "jinja2")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("cloud_incident", _FOLDER),
        autoescape=True,
        finalize=_replace_not_allowed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    return environment


def _replace_not_allowed(value: object) -> object:
    """U+FFFD for each character that HTML does not allow."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return _NOT_ALLOWED.sub("\ufffd", str(value)) if is_text else value
