"""Send requests as they were recorded: routes, bodies, headers, in both dialects."""

import httpx
import pytest

from shared.domain.upstream import Configuration
from shared.evolution.subscription import SETTINGS
from tests.adapters.evolution_wire import KEY, WANTED, an_evolution, exchange, saying
from tests.cases import in_each

pytestmark = pytest.mark.anyio


def recorded(name):
    return exchange(name)["request"]


async def test_create_requests_no_code_or_token():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))

    await evolution.create_instance("wa1", WANTED, "5511999990001")

    assert wire.paths == ["POST /instance/create"]
    assert wire.bodies == [
        {
            "instanceName": "wa1",
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            "number": "5511999990001",
            "rejectCall": False,
            "groupsIgnore": False,
            "alwaysOnline": False,
            "readMessages": False,
            "readStatus": True,
            "syncFullHistory": False,
            "webhook": {
                "enabled": True,
                "url": "https://perene.example/webhook",
                "headers": {"authorization": "Bearer signed"},
                "events": ["MESSAGES_UPSERT", "CONNECTION_UPDATE"],
                "byEvents": False,
                "base64": False,
            },
        }
    ]


async def test_create_uses_only_recorded_fields():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))
    body = recorded("create-evolution-full")["body"]

    await evolution.create_instance("wa1", WANTED, "5511999990001")

    assert wire.bodies[0].keys() <= body.keys() | {"qrcode"}
    assert wire.bodies[0]["webhook"].keys() <= body["webhook"].keys() | {"enabled"}


async def test_create_on_1_8_is_flat():
    request = recorded("v1.create")["body"]
    evolution, wire = an_evolution(saying(201, {"instance": {}}), "1.8.2")
    configuration = Configuration(
        "http://host/hook", {"authorization": "never sent"}, ("MESSAGES_UPSERT",)
    )

    await evolution.create_instance("wa1", configuration, "5511999990001")

    expected = {**request, "qrcode": False, "groups_ignore": False, "read_status": True}
    del expected["token"]
    assert wire.bodies == [expected]


async def test_1_8_subscribes_to_known_events():
    evolution, wire = an_evolution(saying(201, {"instance": {}}), "1.8.2")
    configuration = Configuration(
        "https://x.example", {}, ("MESSAGES_UPSERT", "SEND_MESSAGE_UPDATE")
    )

    await evolution.create_instance("wa1", configuration)

    assert wire.bodies[0]["events"] == ["MESSAGES_UPSERT"]
    assert evolution.fit_configuration(configuration).webhook_events == ("MESSAGES_UPSERT",)


async def test_configuring_sets_webhook_and_all_settings():
    evolution, wire = an_evolution(saying(201, {}))

    await evolution.configure_instance("evo-min", WANTED)

    assert wire.paths == ["POST /webhook/set/evo-min", "POST /settings/set/evo-min"]
    webhook, settings = wire.bodies
    assert settings == SETTINGS
    assert settings.keys() == recorded("settings-set")["body"].keys()
    assert webhook["webhook"].keys() == recorded("webhook-set-ok")["body"]["webhook"].keys()


async def test_configuring_1_8_is_flat():
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.configure_instance(
        "wa1", Configuration("http://host/hook", {}, ("MESSAGES_UPSERT",))
    )

    webhook, settings = wire.bodies
    assert webhook == recorded("v1.webhook-set")["body"]
    assert settings == {
        "reject_call": False,
        "groups_ignore": False,
        "always_online": False,
        "read_messages": False,
        "read_status": True,
        "sync_full_history": False,
    }


@in_each("version", ["2.3.6", "1.8.2"])
async def test_silencing_disables_the_webhook(version):
    evolution, wire = an_evolution(saying(201, {}), version)

    await evolution.silence_instance("wa1")

    webhook = wire.bodies[0].get("webhook", wire.bodies[0])
    assert (webhook["enabled"], webhook["events"]) == (False, [])
    assert webhook["url"].endswith(".invalid")


@in_each(("version", "method"), [("2.3.6", "POST"), ("1.8.2", "PUT")])
async def test_restart_uses_method_of_its_version(version, method):
    evolution, wire = an_evolution(saying(200, {"instance": {"state": "open"}}), version)

    await evolution.restart_instance("wa1")

    assert wire.paths == [f"{method} /instance/restart/wa1"]


@in_each(
    ("version", "state", "restarting"),
    [
        ("2.3.6", "open", True),
        ("2.3.6", "connecting", True),
        ("1.8.2", "open", True),
        ("1.8.2", "connecting", False),
        ("1.8.2", "close", False),
    ],
)
async def test_restart_reports_whether_connected(version, state, restarting):
    evolution, _ = an_evolution(saying(200, {"instance": {"state": state}}), version)

    assert await evolution.restart_instance("wa1") is restarting


async def test_number_asks_connect_for_pairing_code():
    evolution, wire = an_evolution(saying(200, {"count": 0}))

    await evolution.connect_instance("wa-qrlimit", "5511933332222")

    assert wire.paths == [f"GET {recorded('connect-baileys-pairing-code')['path']}"]


async def test_key_is_only_in_the_header():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))

    await evolution.create_instance("wa1", WANTED)
    await evolution.connect_instance("wa1", "5511933332222")

    for request in wire.requests:
        assert request.headers["apikey"] == KEY
        assert KEY not in str(request.url)
        assert KEY not in request.content.decode()


@in_each(
    ("name", "segment"),
    [
        ("instance_a~2fb", "instance_a~2fb"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../x", "..%2Fx"),
        ("a?instanceName=b", "a%3FinstanceName%3Db"),
        ("a#b", "a%23b"),
        ("a%2Fb", "a%252Fb"),
        ("ação ", "a%C3%A7%C3%A3o%20"),
    ],
)
async def test_name_stays_one_segment_of_path(name, segment):
    evolution, wire = an_evolution(saying(200, {"instance": {"state": "open"}}))

    await evolution.find_connection(name)

    assert wire.paths == [f"GET /instance/connectionState/{segment}"]


async def test_server_under_path_is_called_there():
    answer = saying(200, {"instance": {"state": "open"}})
    evolution, wire = an_evolution(answer, url="http://host.test/evo")

    await evolution.find_connection("wa1")

    assert wire.requests[0].url == httpx.URL("http://host.test/evo/instance/connectionState/wa1")


async def test_redirect_is_not_followed():
    redirect = httpx.Response(307, headers={"location": "https://elsewhere.test/"})
    evolution, wire = an_evolution(lambda request: redirect)

    await evolution.create_instance("wa1", WANTED)

    assert len(wire.requests) == 1
