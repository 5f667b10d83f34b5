"""What posts to tenants' addresses reach, and what they never reach."""

import asyncio
import ipaddress
import socket
import threading
from datetime import UTC, datetime
from typing import Any

import httpcore
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared import config
from shared.outbound import endpoint_addresses, sender, signatures
from tests.perene import Perene
from tests.receiver import Receiver

PUBLIC = ("8.8.8.8", "2606:4700::1111", "1.1.1.1")
FORBIDDEN = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "198.18.0.1",
    "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1",
    "64:ff9b:1::1", "fc00::1", "fd20:ce::254", "fe80::1", "ff02::1", "2001:db8::1",
    "2002:a00:1::1", "2001:0:a00:1::1", "fec0::1",
)  # fmt: skip


@pytest.fixture
def names(mocker: Any) -> dict[str, list[list[str]]]:
    """Answers of the name server: for each name, one list of addresses for each look-up."""
    answers: dict[str, list[list[str]]] = {}

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        queue = answers.get(host, [[host]])
        addresses = queue.pop(0) if len(queue) > 1 else queue[0]
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in addresses]

    mocker.patch("socket.getaddrinfo", look_up)
    return answers


@pytest.fixture
def connected(mocker: Any) -> list[str]:
    """The addresses to which a connection was made."""
    addresses: list[str] = []

    async def connect(_: Any, host: str, port: int, **__: Any) -> httpcore.AsyncNetworkStream:
        addresses.append(host)
        raise httpcore.ConnectError

    mocker.patch.object(httpcore.AnyIOBackend, "connect_tcp", connect)
    return addresses


def test_only_public_addresses_are_public():
    allowed = {
        address
        for address in FORBIDDEN
        if endpoint_addresses.is_public(ipaddress.ip_address(address))
    }

    assert allowed == set()
    assert all(endpoint_addresses.is_public(ipaddress.ip_address(address)) for address in PUBLIC)


async def test_names_of_private_addresses_are_never_connected_to(perene, names, connected):
    for address in FORBIDDEN:
        names["evil.example"] = [[address], ["8.8.8.8", address]]
        for _ in range(2):
            answer = await sender.post("https://evil.example/", b"{}", {})
            assert answer.failure == "address_refused", address

    assert connected == []


async def test_connection_goes_to_the_checked_address(perene, names, connected):
    names["rebinding.example"] = [["8.8.8.8"], ["127.0.0.1"]]

    first = await sender.post("https://rebinding.example/", b"{}", {})
    second = await sender.post("https://rebinding.example/", b"{}", {})

    assert (first.failure, second.failure) == ("unreachable", "address_refused")
    assert connected == ["8.8.8.8"]


async def test_setting_of_local_stack_allows_loopback_only(perene: Perene, names, connected):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    names["lan.example"] = [["192.168.1.1"]]

    assert (await sender.post("https://lan.example/", b"{}", {})).failure == "address_refused"
    assert (await sender.post("http://127.0.0.1:1/", b"{}", {})).failure == "unreachable"
    assert connected == ["127.0.0.1"]


def test_unusable_urls_are_explained(perene: Perene):
    unusable = (
        "", "no url", "http://a.example/", "ftp://a.example/", "https://localhost/",
        "https://127.0.0.1/", "https://[::1]/", "https://a:b@c.example/", "https://intern/",
        "https://a.internal/", "https://2130706433/", "https://a.example/" + "x" * 2048,
        "https://a.example/#part", "https://169.254.169.254/computeMetadata/", "//a.example",
        "https://a.example:65536/", "https://a.example:-1/", "https://a.example:x/",
        "https://xn--.example/", "https://\ud800.example/", "https://127。0。0。1/", "https:///x",
    )  # fmt: skip

    assert [url for url in unusable if endpoint_addresses.explain_refusal(url) is None] == []
    for url in ("https://a.example/x?y=1", "https://a.example:8443/", "https://8.8.8.8/"):
        assert endpoint_addresses.explain_refusal(url) is None


async def test_unusable_url_that_was_stored_is_refused(perene: Perene, names, connected):
    for url in ("", "no url", "ftp://a.example/", "http://a.example/", "https://a.example:x/"):
        assert (await sender.post(url, b"{}", {})).failure == "address_refused", url

    assert connected == []


async def test_names_that_hang_delay_no_other(perene: Perene, mocker):
    """A name server of a stranger's may answer nothing for as long as it likes."""
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    ends, real = threading.Event(), socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "hangs.example":
            return real(host, *args, **kwargs)
        ends.wait(20)
        raise OSError

    mocker.patch("socket.getaddrinfo", look_up)
    async with Receiver() as receiver:
        hanging = (sender.post("https://hangs.example/", b"{}", {}) for _ in range(48))
        waiting = asyncio.gather(*hanging)
        await asyncio.sleep(0)
        try:
            answer = await asyncio.wait_for(sender.post(receiver.url, b"{}", {}), 3)
        finally:
            ends.set()
            await waiting

    assert answer.status == 204


async def test_redirect_is_not_followed(perene: Perene):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    async with Receiver() as receiver:
        receiver.answer = lambda _: f"302 Found\r\nlocation: {receiver.url}"

        answer = await sender.post(receiver.url, b"{}", {})

    assert (answer.status, len(receiver.deliveries)) == (302, 1)


async def test_slow_endpoint_is_left(perene: Perene, mocker):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    mocker.patch.object(sender, "PATIENCE", 0.2)

    async def answer(_: Any) -> str:
        await asyncio.sleep(1)
        return "204 late"

    async with Receiver(answer) as receiver:
        assert (await sender.post(receiver.url, b"{}", {})).failure == "timed_out"


async def test_post_given_up_at_any_turn_leaves_its_place(perene: Perene, mocker):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    mocker.patch.object(sender, "CONNECTIONS", 1)
    async with Receiver() as receiver:
        for turns in range(80):
            post = asyncio.create_task(sender.post(receiver.url, b"{}", {}))
            for _ in range(turns):
                await asyncio.sleep(0)
            post.cancel()
            await asyncio.wait([post])

            assert (await sender.post(receiver.url, b"{}", {})).status == 204


async def test_name_of_many_dead_addresses_keeps_no_place(perene: Perene, names, mocker):
    async def hang(_: Any, host: str, port: int, timeout: float, **__: Any) -> Any:
        if not host.startswith("8."):
            return await connect(_, host, port, timeout)
        await asyncio.sleep(timeout)
        raise httpcore.ConnectTimeout

    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    names["dead.example.com"] = [[f"8.8.8.{number}" for number in range(9)]]
    connect = httpcore.AnyIOBackend.connect_tcp
    mocker.patch.object(httpcore.AnyIOBackend, "connect_tcp", hang)
    mocker.patch.object(sender, "CONNECTIONS", 1)
    mocker.patch.object(sender, "PATIENCE", 0.5)
    async with Receiver() as receiver:
        dead = await sender.post("https://dead.example.com", b"{}", {})

        assert dead.failure == "timed_out"
        assert (await sender.post(receiver.url, b"{}", {})).status == 204


async def test_only_beginning_of_an_answer_is_read(perene: Perene):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    head, endless = b"HTTP/1.1 500 x\r\nretry-after: 7\r\n\r\n", b"y" * 4096

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(endless)
            await asyncio.sleep(0)
            if writer.transport.get_write_buffer_size() > 2**20:
                break

    server = await asyncio.start_server(pour, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    answer = await sender.post(f"http://127.0.0.1:{port}/", b"{}", {})
    server.close()

    assert (answer.status, answer.retry_after, answer.text) == (500, 7, "y" * 1024)


def test_retry_after_is_a_number_or_a_date():
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    meanings = {
        b"120": 120,
        b" 7 ": 7,
        b"Thu, 26 Nov 2026 12:02:00 GMT": 120,
        b"Thursday, 26-Nov-26 12:00:01 GMT": 1,
        b"Thu, 26 Nov 2026 11:00:00 GMT": 0,
        **dict.fromkeys((b"", b"soon", b"-5", b"1.5", b"\xb2", b"Thu, 26 Nov 2026", b"Nov"), None),
        b"Thu, 26 Nov 2026 12:02:00": None,
        b"Thu, 99 Nov 2026 12:02:00 GMT": None,
        b"9" * 10_000: 999_999_999,
    }

    for value, seconds in meanings.items():
        headers = [(b"Date", b"x"), (b"Retry-After", value)]
        assert sender.read_retry_after(headers, now) == seconds, value
    assert sender.read_retry_after([], now) is None


def test_signature_is_what_receivers_verify():
    secrets = signatures.draw_secret(), signatures.draw_secret()
    headers = signatures.build_headers("evt_1", "{é}".encode(), secrets, datetime.now(UTC))

    for secret in secrets:
        Webhook(secret).verify("{é}".encode(), headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(signatures.draw_secret()).verify("{é}".encode(), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(b"{e}", headers)


def test_loopback_is_refused_in_a_deployment(perene: Perene):
    scheduler = {"SCHEDULER_EMAIL": "a@b.test", "SCHEDULER_AUDIENCE": "https://c.test"}
    environment = {**perene.environment(), **scheduler, "ENDPOINTS_ON_LOOPBACK": "true"}

    with pytest.raises(config.ConfigurationError, match="only for the local stack"):
        config.read(environment)
