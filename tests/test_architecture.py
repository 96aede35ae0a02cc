from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Bottom to top, as CONTRIBUTING.md draws it: a package imports only from rows below its own.
ROWS = (
    ("_native",),
    ("errors", "files", "typing"),
    ("_load",),
    ("_tensorflow",),
    ("ops", "text", "image", "audio"),
    ("nn", "weights"),
    ("losses", "metrics", "optim", "data"),
    ("encoders", "fusion"),
    ("models", "train"),
    ("viz", "pretrained"),
    ("cli",),
    ("__init__", "__main__"),
)
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names}
NO_TENSORFLOW = ("_load", "text", "image", "audio", "data", "errors", "files", "__init__", "viz")


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "mmcore").with_suffix("").parts
    return parts[0]


def imported_modules(tree: ast.AST) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append((f"relative import of {node.module}", node.lineno))
            elif node.module == "mmcore":
                found += [(f"mmcore.{alias.name}", node.lineno) for alias in node.names]
            else:
                found.append((node.module or "", node.lineno))
    return found


SOURCES = sorted((ROOT / "mmcore").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_every_module_has_a_row():
    unknown = {package_of(path) for path in SOURCES} - set(ROW_OF)
    assert not unknown, f"give these a row in ROWS: {sorted(unknown)}"


def test_imports_point_down():
    wrong = []
    for path, tree in TREES.items():
        mine = package_of(path)
        for module, line in imported_modules(tree):
            if module.startswith("relative"):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {module}; write it in full")
            parts = module.split(".")
            if parts[0] != "mmcore" or len(parts) < 2 or parts[1] in (mine, "__version__"):
                continue
            if parts[1] not in ROW_OF or ROW_OF[parts[1]] >= ROW_OF[mine]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {mine} imports {parts[1]}")
    assert not wrong, "\n".join(wrong)


def test_light_packages_name_no_tensorflow_and_nothing_names_keras():
    wrong = []
    for path, tree in TREES.items():
        for module, line in imported_modules(tree):
            top = module.split(".")[0]
            if (
                top == "keras"
                or "keras" in module
                or (top == "tensorflow" and package_of(path) in NO_TENSORFLOW)
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {module}")
        wrong += [
            f"{path.relative_to(ROOT)}:{node.lineno}: .keras"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "keras"
        ]
    assert not wrong, "\n".join(wrong)


def test_package_code_has_no_assert_statements():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert not wrong, "raise ValueError that says what was expected: " + ", ".join(wrong)


def test_includes_point_down():
    wrong = []
    for path in sorted((ROOT / "csrc").rglob("*")):
        if path.suffix not in (".h", ".cc", ".cu", ".inc"):
            continue
        parts = path.relative_to(ROOT / "csrc").parts
        for header in re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8")):
            target = header.split("/")
            if parts[0] == "core":
                fine = target[0] == "core" and target[1] in ("base", parts[1])
            else:
                fine = target[0] in ("core", parts[0])
            if not fine:
                wrong.append(f"{path.relative_to(ROOT)} includes {header}")
    assert not wrong, "\n".join(wrong)


def test_core_sees_neither_python_nor_tensorflow():
    wrong = [
        str(path)
        for path in (ROOT / "csrc" / "core").rglob("*")
        if path.is_file() and re.search(r"#include <(Python|pybind11|tensorflow)", path.read_text("utf-8"))
    ]
    assert not wrong


@pytest.mark.parametrize(
    "module", ["mmcore", "mmcore.text", "mmcore.image", "mmcore.data", "mmcore.cli.main"]
)
def test_importing_does_not_load_tensorflow(module):
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_attribute_of_the_package_is_an_attribute_error():
    import mmcore

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mmcore.nothing  # noqa: B018
    assert "text" in dir(mmcore)
