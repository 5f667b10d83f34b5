"""Hold what is bought and paid: products, orders, payments, Pix keys."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Code, Kind, MaybeCode, Piece
from shared.domain.content.media_files import MaybeMedia

ZERO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"}
    | {"VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose minor unit isn't a hundredth (ISO 4217)."""


class Money(Piece):
    """An amount in the currency's minor unit (ISO 4217): 1990 BRL are R$ 19.90."""

    amount: int
    currency: Code


def money(value: int, units: int, currency: str) -> Money:
    """Build an amount from a value of which `units` make one whole of the currency."""
    decimals = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    minor, half = value * 10**decimals, units // 2
    return Money(amount=(minor + half) // units, currency=currency)


class Product(Piece):
    """A product of a catalogue."""

    title: str | None = None
    description: str | None = None
    price: Money | None = None
    sale_price: Money | None = None
    url: str | None = None
    id: MaybeCode = None
    retailer_id: MaybeCode = None
    catalog: str | None = None
    footer: str | None = None


class Item(Piece):
    """So many of a product; `price` is that of one."""

    title: str
    quantity: int | None = None
    price: Money | None = None
    id: MaybeCode = None


class Order(Piece):
    """What is ordered. `status` is upstream's word for how far it is."""

    title: str | None = None
    items: tuple[Item, ...] = ()
    item_count: int | None = None
    subtotal: Money | None = None
    shipping: Money | None = None
    discount: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    note: str | None = None
    status: MaybeCode = None
    id: MaybeCode = None
    reference: str | None = None


class PixKey(Piece):
    """A Pix key, of which type (`email`, `cpf`, `cnpj`, `phone`, `evp`), and whose it is."""

    key: str = ""
    type: MaybeCode = None
    payee: str | None = None
    copies: str | None = None
    """The text to copy and pay with (Pix "copia e cola")."""


class PaymentState(StrEnum):
    """What a message says about a payment."""

    OFFERED = "offered"
    """How one can pay."""
    REQUESTED = "requested"
    SENT = "sent"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CHOSEN = "chosen"
    """How a person will pay."""
    INVITED = "invited"
    INVOICED = "invoiced"


class Payment(Piece):
    """A payment, or how to pay: by a Pix key, a link or a boleto."""

    state: PaymentState = PaymentState.OFFERED
    amount: Money | None = None
    pix: PixKey | None = None
    link: str | None = None
    boleto: str | None = None
    method: str | None = None
    reference: str | None = None
    expires_at: int | None = None


class ProductContent(BaseContent):
    """A product; `text` is what the sender wrote about it."""

    kind: Literal[Kind.PRODUCT]
    media: MaybeMedia = None
    product: Product | None = None


class OrderContent(BaseContent):
    """An order, and how to pay it if it says so."""

    kind: Literal[Kind.ORDER]
    media: MaybeMedia = None
    order: Order | None = None
    payment: Payment | None = None


class PaymentContent(BaseContent):
    """A payment; `text` is the note with it."""

    kind: Literal[Kind.PAYMENT]
    media: MaybeMedia = None
    payment: Payment | None = None
