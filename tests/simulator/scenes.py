"""Bring the simulator into the states in which the recordings were made."""

from tests.simulator.shapes import recording

OWNER = "5511999990001"
CONTACT = "5511988887777"
MINE = "3EB0D185E700E8211E1E34"
GROUPS = ("120363000000000001@g.us", "120363000000000002@g.us")


async def nothing(sim, call):
    """Leave the server without instances."""


async def evolution(sim, call):
    """Create instances of the EVOLUTION channel, and write to evo1 twice."""
    await _create(call, "create-evolution-full")
    for name in ("create-evolution-minimal", "create-name-case", "create-webhook-bad-url",
                 "create-webhook-bad-event", "create-webhook-enabled-false"):  # fmt: skip
        await _create(call, name)
    for _ in range(2):
        await call.post(
            "/webhook/evolution", json=recording("exchanges", "evolution-inbound-text")[
                "request"]["body"],
        )  # fmt: skip


async def evo_min_has_a_webhook(sim, call):
    await evolution(sim, call)
    await _replay(call, "webhook-set-disabled")


async def evolution_closed(sim, call):
    await evolution(sim, call)
    await call.delete("/instance/logout/evo-badev")


async def evo_min_deleted(sim, call):
    """Delete evo-min, and hold its removal back."""
    await evolution(sim, call)
    sim.faults.turn_on("late_delete", seconds=60)
    await call.delete("/instance/delete/evo-min")


async def stuck(sim, call):
    """Delete an instance whose receiver answers 500 to everything."""
    hook = {"url": "http://receiver/500", "events": ["REMOVE_INSTANCE"]}
    body = {"instanceName": "rt-delstuck", "integration": "EVOLUTION", "webhook": hook}
    await call.post("/instance/create", json=body)
    sim.faults.turn_on("delete_never_finishes")
    await call.delete("/instance/delete/rt-delstuck")


async def victim(sim, call):
    await evolution(sim, call)
    await call.post("/instance/create", json={
        "instanceName": "victim", "integration": "EVOLUTION",
    })  # fmt: skip


async def victim_deleted(sim, call):
    await victim(sim, call)
    await _replay(call, "cross-instance-query-override-delete")
    await sim.drain()


async def never_connected(sim, call):
    await _create(call, "create-baileys-qrcode-false")


async def pending(sim, call):
    """Let wa1 show a code, and wa-qrlimit a code and a pairing code."""
    await _create(call, "create-baileys-qrcode-true")
    await _create(call, "qrlimit-create")


async def unreachable(sim, call):
    """Let WhatsApp give no code."""
    sim.faults.turn_on("no_code")
    await _create(call, "create-baileys-wa-unreachable")


async def limit_reached(sim, call):
    for name in ("wa-qrlimit", "wa-qrl3"):
        await call.post("/instance/create", json={
            "instanceName": name, "integration": "WHATSAPP-BAILEYS", "qrcode": True,
        })  # fmt: skip
        await sim.reach_qr_limit(name)


async def limit_reached_and_connected(sim, call):
    await limit_reached(sim, call)
    await call.get("/instance/connect/wa-qrl3")


async def just_open(sim, call):
    await pending(sim, call)
    await sim.scan("wa1", OWNER, profile=None)


async def busy(sim, call):
    """Let wa1 be open for a while: it has contacts, groups and messages."""
    await evolution(sim, call)
    await just_open(sim, call)
    await exchange_messages(sim)
    await sim.drain()
    await sim.acknowledge("wa1", MINE, "DELIVERY_ACK")


async def stalled(sim, call):
    await busy(sim, call)
    sim.faults.turn_on("lookup_stalls")


async def media_gone(sim, call):
    await busy(sim, call)
    sim.faults.turn_on("media_unreachable")


async def unacknowledged(sim, call):
    await busy(sim, call)
    sim.faults.turn_on("send_unacknowledged")


async def cut_off(sim, call):
    """Let WhatsApp refuse connections, while the database still says open."""
    await busy(sim, call)
    await call.post("/message/sendText/wa1", json={"number": CONTACT, "text": "oi"})
    await sim.drop("wa1", back=False)


async def unpaired(sim, call):
    await busy(sim, call)
    sim.world.rows["wa1"].profile_name = "Maria"
    await sim.unpair("wa1")


async def logged_out(sim, call):
    await busy(sim, call)
    await call.post("/message/sendText/wa1", json={"number": CONTACT, "text": "oi"})
    sim.world.rows["wa1"].profile_name = "Maria"
    await call.delete("/instance/logout/wa1")


async def reopened(sim, call):
    await unpaired(sim, call)
    await call.get("/instance/connect/wa1")
    await sim.scan("wa1", OWNER, profile="Maria")


async def exchange_messages(sim):
    chat = {"remoteJid": f"{CONTACT}@s.whatsapp.net"}
    await sim.receive_message("wa1", {
        "key": chat | {"fromMe": True, "id": MINE}, "message": {"conversation": "olá"},
        "pushName": "Você",
    })  # fmt: skip
    await sim.receive_message("wa1", {
        "key": chat | {"fromMe": True, "id": "3EB0889CC8D1898B484C3E"},
        "message": {"conversation": "olá"},
    })  # fmt: skip
    for group in GROUPS:
        await sim.receive_message("wa1", {
            "key": {"remoteJid": group, "participant": f"{CONTACT}@s.whatsapp.net"},
            "message": {"conversation": "oi grupo"},
        })  # fmt: skip
    await sim.receive("wa1", CONTACT, "oi por lid", lid="111222333444555")
    await sim.receive("wa1", CONTACT, "oi", id="3A000000000000000003")
    await sim.receive_message("wa1", {
        "key": chat | {"id": "3A000000000000000005"},
        "message": recording("webhooks", "messages.upsert.in-image")["request"]["body"]["data"][
            "message"],
    })  # fmt: skip


async def _create(call, name):
    answer = await _replay(call, name)
    assert answer.status_code == 201, answer.text


async def _replay(call, name):
    request = recording("exchanges", name)["request"]
    return await call.request(request["method"], request["path"], json=request["body"])
