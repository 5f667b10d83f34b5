"""Read invitations, and packs of stickers."""

from urllib.parse import quote

from shared.domain.content import Content, Kind
from shared.domain.content.invites import Invite, InviteContent, InviteTarget
from shared.domain.content.sticker_packs import StickerPack, StickerPackContent
from shared.evolution import json_values
from shared.evolution.contents.fields import Fields, first_text, read_enum, read_objects

_GROUPS = ("DEFAULT", "PARENT")


def read_group_invite(value: Fields) -> Content:
    """Read `groupInviteMessage`."""
    is_community = read_enum(value.get("groupType"), _GROUPS) == "PARENT"
    code = first_text(value, "inviteCode")
    invite = Invite(
        target=InviteTarget.COMMUNITY if is_community else InviteTarget.GROUP,
        name=first_text(value, "groupName"),
        link=f"https://chat.whatsapp.com/{quote(code, safe='')}" if code else None,
        expires_at=json_values.read_millis(value.get("inviteExpiration")),
        id=first_text(value, "groupJid"),
    )
    return InviteContent(kind=Kind.INVITE, text=first_text(value, "caption"), invite=invite)


def read_admin_invite(value: Fields) -> Content:
    """Read `newsletterAdminInviteMessage`."""
    return _read_channel(value, InviteTarget.CHANNEL_ADMIN)


def read_channel_invite(value: Fields) -> Content:
    """Read `newsletterFollowerInviteMessageV2`."""
    return _read_channel(value, InviteTarget.CHANNEL)


def read_sticker_pack(value: Fields) -> Content:
    """Read `stickerPackMessage`."""
    pack = StickerPack(
        name=first_text(value, "name"),
        publisher=first_text(value, "publisher"),
        description=first_text(value, "packDescription"),
        count=len(read_objects(value.get("stickers"))) or None,
    )
    return StickerPackContent(kind=Kind.STICKER_PACK, text=first_text(value, "caption"), pack=pack)


def _read_channel(value: Fields, target: InviteTarget) -> Content:
    invite = Invite(
        target=target,
        name=first_text(value, "newsletterName"),
        expires_at=json_values.read_millis(value.get("inviteExpiration")),
        id=first_text(value, "newsletterJid"),
    )
    return InviteContent(kind=Kind.INVITE, text=first_text(value, "caption"), invite=invite)
