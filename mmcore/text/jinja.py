"""Chat templates in jinja2's sandbox, with what published templates use beside plain Jinja."""

from __future__ import annotations

import datetime
import json
import secrets
from typing import Any

from mmcore.errors import EnvError, FormatError

# What stands around the output of generation blocks: drawn anew in each process, so that no message can hold it.
_NONCE = secrets.token_hex(8)
_GENERATION, _END = f"\uf8f0{_NONCE}\uf8f1", f"\uf8f1{_NONCE}\uf8f0"


def compile_template(source: str) -> Any:
    """The template, ready to be rendered.

    Raises:
        EnvError: jinja2 is not installed.
        FormatError: the template is malformed.
    """
    if not isinstance(source, str):
        raise FormatError(f"a chat template must be a str, got {type(source).__name__}")
    try:
        import jinja2
        from jinja2 import ext, nodes, sandbox
    except ImportError:
        raise EnvError("chat templates need jinja2; install it with: pip install 'mmcore[chat]'") from None

    class Generation(ext.Extension):
        """{% generation %} ... {% endgeneration %}: what is inside, with marks around it."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

        def _mark(self, caller: Any) -> str:
            return _GENERATION + caller() + _END

    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    def to_json(value: Any, indent: int | None = None, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent, **options)

    environment = sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[ext.LoopControlExtension, Generation]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    try:
        return environment.from_string(source)
    except jinja2.TemplateError as error:
        raise FormatError(f"the chat template is malformed: {error}") from None


def take_marks(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text without the marks of generation blocks, and where these were."""
    out, spans = "", []
    first, *rest = text.split(_GENERATION)
    out += first
    for part in rest:
        inside, _, after = part.partition(_END)
        spans.append((len(out), len(out) + len(inside)))
        out += inside + after
    return out, tuple(spans)
