"""A whole local stack, in a process of its own, that no test leaves behind."""

import os
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from infra.local import children
from tests.stack import processes

ROOT = Path(__file__).parents[2]
SETTINGS = """
import os
import functions_framework.aio

@functions_framework.aio.http
async def settings(request):
    return dict(os.environ)
"""

HEARING = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""A program that hears the signals which whoever started the tests (`nohup`, `&`) has muted."""


@dataclass
class Stack:
    """A local stack in a process of its own; everything it starts inherits its mark."""

    process: subprocess.Popen
    port: int
    mark: str
    output: str = ""

    def until_ready(self, printed=None):
        """Itself, once it has printed the first curl."""
        for line in printed or self.process.stdout:
            self.output += line
            if "-d '{}'" in line:
                return self
        raise AssertionError(f"The stack never got ready: {self.output}")

    def get(self, path):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=60)

    def settings(self):
        return self.get("/settings").json()

    def exported(self, variable):
        return re.search(rf"export {variable}=(\S+)", self.output)[1]

    def ended_by(self, how):
        self.process.send_signal(how)
        return self.ended()

    def ended(self):
        self.output += self.process.communicate(timeout=20)[0]
        return self.process.returncode

    def left(self, command=""):
        return processes.marked(self.mark, command)


@pytest.fixture
def functions(tmp_path):
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "settings.py").write_text(SETTINGS)
    return folder


@pytest.fixture
def start(tmp_path, functions):
    """Starts a stack; whatever a test does, nothing of it outlives the test."""
    started = []

    def start(stdout=subprocess.PIPE, **variables):
        mark, port = uuid.uuid4().hex, children.free_port()
        asked = {"PORT": str(port), "SIMULATOR_PORT": str(children.free_port())}
        asked |= {"EVOLUTION_URL": "http://127.0.0.1:1", "EVOLUTION_API_KEY": "of-a-test"}
        usual = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-c", HEARING, "-m", "infra.local.stack"]
        process = subprocess.Popen(
            [*command, "--functions", functions, "--place", tmp_path / "place"],
            cwd=ROOT,
            env=usual | asked | variables | {processes.MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Stack(process, port, mark))
        return started[-1]

    yield start
    for stack in started:
        stack.process.kill()
        stack.process.communicate()
        assert processes.eventually(lambda stack=stack: not stack.left())
