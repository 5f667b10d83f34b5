"""The TypeScript client: generated from the document, compiled, and used against the functions."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from infra import openapi
from infra.local import children
from tests import npm
from tests.perene import Perene, token
from tests.serving import HOST, serving

CLIENT = Path("infra/clients/typescript")
CONTACTS = ("5521988887777", "5521988886666")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the client and the document, beside the tools that the client pins."""
    npm.require_npm()
    place = tmp_path_factory.mktemp("client")
    ignored = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(openapi.ROOT / CLIENT, place / CLIENT, ignore=ignored)
    document = place / openapi.DOCUMENT.relative_to(openapi.ROOT)
    document.parent.mkdir(parents=True)
    shutil.copy(openapi.DOCUMENT, document)
    (place / CLIENT / "node_modules").symlink_to(find_tools() / "node_modules")
    return place / CLIENT


def find_tools() -> Path:
    """Return a folder with what the lock file pins; the next run finds it there."""
    lock = openapi.ROOT / CLIENT / "package-lock.json"
    kept = openapi.ROOT / ".local" / "npm" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        for file in (lock, lock.with_name("package.json")):
            shutil.copy(file, fresh)
        npm.install(fresh, "--ignore-scripts")
        fresh.rename(kept)
    return kept


@pytest.fixture(scope="module")
def built(workshop: Path) -> Path:
    """Compile the client, with what the compiler has to refuse."""
    ran = npm.run(workshop, "node_modules/.bin/tsc")
    assert ran.returncode == 0, ran.stdout
    return workshop


def test_document_satisfies_the_linter(workshop: Path):
    ran = npm.run(workshop, "node", "lint.js", "../../../functions/openapi/openapi.json")

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_generated_files_are_up_to_date(workshop: Path):
    kept = read_files(workshop / "src" / "generated")

    ran = npm.run(workshop, "node_modules/.bin/openapi-ts")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert read_files(workshop / "src" / "generated") == kept, "run `make client`"


def test_client_keeps_its_word(built: Path):
    ran = npm.run(built, "node", "--test", "test/client.test.js")

    assert ran.returncode == 0, ran.stdout
    assert "# pass 14" in ran.stdout


async def test_client_connects_sends_and_reads(perene: Perene, built: Path):
    await perene.pair()
    port = children.find_free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PERENE_URL": f"http://{HOST}:{port}",
        "PERENE_TOKEN": token("acme"),
        "PERENE_CONTACTS": ",".join(CONTACTS),
    }

    async with serving(perene.app, port):
        node = await asyncio.create_subprocess_exec(
            "node", "test/journey.js", cwd=built, env=environment, stdout=subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(node.communicate(), 60)

    assert json.loads(output) == {
        "state": "open",
        "sent": ["sent"] * 4,
        "conversations": 2,
        "texts": ["Seu pedido saiu"],
        "events": sorted(CONTACTS),
        "problems": [True, True],
    }
    assert len(perene.evolution.sent_messages()) == 2


def read_files(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*.ts")}
