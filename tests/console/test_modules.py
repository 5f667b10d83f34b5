"""Join the page's modules: each way to import and export, and what is refused."""

import pytest

from shared.console import assets, modules
from tests.cases import in_each

CORE = {"app.js": 'import { a } from "./core.js";\na();\n', "core.js": "export const a = 1;\n"}
BUDGET, FILES = 115_000, 9
"""Bytes, compressed, and files of a first visit: at 400 ms and 50 kB/s it is usable in 4 s."""


def rewrite(text: str) -> modules.Module:
    return modules.parse_module("views/x.js", text)


@in_each(
    ("statement", "code"),
    [
        ('import { a, b as c } from "../y.js";', 'const { a: a, b: c } = $modules["y.js"];'),
        ('import d from "./y.js"', 'const { default: d } = $modules["views/y.js"];'),
        ('import d, { a } from "./y.js"', 'const { default: d, a: a } = $modules["views/y.js"];'),
        ('import * as y from "./y.js";', 'const y = $modules["views/y.js"];'),
        ('import"./y.js";', ""),
        ('var a;import{b as c}from"./y.js";', 'var a;const { b: c } = $modules["views/y.js"];'),
        ("export const a = 1;", "const a = 1;"),
        ("export async function a() {}", "async function a() {}"),
        ("export default function A() {}", "function A() {}"),
        ("export default { a };", "const $default = { a };"),
        ('export { a } from "./y.js";', ""),
        ("// said\n/** of a,\n * b */\nvar a;export{a as b};", "var a;"),
    ],
)
def test_statement_is_rewritten(statement: str, code: str):
    assert rewrite(statement).code == code


def test_exports_are_named():
    module = rewrite('export { a as b, c } from "./y.js";\nexport default class {}\n')

    exports = [('$modules["views/y.js"].a', "b"), ('$modules["views/y.js"].c', "c")]
    assert module.exports == [*exports, ("$default", "default")]
    assert module.imports == ["views/y.js"]


@in_each("text", ["export * from './y.js';", "export let a;", "export const { a } = b;"])
def test_other_ways_are_refused(text: str):
    with pytest.raises(modules.Unjoinable):
        rewrite(text)


def test_circle_is_refused():
    circle = {"app.js": 'import "./a.js";', "a.js": 'import "./b.js";', "b.js": 'import "./a.js";'}

    with pytest.raises(modules.Unjoinable, match=r"a\.js imports b\.js imports a\.js"):
        modules.join("app.js", circle)


def test_module_brings_only_what_is_new():
    own = 'import { a } from "../core.js";\nimport { b } from "./b.js";\nexport const c = a + b;\n'
    joined = modules.join(
        "views/c.js", CORE | {"views/c.js": own, "views/b.js": "export const b = 2;"}
    )

    assert joined.startswith('import { $modules } from "../app.js";')
    assert '$modules["views/b.js"] ??= ' in joined
    assert '$modules["core.js"] ??= ' not in joined
    assert joined.endswith("export { $x0 as c };")


def test_later_imports_point_from_the_file():
    texts = {"app.js": 'import "./views/index.js";'}
    texts["views/index.js"] = (
        "const load = (a) => [import('x'), import(\"./a/b.js\"), import(`./${a}.js`)];"
    )

    joined = modules.join("app.js", texts)

    assert """import('x'), import("./views/a/b.js"), import(`./views/${a}.js`)""" in joined


def test_every_module_can_be_joined():
    for name in assets.load_assets():
        assert assets.find_asset(name)


@in_each("place", ["conversations", "lines", "fleet", "connect", "signed-in"])
def test_first_visit_is_light(place: str):
    scripts, styles, words = assets.list_needed(place)
    names = ["app.js", assets.STYLE, *scripts, *styles]
    names += [f"i18n/{name}.pt.js" for name in ["shell", *words]]
    files = [assets.find_asset(name) for name in names]
    size = sum(len(file.gzipped or b"") for file in files if file)

    assert None not in files
    assert len(files) <= FILES
    assert size < BUDGET, size
