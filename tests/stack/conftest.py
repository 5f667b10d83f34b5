"""Start a whole local stack in a process of its own, and end it after the test."""

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
PATIENCE = 120
"""Seconds after which a stack that does not end hangs."""

SETTINGS = """
import os
import functions_framework.aio

@functions_framework.aio.http
async def settings(request):
    return dict(os.environ)
"""

WITH_DEFAULT_SIGNALS = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""A program that restores the signals which the tests' parent (`nohup`, `&`) may ignore."""


@dataclass
class Stack:
    """A local stack in a process of its own; all its processes inherit its mark."""

    process: subprocess.Popen
    port: int
    mark: str
    output: str = ""

    def wait_until_ready(self, printed=None):
        """Wait until the stack has printed the first curl, and return it."""
        for line in printed or self.process.stdout:
            self.output += line
            if "-d '{}'" in line:
                return self
        raise AssertionError(f"The stack never got ready: {self.output}")

    def get(self, path):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, timeout=60)

    def settings(self):
        return self.get("/settings").json()

    def read_export(self, variable):
        return re.search(rf"export {variable}=(\S+)", self.output)[1]

    def stop_with(self, number):
        self.process.send_signal(number)
        return self.wait_for_end()

    def wait_for_end(self):
        self.output += self.process.communicate(timeout=PATIENCE)[0]
        return self.process.returncode

    def list_processes(self, command=""):
        return processes.list_marked(self.mark, command)


@pytest.fixture
def functions(tmp_path):
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "settings.py").write_text(SETTINGS)
    return folder


@pytest.fixture
def start(tmp_path, functions):
    """Return a function that starts a stack; end every stack after the test."""
    stacks = []

    def start(stdout=subprocess.PIPE, **variables):
        mark, port = uuid.uuid4().hex, children.find_free_port()
        settings = {"PORT": str(port), "SIMULATOR_PORT": str(children.find_free_port())}
        settings |= {"EVOLUTION_URL": "http://127.0.0.1:1", "EVOLUTION_API_KEY": "of-a-test"}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [sys.executable, "-c", WITH_DEFAULT_SIGNALS, "-m", "infra.local.stack"]
        process = subprocess.Popen(
            [*command, "--functions", functions, "--place", tmp_path / "place"],
            cwd=ROOT,
            env=inherited | settings | variables | {processes.MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stacks.append(Stack(process, port, mark))
        return stacks[-1]

    yield start
    for stack in stacks:
        stack.process.kill()
        stack.process.communicate()
        assert processes.wait_until(lambda stack=stack: not stack.list_processes())
