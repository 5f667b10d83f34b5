"""The simulated Evolution server as a process of its own."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import uvicorn

from infra.local.children import IDLE_SECONDS
from infra.local.simulator.simulator import Simulator


class Server(uvicorn.Server):
    """A server that ends well when it is told to stop, instead of dying of the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for told in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(told, self.handle_exit, told, None)
        yield


def main() -> None:
    """Serves on loopback until it is told to stop."""
    asked = _arguments()
    asyncio.run(_serve(asked))


async def _serve(asked: argparse.Namespace) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100)) as client:
        simulator = Simulator(
            api_key=asked.api_key,
            version=asked.version,
            quick=asked.quick,
            deliver=client,
            fetch=client,
            data=asked.data,
            seed=asked.seed,
            server_url=f"http://127.0.0.1:{asked.port}",
            timezone_offset_hours=asked.timezone_offset_hours,
            licensed=not asked.unlicensed,
        )
        config = uvicorn.Config(
            simulator.app,
            host="127.0.0.1",
            port=asked.port,
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=IDLE_SECONDS,
        )
        await Server(config).serve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--version", default="2.3.6", help="1.8.2, 2.3.6, 2.3.7 or 2.4.0")
    unlicensed = "2.4 before anybody activated it: 503 LICENSE_REQUIRED"
    parser.add_argument("--unlicensed", action="store_true", help=unlicensed)
    parser.add_argument("--data", type=Path, help="a folder in which the state survives a restart")
    parser.add_argument("--quick", action="store_true", help="none of the measured delays")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timezone-offset-hours", type=float, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
