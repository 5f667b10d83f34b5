"""Read which advertisement led a person to write (click to WhatsApp)."""

from typing import Any

from shared.domain.messages import AdOrigin
from shared.evolution.addresses import Fields
from shared.evolution.contents.fields import find, first_text, read_label, read_object

LONGEST_WORDS = 300
LONGEST_ADDRESS = 1_000
"""Characters, and bytes: the conversation keeps many origins, so each has to be small."""

_SOURCES = frozenset({"ad", "post"})
_ENTRIES = ("ctwa", "ad_", "click_to")


def read_ad_origin(context: Fields) -> AdOrigin | None:
    """Read the advertisement in a `contextInfo`; None for a mere preview of a link."""
    ad, old = read_object(context.get("externalAdReply")), read_object(context.get("quotedAd"))
    if not (_is_ad(context, ad) or old):
        return None
    return AdOrigin(
        type=_cut(first_text(ad, "sourceType")) or "ad",
        source_id=_cut(read_label(ad.get("sourceId"))),
        title=_cut(first_text(ad, "title")),
        body=_cut(first_text(ad, "body") or first_text(old, "caption")),
        url=_address(first_text(ad, "sourceUrl")),
        click_id=_address(first_text(ad, "ctwaClid")),
        thumbnail_url=_address(first_text(ad, "thumbnailUrl", "originalImageUrl", "mediaUrl")),
        app=_cut(first_text(context, "entryPointConversionApp") or first_text(ad, "sourceApp")),
        advertiser=_cut(first_text(old, "advertiserName")),
    )


def _is_ad(context: Fields, ad: Fields) -> bool:
    source = (first_text(ad, "sourceType") or "").lower()
    entry = (first_text(context, "entryPointConversionSource") or "").lower()
    sold = (first_text(context, "conversionSource") or "").lower()
    return (
        source in _SOURCES
        or entry.startswith(_ENTRIES)
        or sold.endswith("_ads")
        or bool(find(ad, "ctwaClid") or (ad.get("sourceId") and ad.get("showAdAttribution")))
    )


def _cut(text: Any) -> str | None:
    return text[:LONGEST_WORDS] if isinstance(text, str) else None


def _address(text: str | None) -> str | None:
    return text if text and len(text.encode()) <= LONGEST_ADDRESS else None
