"""Read contents with a structure: every word of them stays, and no technical one becomes a word."""

import json
from typing import Any

from shared.domain.content import Kind, preview
from shared.domain.events import EditedOutOfSight, Ignored, Said
from shared.domain.messages import AdOrigin
from shared.domain.positions import second_of
from shared.evolution.contents.message_object import READERS
from tests.adapters import posted
from tests.adapters.posted import AT, GROUP, MARIA, a_key, an_event, upsert
from tests.adapters.posted import read_message as read
from tests.cases import in_each

FILE = {"mimetype": "image/jpeg", "fileLength": 9}
POLL = {"name": "Qual?", "options": [{"optionName": "A"}]}
RESULTS = {"name": "Qual?", "pollVotes": [{"optionName": "A", "optionVoteCount": 3}]}
TARGET = {"id": "3A0", "remoteJid": MARIA}

SAMPLES: dict[str, tuple[dict[str, Any], Kind, tuple[str, ...]]] = {
    "extendedTextMessage": ({"text": "oi"}, Kind.TEXT, ("oi",)),
    "imageMessage": ({**FILE, "caption": "foto"}, Kind.IMAGE, ("foto",)),
    "videoMessage": ({"caption": "filme"}, Kind.VIDEO, ("filme",)),
    "ptvMessage": ({}, Kind.VIDEO, ()),
    "audioMessage": ({"ptt": True}, Kind.VOICE, ()),
    "documentMessage": ({"fileName": "a.pdf", "caption": "leia"}, Kind.DOCUMENT, ("leia",)),
    "stickerMessage": ({}, Kind.STICKER, ()),
    "locationMessage": (
        {"degreesLatitude": 1, "degreesLongitude": 2, "name": "Praça", "address": "Rua X"},
        Kind.LOCATION,
        ("Praça", "Rua X"),
    ),
    "liveLocationMessage": ({"caption": "indo"}, Kind.LIVE_LOCATION, ("indo",)),
    "contactMessage": ({"displayName": "Ana"}, Kind.CONTACTS, ("Ana",)),
    "contactsArrayMessage": ({"contacts": [{"displayName": "Ana"}]}, Kind.CONTACTS, ("Ana",)),
    "pollCreationMessage": (POLL, Kind.POLL, ("Qual?", "A")),
    "pollCreationMessageV2": (POLL, Kind.POLL, ("Qual?", "A")),
    "pollCreationMessageV3": (POLL, Kind.POLL, ("Qual?", "A")),
    "pollCreationMessageV5": (POLL, Kind.POLL, ("Qual?", "A")),
    "pollResultSnapshotMessage": (RESULTS, Kind.POLL, ("Qual?", "A", "A")),
    "pollResultSnapshotMessageV3": (RESULTS, Kind.POLL, ("Qual?", "A", "A")),
    "buttonsMessage": (
        {
            "text": "Cabeça", "contentText": "Corpo", "footerText": "Pé",
            "buttons": [{"buttonId": "id1", "buttonText": {"displayText": "Sim"}}],
        },
        Kind.BUTTONS,
        ("Cabeça", "Corpo", "Pé", "Sim"),
    ),
    "listMessage": (
        {
            "title": "Cardápio", "description": "Escolha", "buttonText": "Ver", "footerText": "Pé",
            "sections": [{"title": "Doces", "rows": [
                {"title": "Bolo", "description": "de milho", "rowId": "r1"}]}],
        },
        Kind.LIST,
        ("Cardápio", "Escolha", "Pé", "Ver", "Doces", "Bolo", "de milho"),
    ),
    "templateMessage": (
        {"hydratedTemplate": {
            "hydratedTitleText": "Cabeça", "hydratedContentText": "Corpo",
            "hydratedFooterText": "Pé",
            "hydratedButtons": [
                {"quickReplyButton": {"displayText": "Sim", "id": "id1"}},
                {"urlButton": {"displayText": "Site", "url": "https://x.example"}},
                {"callButton": {"displayText": "Ligar", "phoneNumber": "+5511"}},
            ],
        }},
        Kind.BUTTONS,
        ("Cabeça", "Corpo", "Pé", "Sim", "Site", "https://x.example", "Ligar", "+5511"),
    ),
    "highlyStructuredMessage": (
        {"elementName": "tpl", "namespace": "ns", "params": ["Ana", "10h"]},
        Kind.BUTTONS,
        ("Ana · 10h",),
    ),
    "interactiveMessage": (
        {
            "header": {"title": "Cabeça"}, "body": {"text": "Corpo"}, "footer": {"text": "Pé"},
            "nativeFlowMessage": {"buttons": [
                {"name": "quick_reply",
                 "buttonParamsJson": '{"display_text": "Sim", "id": "id1"}'},
                {"name": "cta_url",
                 "buttonParamsJson": '{"display_text": "Site", "url": "https://x.example"}'},
                {"name": "cta_copy",
                 "buttonParamsJson": '{"display_text": "Copiar", "copy_code": "CUPOM"}'},
                {"name": "single_select", "buttonParamsJson": json.dumps({
                    "title": "Ver", "sections": [{"title": "Doces", "rows": [
                        {"title": "Bolo", "description": "de milho", "id": "r1"}]}]})},
            ]},
        },
        Kind.LIST,
        ("Cabeça", "Corpo", "Pé", "Sim", "Site", "https://x.example", "Copiar", "CUPOM", "Ver",
         "Doces", "Bolo", "de milho"),
    ),
    "buttonsResponseMessage": (
        {"selectedButtonId": "id1", "selectedDisplayText": "Sim"}, Kind.BUTTON_REPLY, ("Sim",),
    ),
    "templateButtonReplyMessage": (
        {"selectedId": "id1", "selectedDisplayText": "Sim"}, Kind.BUTTON_REPLY, ("Sim",),
    ),
    "listResponseMessage": (
        {"title": "Bolo", "description": "de milho", "singleSelectReply": {"selectedRowId": "r"}},
        Kind.LIST_REPLY,
        ("Bolo", "de milho"),
    ),
    "interactiveResponseMessage": (
        {
            "body": {"text": "Bolo"},
            "nativeFlowResponseMessage": {"name": "menu_options", "paramsJson": '{"id": "r1"}'},
        },
        Kind.BUTTON_REPLY,
        ("Bolo",),
    ),
    "productMessage": (
        {
            "product": {"title": "Bolo", "description": "de milho", "currencyCode": "BRL",
                        "priceAmount1000": {"low": 19900, "high": 0}, "productId": "77"},
            "body": "olha", "footer": "Pé", "catalog": {"title": "Doces"},
        },
        Kind.PRODUCT,
        ("olha", "Bolo", "de milho", "Doces", "Pé"),
    ),
    "orderMessage": (
        {"orderId": "9", "itemCount": 2, "message": "meu pedido", "orderTitle": "Padaria",
         "totalAmount1000": 39800, "totalCurrencyCode": "BRL", "token": "T"},
        Kind.ORDER,
        ("meu pedido", "Padaria"),
    ),
    "requestPaymentMessage": (
        {"noteMessage": {"extendedTextMessage": {"text": "o bolo"}},
         "amount": {"value": 19900, "offset": 1000, "currencyCode": "BRL"}},
        Kind.PAYMENT,
        ("o bolo",),
    ),
    "sendPaymentMessage": (
        {"noteMessage": {"conversation": "pago"}, "requestMessageKey": TARGET},
        Kind.PAYMENT,
        ("pago",),
    ),
    "declinePaymentRequestMessage": ({"key": TARGET}, Kind.PAYMENT, ()),
    "cancelPaymentRequestMessage": ({"key": TARGET}, Kind.PAYMENT, ()),
    "paymentInviteMessage": ({"serviceType": 3}, Kind.PAYMENT, ()),
    "invoiceMessage": ({"note": "nota", "token": "T"}, Kind.PAYMENT, ("nota",)),
    "eventMessage": (
        {"name": "Festa", "description": "na praça", "joinLink": "https://call.example",
         "startTime": AT // 1000, "location": {
             "degreesLatitude": 1, "degreesLongitude": 2, "name": "Praça"}},
        Kind.EVENT,
        ("Festa", "na praça", "https://call.example", "Praça"),
    ),
    "scheduledCallCreationMessage": (
        {"title": "Reunião", "scheduledTimestampMs": str(AT), "callType": "VIDEO"},
        Kind.SCHEDULED_CALL,
        ("Reunião",),
    ),
    "callLogMesssage": ({"callOutcome": "MISSED", "isVideo": True}, Kind.CALL, ()),
    "bcallMessage": ({"caption": "ao vivo", "mediaType": 2}, Kind.CALL, ("ao vivo",)),
    "call": ({"callKey": {"0": 1}}, Kind.CALL, ()),
    "groupInviteMessage": (
        {"groupJid": GROUP, "inviteCode": "CODE", "groupName": "Obra", "caption": "entra"},
        Kind.INVITE,
        ("entra", "Obra", "https://chat.whatsapp.com/CODE"),
    ),
    "newsletterAdminInviteMessage": (
        {"newsletterName": "Canal", "caption": "administre"}, Kind.INVITE, ("administre", "Canal"),
    ),
    "newsletterFollowerInviteMessageV2": (
        {"newsletterName": "Canal", "caption": "siga"}, Kind.INVITE, ("siga", "Canal"),
    ),
    "stickerPackMessage": (
        {"name": "Gatos", "publisher": "Ana", "packDescription": "fofos", "stickers": [{}, {}]},
        Kind.STICKER_PACK,
        ("Gatos", "Ana", "fofos"),
    ),
    "richResponseMessage": (
        {"submessages": [
            {"messageType": 2, "messageText": "Veja"},
            {"codeMetadata": {"codeLanguage": "py", "codeBlocks": [
                {"codeContent": "a = "}, {"codeContent": "1"}]}},
            {"tableMetadata": {"title": "Tabela", "rows": [{"items": ["a", "b"]}]}},
            {"imageMetadata": {"imageText": "um gato", "imageUrl": {"sourceUrl": "https://i"}}},
            {"mapMetadata": {"annotations": [{"title": "Praça", "body": "aberta"}]}},
            {"latexMetadata": {"text": "x²"}},
            {"gridImageMetadata": {"imageUrls": [{"imageHighResUrl": "https://g"}]}},
            {"contentItemsMetadata": {"itemsMetadata": [{"reelItem": {"title": "Vídeo"}}]}},
        ]},
        Kind.RICH_ANSWER,
        ("Veja", "a = 1", "Tabela", "a | b", "um gato", "https://i", "Praça · aberta", "x²",
         "https://g", "Vídeo"),
    ),
    "scheduledCallEditMessage": ({"key": TARGET, "editType": 1}, Kind.NOTICE, ()),
    "requestPhoneNumberMessage": ({}, Kind.NOTICE, ()),
    "pinInChatMessage": ({"key": TARGET, "type": "PIN_FOR_ALL"}, Kind.NOTICE, ()),
    "keepInChatMessage": ({"key": TARGET, "keepType": 1}, Kind.NOTICE, ()),
    "statusStickerInteractionMessage": ({"key": TARGET}, Kind.NOTICE, ()),
    "statusNotificationMessage": ({"originalMessageKey": TARGET}, Kind.NOTICE, ()),
    "statusQuestionAnswerMessage": ({"key": TARGET, "text": "sim"}, Kind.TEXT, ("sim",)),
    "statusQuotedMessage": ({"originalStatusId": TARGET, "text": "sim"}, Kind.TEXT, ("sim",)),
    "questionResponseMessage": ({"key": TARGET, "text": "sim"}, Kind.TEXT, ("sim",)),
}  # fmt: skip

TECHNICAL = ("id1", "r1", "quick_reply", "single_select", "cta_", "menu_options", "tpl", "Sent")


def flow(name: str, body: str | None = None, **parameters: Any) -> dict[str, Any]:
    """Build an answer to a native flow."""
    answer = {"name": name, "paramsJson": json.dumps(parameters)}
    return {"interactiveResponseMessage": {"body": {"text": body}} | {
        "nativeFlowResponseMessage": answer}}  # fmt: skip


def offered(name: str, **parameters: Any) -> dict[str, Any]:
    """Build a native flow with one button."""
    buttons = [{"name": name, "buttonParamsJson": json.dumps(parameters)}]
    return {"interactiveMessage": {"nativeFlowMessage": {"buttons": buttons}}}


def test_every_reader_and_kind_is_sampled():
    read_kinds = {kind for _, kind, _ in SAMPLES.values()}
    others = {Kind.AUDIO, Kind.FORM_REPLY, Kind.WAITING, Kind.UNSUPPORTED}

    assert set(SAMPLES) == set(READERS)
    assert read_kinds | others == set(Kind)


@in_each("name", SAMPLES)
def test_a_content_keeps_its_words(name: str):
    value, kind, words = SAMPLES[name]

    content = read({name: value}).content

    assert (content.kind, content.words()) == (kind, words)
    assert bool(preview(content)) == bool(words)
    assert not [word for word in TECHNICAL if word in " ".join(content.words())]


@in_each("name", SAMPLES)
def test_nonsense_in_any_field_breaks_nothing(name: str):
    for nonsense in (None, 7, "x", [], [7], {}, {"0": 1}):
        value = dict.fromkeys(SAMPLES[name][0], nonsense)
        events = upsert({name: value})
        assert all(isinstance(event, Said | Ignored) for event in events)


def test_file_heading_an_offer_is_read():
    head = {"header": {"imageMessage": FILE, "hasMediaAttachment": True}, "body": {"text": "a"}}
    template = {"hydratedTemplate": {"documentMessage": {"fileName": "a.pdf"}}}

    assert read({"interactiveMessage": head}).media.mimetype == "image/jpeg"
    assert read({"buttonsMessage": {"videoMessage": {"seconds": 3}}}).media.seconds == 3
    assert read({"templateMessage": template}).media.name == "a.pdf"


def test_carousel_cards_keep_their_words():
    card = SAMPLES["interactiveMessage"][0]

    content = read({"interactiveMessage": {"carouselMessage": {"cards": [card, card]}}}).content

    assert [slide.text for slide in content.offer.slides] == ["Corpo", "Corpo"]
    assert [button.label for button in content.offer.slides[0].buttons][-1] == "Bolo"


def test_form_keeps_answers_in_order():
    content = read(
        flow("flow", "Sent", flow_token="t", screen_0_Nota_0="0_Muito_bom", aceito=True, vezes=3)
    ).content

    answers = [(answer.label, answer.value) for answer in content.form.answers]
    assert answers == [("Nota", "Muito bom"), ("aceito", "true"), ("vezes", "3")]
    assert (content.kind, content.text) == (Kind.FORM_REPLY, None)


def test_deep_form_is_read():
    deep = "[" * 450 + "]" * 450
    flow_answer = {"name": "flow", "paramsJson": f'{{"notas": ["9", {deep}]}}'}

    content = read({"interactiveResponseMessage": {"nativeFlowResponseMessage": flow_answer}})

    assert [answer.value for answer in content.content.form.answers] == ["9"]


def test_form_costs_no_more_than_its_size():
    fields = {"x" * 50_000: {f"f{number}": "1" for number in range(2_000)}}

    content = read(flow("flow", **fields)).content

    assert len(content.form.answers) == 2_000
    assert len(content.model_dump_json()) < 1_000_000


def test_an_address_form_is_its_values():
    content = read(flow("address_message", "Enviado", values={"city": "São Paulo", "house": 7}))

    answers = [(answer.name, answer.value) for answer in content.content.form.answers]
    assert answers == [("city", "São Paulo"), ("house", "7")]


@in_each(
    ("name", "body", "parameters", "text", "chosen"),
    [
        ("quick_reply", "Sim", {"id": "a"}, "Sim", "a"),
        ("single_select", "Sim", {"id": "a", "title": "Bolo"}, "Bolo", "a"),
        ("single_select", "single_select", {"id": "a"}, None, "a"),
        ("quick_reply", "a", {"id": "a"}, None, "a"),
        ("menu_options", "Sim", {}, "Sim", None),
    ],
)
def test_choice_reads_as_its_button(name, body, parameters, text, chosen):
    content = read(flow(name, body, **parameters)).content

    assert (content.kind, content.text) == (Kind.BUTTON_REPLY, text)
    assert (content.choice and content.choice.id) == chosen


def test_bare_choice_takes_words_from_offer():
    offer = {"buttonsMessage": SAMPLES["buttonsMessage"][0]}
    context = {"stanzaId": "3A0", "quotedMessage": offer}

    content = read(
        {"buttonsResponseMessage": {"selectedButtonId": "id1", "contextInfo": context}}
    ).content

    assert (content.text, content.choice.id) == ("Sim", "id1")


def test_order_has_items_amounts_and_payment():
    content = read(
        offered(
            "review_and_pay",
            currency="BRL",
            total_amount={"value": 4980, "offset": 100},
            reference_id="R1",
            payment_settings=[
                {"type": "pix_dynamic_code", "pix_dynamic_code": {"code": "0002", "key": "k"}},
                {"type": "payment_link", "payment_link": {"uri": "https://pay.example"}},
                {"type": "boleto", "boleto": {"digitable_line": "0339"}},
            ],
            order={
                "status": "pending",
                "subtotal": {"value": 4980, "offset": 100},
                "items": [
                    {"name": "Bolo", "quantity": 2, "amount": {"value": 2490, "offset": 100}}
                ],
            },
        )
    ).content

    (item,) = content.order.items
    assert (content.kind, item.title, item.quantity, item.price.amount) == (
        Kind.ORDER,
        "Bolo",
        2,
        2490,
    )
    assert (content.order.total.amount, content.order.total.currency) == (4980, "BRL")
    assert (content.payment.pix.copies, content.payment.link, content.payment.boleto) == (
        "0002",
        "https://pay.example",
        "0339",
    )


def test_order_status_is_an_order():
    content = read(offered("order_status", order={"status": "shipped", "description": "a caminho"}))

    assert (content.kind, content.content.order.status) == (Kind.ORDER, "shipped")
    assert preview(content.content) == "a caminho"


def test_payment_method_is_a_payment():
    content = read(flow("payment_method", "Sent", payment_method="pix", reference_id="R1")).content

    assert (content.kind, content.payment.state, content.payment.method) == (
        Kind.PAYMENT,
        "chosen",
        "pix",
    )


def test_comment_quotes_its_message():
    comment = {"message": {"conversation": "boa"}, "targetMessageKey": TARGET}

    message = read({"commentMessage": comment})

    assert (message.text, message.quoted.id) == ("boa", "3A0")


def test_status_reply_is_marked():
    context = {"stanzaId": "3A0", "remoteJid": "status@broadcast", "quotedMessage": {}}
    target = {"id": "3A0", "remoteJid": "status@broadcast"}

    assert read({"extendedTextMessage": {"text": "a", "contextInfo": context}}).in_reply_to_status
    assert read({"statusQuestionAnswerMessage": {"key": target}}).in_reply_to_status
    assert not read().in_reply_to_status


def test_status_mention_is_a_notice():
    order = {"protocolMessage": {"type": "STATUS_MENTION_MESSAGE", "key": TARGET}}

    message = read({"statusMentionMessage": {"message": order}})

    assert (message.kind, message.content.notice.topic) == (Kind.NOTICE, "status_mention")
    assert not message.counts_unread


@in_each(
    ("context", "is_ad"),
    [
        ({"externalAdReply": {"sourceType": "ad", "title": "T"}}, True),
        ({"externalAdReply": {"sourceType": "post"}}, True),
        ({"externalAdReply": {"ctwaClid": "c"}}, True),
        ({"entryPointConversionSource": "ctwa_ad"}, True),
        ({"conversionSource": "FB_Ads"}, True),
        ({"quotedAd": {"advertiserName": "Loja"}}, True),
        ({"externalAdReply": {"title": "A mere link", "sourceUrl": "https://x"}}, False),
        ({"entryPointConversionSource": "global_search_new_chat"}, False),
        ({}, False),
    ],
)
def test_advertisement_differs_from_link_preview(context, is_ad):
    inner = {"extendedTextMessage": {"text": "a", "contextInfo": context}}

    assert isinstance(read(contextInfo=context).origin, AdOrigin) is is_ad
    assert isinstance(read(inner).origin, AdOrigin) is is_ad
    assert read(inner, a_key(fromMe=True)).origin is None


@in_each("stub", [2, "2", "CIPHERTEXT"])
def test_undecrypted_message_is_waiting(stub):
    context = {"messageContextInfo": {"deviceListMetadata": {}}}

    assert read({}, messageStubType=stub).kind is Kind.WAITING
    assert read(context, messageStubType=stub).kind is Kind.WAITING
    assert read(messageStubType=stub).text == "oi"


@in_each(("stub", "video"), [(40, False), ("CALL_MISSED_GROUP_VIDEO", True)])
def test_missed_call_stub_is_a_call(stub, video):
    call = read({}, messageStubType=stub).content.call

    assert (call.outcome, call.video) == ("missed", video)


@in_each(("kind", "is_edit"), [(2, True), ("MESSAGE_EDIT", True), (1, True), (0, False)])
def test_encrypted_edit_names_its_message(kind, is_edit):
    change = {"targetMessageKey": TARGET, "secretEncType": kind}

    (event,) = upsert({"secretEncryptedMessage": change})

    assert isinstance(event, EditedOutOfSight if is_edit else Ignored)
    assert isinstance(upsert({"secretEncryptedMessage": {}})[0], Ignored)


@in_each("noise", ["encReactionMessage", "encCommentMessage", "encEventResponseMessage"])
def test_encrypted_phone_notice_is_ignored(noise: str):
    assert isinstance(upsert({noise: {"targetMessageKey": TARGET}})[0], Ignored)


@in_each(
    ("status", "outcome"),
    [
        ("offer", "ringing"),
        ("ringing", "ringing"),
        ("timeout", "missed"),
        ("terminate", "missed"),
        ("reject", "rejected"),
        ("accept", "answered"),
        ("somethingNew", "ringing"),
    ],
)
def test_call_report_becomes_a_message(status, outcome):
    (event,) = posted.read_events(an_event("call", a_call(status=status)))

    assert (event.message.id, event.message.content.call.outcome) == ("CALL1", outcome)
    assert second_of(event.message.at) == AT


@in_each("status", ["preaccept", "transport", "relaylatency"])
def test_a_step_of_a_call_is_none(status):
    assert posted.read_events(an_event("call", a_call(status=status))) == (
        Ignored("a step of a call"),
    )


def test_group_call_names_its_caller():
    (event,) = posted.read_events(an_event("call", a_call(chatId=GROUP, isGroup=True)))

    assert (event.message.contact.group, event.message.author.key) == (True, "551188887777")


@in_each("change", [{"id": None}, {"from": None, "chatId": None}, {"chatId": "x@call"}])
def test_call_without_contact_is_ignored(change):
    (event,) = posted.read_events(an_event("call", a_call(**change)))

    assert not isinstance(event, Said)


def a_call(**change: Any) -> dict[str, Any]:
    call = {"chatId": MARIA, "from": MARIA, "id": "CALL1", "date": "2026-11-21T23:01:25.000Z"}
    return {**call, "status": "offer", **change}


def an_update(message: Any, **change: Any) -> dict[str, Any]:
    return an_event("messages.update", [{"key": a_key(), "update": {"message": message, **change}}])


def test_an_update_may_bring_the_words():
    (event,) = posted.read_events(an_update({"conversation": "chegou"}))
    (dated,) = posted.read_events(an_update({"conversation": "a"}, messageTimestamp=AT // 1000))

    assert (event.message.id, event.message.text) == ("3A1", "chegou")
    assert second_of(dated.message.at) == AT


def test_an_update_may_bring_an_edit():
    edit = {"editedMessage": {"message": {"conversation": "mudou"}}}

    (event,) = posted.read_events(an_update(edit))

    assert (event.id, event.text, event.by) == ("3A1", "mudou", ("551188887777",))
