"""Configure: one TOML file, a secrets directory and the environment become one checked value.

Never starts anything and never prints. `load_settings` is the way in; every mistake is reported at once. The reference
of every key is config/bridge.toml. Before it: the operator. After it: `bridge.app`, which fills every part's options.
"""

from bridge.settings.accounts import Account, ChargepriceAccount, Day, OicpAccount
from bridge.settings.errors import ConfigurationErrors, Mistake
from bridge.settings.load import load_settings
from bridge.settings.model import Settings
from bridge.settings.sections import IdTags, OcppSection, OperatorTable, PushSection, StatusSection, WebSection
from bridge.settings.sources import CONFIG_VARIABLE

__all__ = [
    "CONFIG_VARIABLE",
    "Account",
    "ChargepriceAccount",
    "ConfigurationErrors",
    "Day",
    "IdTags",
    "Mistake",
    "OcppSection",
    "OicpAccount",
    "OperatorTable",
    "PushSection",
    "Settings",
    "StatusSection",
    "WebSection",
    "load_settings",
]
