"""Parse infra/terraform, and compute its values with Terraform but without a provider.

Without the provider Terraform can't plan a resource, but it can compute every expression in one:
each resource becomes an output that holds its attributes, and what only the cloud knows
(`google_x.y.id`) stands there as a text.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import hcl2

INFRA = Path(__file__).parent.parent.parent / "infra"
FILES = sorted((INFRA / "terraform").glob("*.tf"))
EXAMPLE = INFRA / "terraform" / "terraform.tfvars.example"
READ = ("functions.json", "settings.json", "firestore.indexes.json", "firestore.rules")
PROGRAM = shutil.which("terraform") or shutil.which("tofu")

META = {"for_each", "count", "depends_on", "lifecycle", "dynamic", "provider"}
_KEY = r"(?:\[[^\[\]]*(?:\[[^\]]*\])?[^\[\]]*\])?"
REFERENCE = re.compile(rf"(?:data\.)?(google_\w+\.\w+)({_KEY})\.(\w+)")
_PAIR = "{key = key, value = value}"
WHOLE = re.compile(r"(?<![\w\"<])google_\w+\.\w+(?![\w\[.])")

Block = dict[str, Any]


class Resource(NamedTuple):
    """A resource as it is written."""

    kind: str
    name: str
    body: Block


class Refused(Exception):
    """Terraform refuses the variables or an expression; the message says why."""


@cache
def parsed() -> list[Block]:
    """Parse every file. Do not change the result: it is cached."""
    return [hcl2.loads(file.read_text()) for file in FILES]


def resources(kind: str | None = None) -> list[Resource]:
    """List the resources of a kind, or all."""
    return [
        Resource(_bare(of), _bare(name), body)
        for file in parsed()
        for block in file.get("resource", ())
        for of, named in block.items()
        for name, body in named.items()
        if kind in (None, _bare(of))
    ]


def variables() -> dict[str, Block]:
    """Return every variable's block by its name."""
    return dict(_blocks("variable"))


def _blocks(kind: str) -> Iterator[tuple[str, Block]]:
    for file in parsed():
        for block in file.get(kind, ()):
            for name, body in block.items():
                yield _bare(name), body


def example() -> dict[str, Any]:
    """Parse terraform.tfvars.example."""
    return {name: _plain(value) for name, value in hcl2.loads(EXAMPLE.read_text()).items()}


def computed(
    given: Mapping[str, Any] | None = None, functions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Compute each resource by `kind.name` and its key (`""` without one), and each output.

    An output is under `output.name`, unless it needs a resource. `functions` replaces
    infra/functions.json. Equal arguments are computed once: do not change the result.

    Raises Refused, if the variables aren't valid or an expression isn't.
    """
    return _computed(json.dumps(given or example()), json.dumps(functions) if functions else None)


@cache
def _computed(variables: str, functions: str | None) -> dict[str, Any]:
    with TemporaryDirectory() as place:
        folder = Path(place) / "infra" / "terraform"
        folder.mkdir(parents=True)
        (folder.parent.parent / "dist").mkdir()
        (folder.parent.parent / "dist" / "perene.zip").write_bytes(b"")
        for name in READ:
            shutil.copy(INFRA / name, folder.parent)
        if functions:
            (folder.parent / "functions.json").write_text(functions)
        shutil.copy(INFRA / "terraform" / "variables.tf", folder)
        (folder / "given.tfvars.json").write_text(variables)
        (folder / "computed.tf").write_text("\n".join([*_locals(), *_outputs()]))
        # Without providers, modules and a backend there is nothing to initialise.
        _run(folder, "apply", "-auto-approve", "-input=false", "-var-file=given.tfvars.json")
        outputs = json.loads(_run(folder, "output", "-json"))
    return {name.replace("--", "."): output["value"] for name, output in outputs.items()}


def _run(folder: Path, *arguments: str) -> str:
    assert PROGRAM
    ran = subprocess.run(
        [PROGRAM, *arguments, "-no-color"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    if ran.returncode:
        raise Refused(ran.stderr)
    return ran.stdout


def _locals() -> Iterator[str]:
    for file in parsed():
        for block in file.get("locals", ()):
            for name, value in block.items():
                if not name.startswith("__"):
                    yield f"locals {{\n {name} = {_expression(value)}\n}}"


def _outputs() -> Iterator[str]:
    for name, body in _blocks("output"):
        if "google_" not in str(body["value"]):
            yield f'output "output--{name}" {{\n value = {_expression(body["value"])}\n}}'
    for kind, name, body in resources():
        many = body.get("for_each")
        if "count" in body:
            many = f"${{toset([for i in range({_expression(body['count'])}) : tostring(i)])}}"
        if many is None:
            value = f'{{"" = {_object(body)}}}'
        else:
            entries = f"[for key, value in {_expression(many)} : {_PAIR}]"
            value = f"{{for each in {entries} : each.key => {_object(body)}}}"
        yield f'output "{kind}--{name}" {{\n value = {value}\n}}'


def _object(body: Block) -> str:
    parts = [
        f"{_key(name)} = {_expression(value)}"
        for name, value in body.items()
        if name not in META and not name.startswith("__")
    ]
    dynamics: dict[str, list[str]] = {}
    for dynamic in body.get("dynamic", ()):
        for name, block in dynamic.items():
            bare, (content,) = _bare(name), block["content"]
            entries = f"[for key, value in {_expression(block['for_each'])} : {_PAIR}]"
            dynamics.setdefault(bare, []).append(f"[for {bare} in {entries} : {_object(content)}]")
    parts += [f"{name} = concat({', '.join(lists)})" for name, lists in dynamics.items()]
    return "{\n" + "\n".join(parts) + "\n}"


def _expression(value: Any) -> str:
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_expression, value))}]"
    if isinstance(value, str):
        whole = re.fullmatch(r"\$\{(.*)\}", value, re.DOTALL)
        inside = whole[1] if whole else value
        return WHOLE.sub("{}", REFERENCE.sub(_stand_in, inside))
    return json.dumps(value)


def _stand_in(match: re.Match[str]) -> str:
    """Replace a value that only the cloud knows by a text that names it."""
    if match[1] == "google_project.this":
        return '"1234567890"'
    key = match[2].strip("[]")
    where = f"{match[1]}[%s].{match[3]}" if key else f"{match[1]}.{match[3]}"
    return f'format("<{where}>", {key})' if key else f'"<{where}>"'


def _key(name: str) -> str:
    return name if name.startswith('"') else f'"{name}"'


def _bare(name: str) -> str:
    return name.strip('"')


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            _bare(name): _plain(item) for name, item in value.items() if not name.startswith("__")
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _bare(value) if isinstance(value, str) else value
