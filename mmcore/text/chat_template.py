"""Conversations to texts by the Jinja templates that models come with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcore.errors import FormatError
from mmcore.text.chat_format import ASSISTANT, Message, Rendered, Span, checked, listed
from mmcore.text.jinja import compile_template, take_marks
from mmcore.text.read_file import parse_json, read_file, text_of

_CONTENT = "\uf8f2{}\uf8f3"  # Private-use characters around what a message's content becomes.
_GENERATION_BLOCK = re.compile(r"{%[-+]?\s*generation\s*[-+]?%}")


@dataclass(frozen=True)
class ChatTemplate:
    """A Jinja template as models have it in `tokenizer_config.json`, run in jinja2's sandbox.

    Where contents stand is found by rendering twice, the second time with other letters in their place. Turns of
    the assistant are the template's `{% generation %}` blocks; without any, they are what an answer adds to the
    conversation before it with `add_generation_prompt`. The sandbox keeps a template from files and from the
    interpreter, not from taking time and memory.

    Args:
        source: the template.
        variables: what it may use beside the messages, such as `bos_token`.

    Raises:
        EnvError: jinja2 is not installed.
        FormatError: the template is malformed.
        ValueError: `variables` is no mapping, or holds what is rendered.

    Example:
        >>> template = ChatTemplate("{% for m in messages %}[{{ m.role }}] {{ m.content }}\\n{% endfor %}")
        >>> template.render([{"role": "user", "content": "Hi"}]).text
        '[user] Hi\\n'
    """

    source: str
    variables: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if not isinstance(self.variables, Mapping):
            raise ValueError(f"variables must map names to values, got {self.variables!r:.80}")
        if taken := {"messages", "add_generation_prompt"} & self.variables.keys():
            raise ValueError(f"variables must not hold {sorted(taken)}: they are what is rendered")
        object.__setattr__(self, "_template", compile_template(self.source))

    @classmethod
    def load(cls, folder: str | Path) -> ChatTemplate:
        """The template of a folder: `chat_template` of its tokenizer_config.json, or chat_template.jinja.

        Raises:
            FileNotFoundError: there is neither.
            FormatError: it is malformed, or there are several and none is named "default".
        """
        folder = Path(folder)
        path, beside = folder / "tokenizer_config.json", folder / "chat_template.jinja"
        if not path.exists() and not beside.exists():
            raise FileNotFoundError(f"{folder} has no chat template: expected {path.name} or {beside.name}")
        config = parse_json(read_file(path), path.name) if path.exists() else {}
        if not isinstance(config, dict):
            raise FormatError(f"{path} must be an object, found {type(config).__name__}")
        if beside.exists():
            source = text_of(read_file(beside), beside.name)
        else:
            source = _default(config.get("chat_template"))
        if not isinstance(source, str):
            raise FormatError(f"{path} has no 'chat_template' (or, of several, none named 'default')")
        tokens = {name: _content(token) for name, token in config.items() if name.endswith("_token")}
        return cls(source, {name: token for name, token in tokens.items() if token is not None})

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> Rendered:
        """The conversation as a text.

        Args:
            messages: mappings with "role" and "content": a str, or a list of parts such as
                `{"type": "text", "text": "..."}` and `{"type": "image"}`, which the template must know.
            add_generation_prompt: end with what begins a turn of the assistant.

        Raises:
            ValueError: a message is malformed, the template refuses the conversation or changes a content other
                than by trimming it, or without `{% generation %}` an answer does not follow what came before.
        """
        messages = listed(messages)
        contents = [checked(message, number)[1] for number, message in enumerate(messages)]
        text, generated = take_marks(self._run(messages, add_generation_prompt))
        said = self._places(messages, contents, text, add_generation_prompt)
        if _GENERATION_BLOCK.search(self.source):
            return Rendered(text, said, generated)
        return Rendered(text, said, self._answers(messages, text))

    def _run(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        import jinja2

        try:
            return self._template.render(  # type: ignore[attr-defined]
                messages=[dict(message) for message in messages],
                add_generation_prompt=add_generation_prompt,
                **self.variables,
            )
        except jinja2.TemplateError as error:
            raise ValueError(f"the chat template refuses the conversation: {error}") from None
        except Exception as error:  # A template is a program that comes from outside: it may fail in any way.
            raise ValueError(
                f"the chat template fails on the conversation: {type(error).__name__}: {error}"
            ) from error

    def _places(
        self,
        messages: Sequence[Message],
        contents: list[list[Message]],
        text: str,
        add_generation_prompt: bool,
    ) -> tuple[Span, ...]:
        """Where in the text the contents are, which may have been trimmed."""
        marked, marks, texts = _marked(messages, contents)
        frame = take_marks(self._run(marked, add_generation_prompt))[0]
        ways: dict[int, tuple[Span, ...]] = {0: ()}  # How far the text may be read, and the contents so far.
        done = 0
        for said, mark in zip(texts, marks, strict=True):
            at = frame.find(mark, done)
            if at < 0:
                continue  # Some templates leave messages out.
            between, before = frame[done:at], ways
            done, ways = at + len(mark), {}
            for start, spans in before.items():
                begin = start + len(between)
                for shaped in (said, said.rstrip(), said.lstrip(), said.strip()):
                    end = begin + len(shaped)
                    if text.startswith(between, start) and text.startswith(shaped, begin):
                        ways.setdefault(end, (*spans, (begin, end)))
        for end, spans in ways.items():
            if text[end:] == frame[done:]:
                return spans
        raise ValueError(
            "the chat template changes what messages say, other than by trimming it, so that special tokens in it "
            "cannot be told from the template's own; write the markers as a ChatFormat"
        )

    def _answers(self, messages: Sequence[Message], text: str) -> tuple[Span, ...]:
        """What each answer adds to the conversation before it, where the template does not say it."""
        spans = []
        for number, message in enumerate(messages):
            if message["role"] != ASSISTANT:
                continue
            before = take_marks(self._run(messages[:number], True))[0]
            after = take_marks(self._run(messages[: number + 1], False))[0]
            if not text.startswith(after):  # Some templates end every conversation with a token.
                after = after.removesuffix(str(self.variables.get("eos_token", "")))
            if not (after.startswith(before) and text.startswith(after)):
                raise ValueError(
                    f"the chat template does not put message {number} after what came before it, so that the turn of "
                    "the assistant cannot be found: add {% generation %} blocks to the template, or write the "
                    "markers as a ChatFormat"
                )
            spans.append((len(before), len(after)))
        return tuple(spans)


def _marked(
    messages: Sequence[Message], contents: list[list[Message]]
) -> tuple[list[Message], list[str], list[str]]:
    """The messages with a mark in the place of each text, the marks, and the texts."""
    texts = [part["text"] for parts in contents for part in parts if part["type"] == "text"]
    marks = [_CONTENT.format(number) for number in range(len(texts))]
    left = iter(marks)
    marked: list[Message] = []
    for message, parts in zip(messages, contents, strict=True):
        others = [{**part, "text": next(left)} if part["type"] == "text" else part for part in parts]
        is_text = isinstance(message["content"], str)
        marked.append({**message, "content": others[0]["text"] if is_text else others})
    return marked, marks, texts


def _default(templates: Any) -> Any:
    """The template, or of several that is named so."""
    if not isinstance(templates, list):
        return templates
    named = (item for item in templates if isinstance(item, dict) and item.get("name") == "default")
    return next((item.get("template") for item in named), None)


def _content(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token
