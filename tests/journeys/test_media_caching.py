"""A browser that keeps a file doesn't show it to the next person who signs in there."""

import base64

from tests.perene import Perene

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()


async def test_cached_file_needs_its_token(on_2: Perene):
    name = await on_2.pair()
    message = await on_2.evolution.receive_media(name, "5511988887777", "image", PIXEL)
    await on_2.evolution.drain()
    (conversation,) = (await on_2.call("GET", "/conversations")).json()["conversations"]
    path = f"/conversations/{conversation['id']}/messages/{message}/media"

    answer = await on_2.call("GET", path)
    from_a_page = await on_2.call("GET", path, headers={"origin": "https://app.test"})

    assert answer.status_code == 200
    assert "Authorization" in answer.headers["vary"]
    assert "Authorization" in from_a_page.headers["vary"]
