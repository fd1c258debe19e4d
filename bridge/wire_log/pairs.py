"""Know the names of secrets and of idTags, and mask the pairs of name and value in a text that is no JSON.

Pure. Prefers masking too much: nobody can say how a broken frame is meant. Before it: `masking`, where JSON ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from csms import secret_names
from csms.secret_names import NAMED_AT_THE_END, NAMED_WHOLE, NAMED_WITHIN

MASK = "***"

_DRIVER = "id[_ -]?(?:tag|token)s?|emaids?|customer[_ -]?identifier|evcc[_ -]?id|rfid|card[_ -]?(?:id|number)"
_HIDDEN = f"{NAMED_WITHIN}|exi[_ -]?(?:request|response)|signed[_ -]?meter[_ -]?data"
"""Secrets, and what is signed or sealed and names a driver inside."""
_TOKEN_NAME = re.compile(f".*?(?:{_DRIVER})|uid|master[_ -]?pass[_ -]?group[_ -]?id", re.IGNORECASE | re.DOTALL)
_SECRET_NAME = re.compile(f".*?(?:{_HIDDEN}).*|{NAMED_WHOLE}", re.IGNORECASE | re.DOTALL)
_TOKEN_SETTING = re.compile(
    f".*?(?:{_DRIVER})|master[_ -]?pass[_ -]?group[_ -]?id|vehicle[_ -]?id|.*plug[_ -]?(?:and|&)[_ -]?charge[_ -]?id.*",
    re.IGNORECASE | re.DOTALL,
)

# Every repetition is bounded or possessive: a frame may be made to keep a search busy. Where a list begins, nobody
# knows where it ends: everything after it is taken.
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*+"?|\\++"[^"\\]*+\\*+"?|'[^']*+'?|\[.*+|[^,;}\]\r\n]++)"""
_AFTER_NAME = r"""\s{0,8}+\\*["']?\s{0,8}+[:=]\s{0,8}+"""
_TOKEN_PAIR = re.compile(rf"""(?P<head>(?:{_DRIVER}|["'\\]uid){_AFTER_NAME}){_VALUE}""", re.IGNORECASE | re.DOTALL)
_SECRET_PAIR = re.compile(
    rf"""(?P<head>(?:{_HIDDEN}|["'\\](?:{NAMED_WHOLE}))[\w-]{{0,32}}+{_AFTER_NAME}){_VALUE}""",
    re.IGNORECASE | re.DOTALL,
)
_DELICATE_SETTING = re.compile(
    rf"{_HIDDEN}|{_DRIVER}|(?:{'|'.join(NAMED_AT_THE_END)})\\*[\"']\s{{0,8}}+[,}}]|signeddata|ocmf"
    "|plug[_ -]?and[_ -]?charge|master[_ -]?pass|vehicle[_ -]?id",
    re.IGNORECASE,
)


def _pair_of(names: str) -> re.Pattern[str]:
    return re.compile(rf"""(?P<head>["'](?:{names}){_AFTER_NAME}){_VALUE}""", re.IGNORECASE | re.DOTALL)


# Where the first is found, the values of the second are masked.
_IN_CONTEXT = (
    (_DELICATE_SETTING, _pair_of("values?|valuesList|attributeValue|actualValue|data")),
    (re.compile("vpn", re.IGNORECASE), _pair_of("key")),
    (re.compile("authorize", re.IGNORECASE), _pair_of("certificate")),
    (re.compile("NotifyCustomerInformation", re.IGNORECASE), _pair_of("data")),
)
# A slash may be written as \\/.
_ADDRESS = re.compile(r"""(?P<head>:\\*+/\\*+/)(?P<rest>[^\s"']++)""")


def names_token(name: str) -> bool:
    """Tell whether a member of this name holds what identifies a driver, such as parentIdTag or groupIdToken.

    `idTagInfo` and the like do not: they hold what was said of one.
    """
    return _TOKEN_NAME.fullmatch(name.strip()) is not None


def names_secret(name: str) -> bool:
    """Tell whether a member of this name holds a secret."""
    return _SECRET_NAME.fullmatch(name.strip()) is not None


def sets_secret(setting: str) -> bool:
    """Tell whether a configuration key or variable of this name has a secret as its value: also WifiKey, ApiToken."""
    return names_secret(setting) or secret_names.sets_secret(setting)


def sets_token(setting: str) -> bool:
    """Tell whether a configuration key or variable of this name has an idTag as its value, such as FreeVendIdTag."""
    return _TOKEN_SETTING.fullmatch(setting.strip()) is not None


def mask_address(text: str) -> str:
    """Mask in every address what may log in: ftp://user:password@host/, and the query of one that is signed."""
    return _ADDRESS.sub(_without_login, text) if ":/" in text or ":\\" in text else text


def _without_login(found: re.Match[str]) -> str:
    """Take away everything up to the last @: passwords have an @ or a slash in them, and are not always escaped."""
    _, at, place = found["rest"].rpartition("@")
    place, mark, query = place.partition("?")
    return f"{found['head']}{MASK + at if at else ''}{place}{mark}{MASK if query else ''}"


def mask_pairs(text: str, pseudonym: Callable[[str], str]) -> str:
    """Mask what follows the name of a secret or an idTag; where a delicate setting is named, all settings' values."""
    found = [pair for context, pair in _IN_CONTEXT if context.search(text)]
    text = _SECRET_PAIR.sub(rf'\g<head>"{MASK}"', text)
    text = _TOKEN_PAIR.sub(lambda found: _token_pair(found, pseudonym), text)
    for pair in found:
        text = pair.sub(rf'\g<head>"{MASK}"', text)
    return mask_address(text)


def _token_pair(found: re.Match[str], pseudonym: Callable[[str], str]) -> str:
    value = found["value"]
    if value[0] in "{[":  # an idToken of 2.x, or a list: nobody knows where it ends
        return f'{found["head"]}"{MASK}"'
    bare = value.strip("\\\"' ")
    return f'{found["head"]}"{pseudonym(bare)}"' if bare else found[0]
