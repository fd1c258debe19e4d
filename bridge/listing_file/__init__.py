"""Read the listing file: TOML, the static data of EVSEs and stations as each hub names it, or every mistake in it.

Never touches the store or a hub. Beside it: `inventory_file`, which says what EVSEs there are. After it:
`store.listings`.

Fields have the names of the hub's own interface, and are checked before a hub could refuse them. What holds for many
EVSEs stands once, under `defaults`.
"""

from bridge.listing_file.model import EvseDataListing, Listing, ListingError, ListingInvalid, StationListing
from bridge.listing_file.parser import parse_listing

__all__ = [
    "EvseDataListing",
    "Listing",
    "ListingError",
    "ListingInvalid",
    "StationListing",
    "parse_listing",
]
