"""Know by which names settings and members of messages hold keys and passwords: the one table of them.

Pure. Before it: `hidden_values`, for what operators are shown, and the host's wire log, for what is kept.

Source: OCPP 1.6 security whitepaper §7.2 AuthorizationKey; OCPP 2.0.1 Part 2, SecurityCtrlr.BasicAuthPassword, and
APNType.simPin and VPNType; what vendors call theirs.
"""

from __future__ import annotations

import re

NAMED_WITHIN = (
    "pass[_ -]?(?:word|wd|phrase)|secret|private[_ -]?key|authorization[_ -]?key|api[_ -]?key|access[_ -]?token"
    "|credential|sim[_ -]?pin|pre[_ -]?shared"
)
"""Expression, for any case: wherever one of these is in a name, it is a secret's."""

NAMED_WHOLE = "pwd|psk|pin"
"""Expression, for any case: names that are a secret's as a whole."""

NAMED_AT_THE_END = ("key", "token", "pwd", "psk", "pin", "passcode")
"""How the name of a setting ends whose value is a secret: also WifiKey, ApiToken. Members of messages end so, too."""

_PARTS = re.compile(NAMED_WITHIN)


def sets_secret(setting: str) -> bool:
    """Tell whether a configuration key or variable of this name has a secret as its value, however it is separated."""
    folded = "".join(letter for letter in setting.casefold() if letter.isalnum())
    return folded.endswith(NAMED_AT_THE_END) or _PARTS.search(folded) is not None
