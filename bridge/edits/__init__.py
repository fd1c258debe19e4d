"""Move operators' orders into the store, each with what follows from it.

Runs as items of the one writer, so that an edit and the statuses around it have one order. Never parses a file and
never answers a request: `inventory_file` and `web` do. After it: lanes are woken without content.
"""

from bridge.edits.accounts import (
    CredentialOrder,
    DeletionOrder,
    FullLoadOrder,
    ModeOrder,
    SyncOrder,
    credentials_changed,
    delete_documents,
    request_full_loads,
    set_modes,
    sync_accounts,
)
from bridge.edits.inventory import Imported, ImportOrder, import_inventories
from bridge.edits.inventory_edits import Edited, EditedMeanwhile, EditOrder, edit_inventories
from bridge.edits.listings import ListingImported, ListingOrder, RefreshOrder, import_listings, refresh_documents
from bridge.edits.quarantine import MapOrder, NotQuarantined, map_stations
from bridge.edits.station_keys import (
    Begun,
    LowersProfile,
    ProfileOrder,
    RotationOrder,
    RotationPending,
    begin_rotations,
    drop_rotations,
    set_profiles,
)

__all__ = [
    "Begun",
    "CredentialOrder",
    "DeletionOrder",
    "EditOrder",
    "Edited",
    "EditedMeanwhile",
    "FullLoadOrder",
    "ImportOrder",
    "Imported",
    "ListingImported",
    "ListingOrder",
    "LowersProfile",
    "MapOrder",
    "ModeOrder",
    "NotQuarantined",
    "ProfileOrder",
    "RefreshOrder",
    "RotationOrder",
    "RotationPending",
    "SyncOrder",
    "begin_rotations",
    "credentials_changed",
    "delete_documents",
    "drop_rotations",
    "edit_inventories",
    "import_inventories",
    "import_listings",
    "map_stations",
    "refresh_documents",
    "request_full_loads",
    "set_modes",
    "set_profiles",
    "sync_accounts",
]
