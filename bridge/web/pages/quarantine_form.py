"""Read the form that takes an unknown station into the inventory: its EVSEs, its operator, how it proves itself.

Never maps, and never shows a key again. Before it: `quarantine`. After it: a `MapWish`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest

from pydantic import ValidationError

from bridge.web.overview_services import EvseHome
from bridge.web.pages.forms import Form
from bridge.web.quarantine_shapes import MapWish

ROWS = 4
"""Connectors that the form has room for at first."""
_ADDRESS = re.compile(r"([1-9][0-9]{0,5}\.)?[1-9][0-9]{0,5}", re.ASCII)
_MOST_SUGGESTED = 3000
PROOFS = (
    ("generate", "Make a key, and show it once"),
    ("key", "This key"),
    ("certificate", "A client certificate of this common name"),
    ("insecure", "Nothing: whoever knows its id can be it"),
)


def read_wish(form: Form) -> MapWish | None:
    """Return what is wished; None where something is wrong, which is then noted in the form."""
    evses = _evses(form)
    if not form.text("operator"):
        form.mistakes["operator"] = "choose one"
    proof = form.text("proof", "generate")
    if proof == "key" and not form.text("key"):
        form.mistakes["key"] = "give the key, or choose that one is made"
    if proof == "certificate" and not form.text("certificate_name"):
        form.mistakes["certificate_name"] = "give the common name of its certificate"
    if form.mistakes:
        return None
    try:
        return MapWish(
            evses=evses,
            operator=form.text("operator"),
            key=form.text("key") if proof == "key" else None,
            generate_key=proof == "generate",
            insecure=proof == "insecure",
            certificate_name=form.text("certificate_name") if proof == "certificate" else None,
            weak_key=form.ticked("weak_key"),
        )
    except ValidationError as error:
        form.note(error)
        return None


def _evses(form: Form) -> tuple[str, ...]:
    """Return each EVSE as `MapWish` writes it: EVSEID, or CONNECTOR=EVSEID."""
    connectors, ids = form.fields.get("connector", ()), form.fields.get("evse_id", ())
    found = []
    for connector, evse_id in zip_longest(map(str.strip, connectors), map(str.strip, ids), fillvalue=""):
        if not evse_id:
            continue
        if connector and _ADDRESS.fullmatch(connector) is None:
            form.mistakes["connector"] = "should be a connector such as 1, or with OCPP 2.x EVSE.CONNECTOR such as 1.2"
        found.append(f"{connector}={evse_id}" if connector else evse_id)
    if not found:
        form.mistakes["evse_id"] = "give at least one EVSE id, such as DE*ABC*E42"
    return tuple(found)


def suggested(homes: Iterable[EvseHome]) -> list[tuple[str, str]]:
    """Return EVSE ids that may be meant, with their station: first those whose station is away."""
    ordered = sorted(homes, key=lambda home: (home.connected, home.evse_id))
    return [(home.evse_id, home.station) for home in ordered[:_MOST_SUGGESTED]]
