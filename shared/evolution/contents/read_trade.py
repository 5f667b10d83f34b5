"""Read what is bought and paid: products, orders, payments."""

from typing import Any

from shared.domain.content import Content, Kind
from shared.domain.content.media_files import Media
from shared.domain.content.trade import (
    Item,
    Order,
    OrderContent,
    Payment,
    PaymentContent,
    PaymentState,
    PixKey,
    Product,
    ProductContent,
)
from shared.evolution import json_values
from shared.evolution.contents.fields import (
    Fields,
    find,
    first_text,
    read_amount,
    read_enum,
    read_label,
    read_object,
    read_objects,
    read_thousandths,
)
from shared.evolution.contents.read_files import find_media
from shared.evolution.json_values import read_text

_ORDER_STATES = ("UNKNOWN", "INQUIRY", "ACCEPTED", "DECLINED")
_MONEY_FIELDS = ("payment_settings", "order", "total_amount", "payment_configuration")


def read_product(value: Fields) -> Content:
    """Read `productMessage`."""
    fields, currency = read_object(value.get("product")), find(value, "product", "currencyCode")
    product = Product(
        title=first_text(fields, "title"),
        description=first_text(fields, "description"),
        price=read_thousandths(fields.get("priceAmount1000"), currency),
        sale_price=read_thousandths(fields.get("salePriceAmount1000"), currency),
        url=first_text(fields, "url"),
        id=read_label(fields.get("productId")),
        retailer_id=read_label(fields.get("retailerId")),
        catalog=read_text(find(value, "catalog", "title")),
        footer=first_text(value, "footer"),
    )
    text, media = first_text(value, "body"), find_media(fields)
    return ProductContent(kind=Kind.PRODUCT, text=text, media=media, product=product)


def read_order(value: Fields) -> Content:
    """Read `orderMessage`: a cart, whose items only the seller's catalogue knows."""
    status = read_enum(value.get("status"), _ORDER_STATES)
    order = Order(
        title=first_text(value, "orderTitle"),
        item_count=json_values.read_count(value.get("itemCount")),
        total=read_thousandths(value.get("totalAmount1000"), value.get("totalCurrencyCode")),
        status=status.lower() if status else None,
        id=read_label(value.get("orderId")),
    )
    return OrderContent(kind=Kind.ORDER, text=first_text(value, "message"), order=order)


def asks_for_money(fields: Fields) -> bool:
    """Tell whether the parameters of a native flow hold an order, or how to pay."""
    return any(isinstance(fields.get(name), list | dict) for name in _MONEY_FIELDS)


def read_asked(fields: Fields, text: str | None, media: Media | None) -> Content:
    """Read the order or the payment in the parameters of a native flow.

    Without an item or an amount it only says how to pay: placeholders stand for the rest.
    """
    asked, currency = read_object(fields.get("order")), fields.get("currency")
    order = Order(
        items=tuple(_read_items(asked.get("items"), currency)),
        subtotal=read_amount(asked.get("subtotal"), currency),
        shipping=read_amount(asked.get("shipping"), currency),
        discount=read_amount(asked.get("discount"), currency),
        tax=read_amount(asked.get("tax"), currency),
        total=read_amount(fields.get("total_amount"), currency),
        note=first_text(asked, "description") or first_text(fields, "additional_note"),
        status=first_text(asked, "status"),
        id=read_label(asked.get("order_id")),
        reference=read_label(fields.get("reference_id")),
    )
    payment = _read_payment(fields)
    is_update = payment is None and bool(order.status)
    if order.items or order.total or order.subtotal or is_update:
        return OrderContent(kind=Kind.ORDER, text=text, media=media, order=order, payment=payment)
    bare = payment or Payment()
    note = text or order.note
    return PaymentContent(kind=Kind.PAYMENT, text=note, media=media, payment=bare)


def read_request(value: Fields) -> Content:
    """Read `requestPaymentMessage`."""
    amount = read_amount(value.get("amount"), None) or read_thousandths(
        value.get("amount1000"), value.get("currencyCodeIso4217")
    )
    expires_at = json_values.read_millis(value.get("expiryTimestamp"))
    payment = Payment(state=PaymentState.REQUESTED, amount=amount, expires_at=expires_at)
    return PaymentContent(kind=Kind.PAYMENT, text=_read_note(value), payment=payment)


def read_sent(value: Fields) -> Content:
    """Read `sendPaymentMessage`."""
    payment = Payment(state=PaymentState.SENT)
    return PaymentContent(kind=Kind.PAYMENT, text=_read_note(value), payment=payment)


def read_declined(value: Fields) -> Content:
    """Read `declinePaymentRequestMessage`."""
    return PaymentContent(kind=Kind.PAYMENT, payment=Payment(state=PaymentState.DECLINED))


def read_cancelled(value: Fields) -> Content:
    """Read `cancelPaymentRequestMessage`."""
    return PaymentContent(kind=Kind.PAYMENT, payment=Payment(state=PaymentState.CANCELLED))


def read_payment_invite(value: Fields) -> Content:
    """Read `paymentInviteMessage`."""
    expires_at = json_values.read_millis(value.get("expiryTimestamp"))
    payment = Payment(state=PaymentState.INVITED, expires_at=expires_at)
    return PaymentContent(kind=Kind.PAYMENT, payment=payment)


def read_invoice(value: Fields) -> Content:
    """Read `invoiceMessage`."""
    payment = Payment(state=PaymentState.INVOICED)
    return PaymentContent(kind=Kind.PAYMENT, text=first_text(value, "note"), payment=payment)


def read_chosen(fields: Fields) -> Content:
    """Read how a person will pay, from the answer to a native flow."""
    payment = Payment(
        state=PaymentState.CHOSEN,
        method=first_text(fields, "payment_method", "payment_type"),
        reference=read_label(fields.get("reference_id")),
    )
    return PaymentContent(kind=Kind.PAYMENT, payment=payment)


def _read_items(value: Any, currency: Any) -> list[Item]:
    return [
        Item(
            title=title,
            quantity=json_values.read_count(row.get("quantity")),
            price=read_amount(row.get("sale_amount"), currency)
            or read_amount(row.get("amount"), currency),
            id=read_label(row.get("retailer_id")) or read_label(row.get("product_id")),
        )
        for row in read_objects(value)
        if (title := first_text(row, "name", "title"))
    ]


def _read_payment(fields: Fields) -> Payment | None:
    """Read how to pay: of each way that is offered, what a person needs for it."""
    ways: Fields = {}
    for setting in read_objects(fields.get("payment_settings")):
        ways |= {name: way for name, way in setting.items() if isinstance(way, dict)}
    pix = next((_read_pix(way) for name, way in ways.items() if name.startswith("pix")), None)
    link, boleto = _first_of(ways, "uri", "url"), _first_of(ways, "digitable_line")
    if not (pix or link or boleto):
        return None
    reference = read_label(fields.get("reference_id"))
    return Payment(pix=pix, link=link, boleto=boleto, reference=reference)


def _read_pix(way: Fields) -> PixKey | None:
    key, code = first_text(way, "key"), first_text(way, "code")
    if not (key or code):
        return None
    kind = first_text(way, "key_type")
    payee = first_text(way, "merchant_name")
    return PixKey(key=key or "", type=kind.lower() if kind else None, payee=payee, copies=code)


def _first_of(ways: Fields, *names: str) -> str | None:
    return next((text for way in ways.values() if (text := first_text(way, *names))), None)


def _read_note(value: Fields) -> str | None:
    note = read_object(value.get("noteMessage"))
    return first_text(note, "conversation") or read_text(find(note, "extendedTextMessage", "text"))
