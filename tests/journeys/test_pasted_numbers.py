"""A number that was pasted from anywhere reaches the person who has it."""

from tests.journeys.test_sending import OWN, said, send, talk
from tests.perene import Perene


async def test_pasted_number_reaches_its_person(on_2: Perene):
    await on_2.pair(number=OWN)
    pasted = ["\u202a+55 11 91111\u20110020\u202c", "tel:+55-11-91111-0023", "(11) 91111-0024",
              "005511911110025", "+44 (0)20 7946 0026"]  # fmt: skip

    for number in pasted:
        assert (await send(on_2, to=number, text="oi")).status_code == 201

    assert [to for _, to, _ in said(on_2)] == [
        "5511911110020", "5511911110023", "5511911110024", "5511911110025", "442079460026",
    ]  # fmt: skip


async def test_landline_is_answered_and_written_to(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2, "aqui é da loja", "553133180028")

    answer = await send(on_2, conversation=conversation, text="ok")
    other = await send(on_2, to="+55 31 3318-0029", text="oi")

    assert (answer.status_code, other.status_code) == (201, 201)
    assert [to for _, to, _ in said(on_2)] == ["553133180028", "553133180029"]


async def test_number_with_extension_is_refused(on_2: Perene):
    await on_2.pair(number=OWN)

    answer = await send(on_2, to="+55 11 91111-0020 ramal 3", text="oi")

    assert (answer.status_code, said(on_2)) == (422, [])
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "to"
    assert "extension" in fault["message"]


async def test_numbers_are_read_by_region(on_2: Perene):
    await on_2.pair(number=OWN)
    on_2.set(DEFAULT_REGION="PT")

    await send(on_2, to="912 345 678", text="olá")

    assert [to for _, to, _ in said(on_2)] == ["351912345678"]
