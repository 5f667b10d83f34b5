"""Serve a simulated Evolution server as a process of its own."""

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


class GracefulServer(uvicorn.Server):
    """A server that shuts down and exits with 0 on SIGTERM and SIGINT."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def main() -> None:
    """Serve on the loopback interface until a signal stops it."""
    asyncio.run(_serve(_parse_arguments()))


async def _serve(options: argparse.Namespace) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=100)) as client:
        simulator = Simulator(
            api_key=options.api_key,
            version=options.version,
            quick=options.quick,
            deliver=client,
            fetch=client,
            data=options.data,
            save_at_crash=options.save_at_crash,
            seed=options.seed,
            server_url=f"http://127.0.0.1:{options.port}",
            timezone_offset_hours=options.timezone_offset_hours,
            licensed=not options.unlicensed,
        )
        config = uvicorn.Config(
            simulator.app,
            host="127.0.0.1",
            port=options.port,
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=IDLE_SECONDS,
        )
        await GracefulServer(config).serve()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--version", default="2.3.6", help="1.8.2, 2.3.6, 2.3.7 or 2.4.0")
    unlicensed = "2.4 without an activated licence: 503 LICENSE_REQUIRED"
    parser.add_argument("--unlicensed", action="store_true", help=unlicensed)
    parser.add_argument("--data", type=Path, help="a folder in which the state survives a restart")
    parser.add_argument("--save-at-crash", action="store_true", help="and not on every change")
    parser.add_argument("--quick", action="store_true", help="none of the measured delays")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timezone-offset-hours", type=float, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
