"""What infra/terraform says; and what it comes to, computed by Terraform without a provider.

Without the provider Terraform can't plan a resource, but it can compute every expression in one:
each resource becomes an output that holds its attributes, and what only the cloud knows
(`google_x.y.id`) stands there as a text.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
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
    """Terraform wants none of it; the message says why."""


def parsed() -> list[Block]:
    """Every file."""
    return [hcl2.loads(file.read_text()) for file in FILES]


def resources(kind: str | None = None) -> list[Resource]:
    """Those of a kind, or all."""
    return [
        Resource(_bare(of), _bare(name), body)
        for file in parsed()
        for each in file.get("resource", ())
        for of, named in each.items()
        for name, body in named.items()
        if kind in (None, _bare(of))
    ]


def variables() -> dict[str, Block]:
    """Every variable by its name."""
    return dict(_blocks("variable"))


def _blocks(kind: str) -> Iterator[tuple[str, Block]]:
    for file in parsed():
        for each in file.get(kind, ()):
            for name, body in each.items():
                yield _bare(name), body


def example() -> dict[str, Any]:
    """terraform.tfvars.example."""
    return {name: _plain(value) for name, value in hcl2.loads(EXAMPLE.read_text()).items()}


def computed(
    given: Mapping[str, Any] | None = None, functions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What each resource comes to, by `kind.name` and then by its key (`""` if it has none); and
    by `output.name` each output that needs none of them.

    With `functions` in the place of infra/functions.json.

    Raises Refused, if the variables aren't valid or an expression isn't.
    """
    with TemporaryDirectory() as place:
        folder = Path(place) / "infra" / "terraform"
        folder.mkdir(parents=True)
        (folder.parent.parent / "dist").mkdir()
        (folder.parent.parent / "dist" / "perene.zip").write_bytes(b"")
        for name in READ:
            shutil.copy(INFRA / name, folder.parent)
        if functions:
            (folder.parent / "functions.json").write_text(json.dumps(functions))
        shutil.copy(INFRA / "terraform" / "variables.tf", folder)
        (folder / "given.tfvars.json").write_text(json.dumps(given or example()))
        (folder / "computed.tf").write_text("\n".join([*_locals(), *_outputs()]))
        _run(folder, "init", "-input=false")
        _run(folder, "apply", "-auto-approve", "-input=false", "-var-file=given.tfvars.json")
        outputs = json.loads(_run(folder, "output", "-json"))
    return {name.replace("--", "."): each["value"] for name, each in outputs.items()}


def _run(folder: Path, *asked: str) -> str:
    assert PROGRAM
    ran = subprocess.run(
        [PROGRAM, *asked, "-no-color"], cwd=folder, capture_output=True, text=True, timeout=120
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
            each = f"[for key, value in {_expression(many)} : {_PAIR}]"
            value = f"{{for each in {each} : each.key => {_object(body)}}}"
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
            each = f"[for key, value in {_expression(block['for_each'])} : {_PAIR}]"
            dynamics.setdefault(bare, []).append(f"[for {bare} in {each} : {_object(content)}]")
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
        return WHOLE.sub("{}", REFERENCE.sub(_standing, inside))
    return json.dumps(value)


def _standing(found: re.Match[str]) -> str:
    """What the cloud will know, as a text that says which."""
    if found[1] == "google_project.this":
        return '"1234567890"'
    key = found[2].strip("[]")
    where = f"{found[1]}[%s].{found[3]}" if key else f"{found[1]}.{found[3]}"
    return f'format("<{where}>", {key})' if key else f'"<{where}>"'


def _key(name: str) -> str:
    return name if name.startswith('"') else f'"{name}"'


def _bare(name: str) -> str:
    return name.strip('"')


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            _bare(name): _plain(each) for name, each in value.items() if not name.startswith("__")
        }
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return _bare(value) if isinstance(value, str) else value
