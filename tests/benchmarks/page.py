"""Write the published figures anew: `python -m tests.benchmarks.page`.

`--take` copies what was measured last to infra/docs/performance first; without it the reports
there are shown again. Figures stand between a comment that names this command and `<!-- end -->`,
on the page and in both READMEs: everything else there is written by hand.
"""

import argparse
import json
import re
import shutil
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra import costs, deployment
from tests.benchmarks.report import FOLDER, ROOT, Table, render_table

REPORTS = ROOT / "infra" / "docs" / "performance"
PAGES = (ROOT / "infra" / "docs" / "performance.md", ROOT / "README.md", ROOT / "README.pt-BR.md")
COMMANDS = {"soak": "make soak"}
NOT_YET = "Not measured yet: `{command}`."
BLOCK = re.compile(r"(<!-- python -m tests\.benchmarks\.page, (\S+) -->\n).*?(<!-- end -->)", re.S)

HIGHEST = "Webhooks of six lines, the highest rate that is answered in time, one worker process"
WORDS = {
    "headlines": (
        "* **{rate} webhooks a second** on one worker, of {cores} cores that the database and the"
        " load shared: half of them answered within {p50} ms, 99 % within {p99} ms, and nothing"
        " wrong in the store afterwards. Firestore's client alone, making the same commits:"
        " {client}.",
        "* **A cold start takes {cold} times** as long as that of a bare function with the same"
        " I/O (the median of all {functions} functions; the worst: {worst}).",
        "* **${received} for a million messages** received, ${sent} for a million sent, delivered"
        " and read, in Firestore. As one would otherwise write it: ${otherwise_received} and"
        " ${otherwise_sent}.",
    ),
    "destaques": (
        "* **{rate} webhooks por segundo** em um worker, de {cores} núcleos divididos com o banco"
        " e a carga: metade respondida em até {p50} ms, 99 % em até {p99} ms, e nada errado no"
        " banco depois. Só o cliente do Firestore, com as mesmas gravações: {client}.",
        "* **Uma partida a frio leva {cold} vezes** o tempo de uma função vazia com o mesmo I/O"
        " (mediana das {functions} funções; a pior: {worst}).",
        "* **US$ {received} por milhão de mensagens** recebidas, US$ {sent} por milhão enviadas,"
        " entregues e lidas, no Firestore. Como se costuma escrever: US$ {otherwise_received} e"
        " US$ {otherwise_sent}.",
    ),
}
"""The lines of the READMEs, in English and in Portuguese."""

Report = Mapping[str, Any]


def load_reports(folder: Path = REPORTS) -> dict[str, Report]:
    """Load the reports of a folder by the names of their benchmarks."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def render_page(text: str, reports: Mapping[str, Report]) -> str:
    """Render a text with every block of figures written anew."""

    def render_block(block: re.Match[str]) -> str:
        begin, name, end = block.groups()
        lines = _render_headlines if name in WORDS else _render_report
        return "\n".join([begin.rstrip(), *lines(name, reports), end])

    return BLOCK.sub(render_block, text)


def list_blocks(text: str) -> list[str]:
    """List the names of the blocks in a text."""
    return [name for _, name, _ in BLOCK.findall(text)]


def find_cell(report: Report, title: str, column: str, **cells: Any) -> Any:
    """Return a cell of a table: of the one row that has these cells, named by their columns.

    Underscores in a name stand for blanks, `name` for the first column. Raises KeyError.
    """
    tables = (table for table in report["tables"] if table["title"].startswith(title))
    for table in tables:
        names = ["name", *table["columns"][1:]]
        wanted = {name.replace("_", " "): cell for name, cell in cells.items()}
        for row in (dict(zip(names, row, strict=True)) for row in table["rows"]):
            if wanted.items() <= row.items():
                return row[column]
    raise KeyError(f"{title}: {column} of {cells}")


def take_reports(source: Path, target: Path) -> None:
    """Copy the reports that the page shows: some that were made are of a part (`gates-burst`)."""
    shown = list_blocks(PAGES[0].read_text())
    for report in source.glob("*.json"):
        if report.stem in shown:
            shutil.copy(report, target)


def main() -> None:
    """Take reports over if that is asked for, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--take", action="store_true", help="what was measured last")
    if parser.parse_args().take:
        take_reports(FOLDER, REPORTS)
    for page in PAGES:
        page.write_text(render_page(page.read_text(), load_reports()))


def _render_report(name: str, reports: Mapping[str, Report]) -> Iterator[str]:
    command = COMMANDS.get(name, f"python -m tests.benchmarks {name}")
    if name not in reports:
        yield NOT_YET.format(command=command)
        return
    report, machine = reports[name], reports[name]["machine"]
    settings = [f"{key}={value}" for key, value in report.get("settings", {}).items()]
    command = " ".join([*settings, command])
    yield (
        f"`{command}`, measured on {report['measured_at'][:10]} at commit `{report['commit']}`, on"
        f" {machine['cores']} cores with {machine['memory_gib']} GiB ({machine['system']},"
        f" {machine['architecture']}, Python {machine['python']})."
    )
    for table in report["tables"]:
        yield ""
        yield render_table(Table(**table))
    yield ""


def _render_headlines(name: str, reports: Mapping[str, Report]) -> Iterator[str]:
    if not {"intake", "cold"} <= reports.keys():
        yield NOT_YET.format(command="make bench")
        return
    figures = _list_figures(reports)
    for line in WORDS[name]:
        shown = line.format(**figures)
        yield (
            re.sub(r"(?<=[0-9])[.,](?=[0-9])", _swap_marks, shown) if name == "destaques" else shown
        )


def _swap_marks(mark: re.Match[str]) -> str:
    """Swap the marks of a number: 1,234.5 is 1.234,5 in Portuguese."""
    return {".": ",", ",": "."}[mark[0]]


def _list_figures(reports: Mapping[str, Report]) -> dict[str, Any]:
    intake, (starts, *_) = reports["intake"], reports["cold"]["tables"]

    def find_highest(name: str, column: str) -> Any:
        return find_cell(intake, HIGHEST, column, name=name, added_ms=0)

    functions = deployment.load_function_map().functions
    ratio = starts["columns"].index("× bare")
    ratios = [row[ratio] for row in starts["rows"] if row[0] in functions]
    received, sent = costs.COMPARED[:2]
    assert find_highest("Perene", "wrong in the store") == "nothing"
    return {
        "rate": f"{find_highest('Perene', 'webhooks/s'):,.0f}",
        "p50": f"{find_highest('Perene', 'p50 ms'):.0f}",
        "p99": f"{find_highest('Perene', 'p99 ms'):.0f}",
        "client": f"{find_highest('client alone', 'webhooks/s'):,.0f}",
        "cores": intake["machine"]["cores"],
        "cold": f"{statistics.median(ratios):.2f}",
        "worst": f"{max(ratios):.2f}",
        "functions": len(ratios),
        "received": f"{costs.REGIONAL.price(received.operations):.2f}",
        "sent": f"{costs.REGIONAL.price(sent.operations):.2f}",
        "otherwise_received": f"{costs.REGIONAL.price(received.naive):.2f}",
        "otherwise_sent": f"{costs.REGIONAL.price(sent.naive):.2f}",
    }


if __name__ == "__main__":
    main()
