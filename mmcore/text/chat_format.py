"""Conversations to texts by markers that are data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Message = Mapping[str, Any]
Span = tuple[int, int]
ASSISTANT = "assistant"


class Rendered(NamedTuple):
    """A conversation as a text, with places in it (in characters)."""

    text: str
    contents: tuple[Span, ...]
    """What messages say: special tokens are text there."""
    answers: tuple[Span, ...]
    """What the assistant says, with the markers that end it."""


class Renderer(Protocol):
    """What makes a text of a conversation: `ChatFormat` or `ChatTemplate`."""

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> Rendered: ...


@dataclass(frozen=True)
class ChatFormat:
    """Markers before and after the messages of each role, as data.

    Args:
        roles: for each role what stands before and after its content; special tokens in it are parsed.
        begin: stands before everything.
        parts: what stands for parts of a content that are no text, by their type, such as
            `{"image": "<image>"}`; special tokens in it are parsed.

    Raises:
        ValueError: the markers are not of these types.

    Example:
        >>> chatml = ChatFormat({name: (f"<|im_start|>{name}\\n", "<|im_end|>\\n") for name in ("user", "assistant")})
        >>> chatml.render([{"role": "user", "content": "Hi"}], add_generation_prompt=True).text
        '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
        >>> seeing = ChatFormat({"user": ("", "\\n")}, parts={"image": "<image>"})
        >>> seeing.render([{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}]).text
        '<image>What?\\n'
    """

    roles: Mapping[str, tuple[str, str]]
    begin: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if not isinstance(self.roles, Mapping) or not all(map(_is_pair, self.roles.values())):
            raise ValueError(
                "roles must map each role to what stands before and after its content, two str, "
                f"got {self.roles!r:.200}"
            )
        if not isinstance(self.begin, str):
            raise ValueError(f"begin must be a str, got {self.begin!r:.80}")
        if not isinstance(self.parts, Mapping) or not all(isinstance(p, str) for p in self.parts.values()):
            raise ValueError(f"parts must map types to what stands for them, a str, got {self.parts!r:.200}")

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> Rendered:
        """The conversation as a text.

        Args:
            messages: mappings with "role" and "content": a str, or a list of parts such as
                `{"type": "text", "text": "..."}` and `{"type": "image"}`.
            add_generation_prompt: end with what begins a turn of the assistant.

        Raises:
            ValueError: a message has no role or part that is known, or no text; there is no role "assistant" to
                begin a turn of.
        """
        text, contents, answers = self.begin, [], []
        for number, message in enumerate(listed(messages)):
            role, parts = checked(message, number)
            before, after = self._markers(role, f"message {number} has")
            text += before
            begin = len(text)
            for part in parts:
                said = self._said(part, number)
                if part["type"] == "text":
                    contents.append((len(text), len(text) + len(said)))
                text += said
            text += after
            if role == ASSISTANT:
                answers.append((begin, len(text)))
        if add_generation_prompt:
            text += self._markers(ASSISTANT, "add_generation_prompt asks for")[0]
        return Rendered(text, tuple(contents), tuple(answers))

    def _markers(self, role: str, who: str) -> tuple[str, str]:
        if role not in self.roles:
            raise ValueError(f"{who} the role {role!r}; this format knows {sorted(self.roles)}")
        return self.roles[role]

    def _said(self, part: Message, number: int) -> str:
        if part["type"] == "text":
            return part["text"]
        if part["type"] not in self.parts:
            known = ["text", *sorted(self.parts)]
            raise ValueError(
                f"message {number} has a part of type {part['type']!r}; this format knows {known}: say what stands "
                f'for it, as in ChatFormat(..., parts={{"{part["type"]}": "<{part["type"]}>"}})'
            )
        return self.parts[part["type"]]


def listed(messages: Any) -> Sequence[Message]:
    """The messages of a conversation.

    Raises:
        ValueError: they are no list.
    """
    if isinstance(messages, str | bytes | Mapping) or not hasattr(messages, "__iter__"):
        raise ValueError(f"messages must be a list of mappings, got {type(messages).__name__}")
    return list(messages)


def checked(message: Message, number: int) -> tuple[str, list[Message]]:
    """Role and content of a message; a content that is a str is one part of type "text".

    Raises:
        ValueError: one of them is missing or something else.
    """
    found = (message.get("role"), message.get("content")) if isinstance(message, Mapping) else (None, None)
    role, content = found
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(role, str) or not isinstance(parts, list | tuple) or not all(map(_is_part, parts)):
        raise ValueError(
            f'message {number} must be a mapping with "role", a str, and "content", a str or a list of parts such '
            f'as {{"type": "text", "text": "..."}}, found {message!r:.200}'
        )
    return role, list(parts)


def _is_part(part: Any) -> bool:
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        return False
    return part["type"] != "text" or isinstance(part.get("text"), str)


def _is_pair(markers: Any) -> bool:
    is_pair = isinstance(markers, list | tuple) and len(markers) == 2
    return is_pair and all(isinstance(marker, str) for marker in markers)
