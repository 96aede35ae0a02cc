"""Conversations with images, templates that fail, messages that are none."""

from __future__ import annotations

import json
import re

import pytest

from mmcore.errors import FormatError
from mmcore.text import ChatFormat, ChatTemplate, Tokenizer, encode_chat

SPECIAL = ["<|im_start|>", "<|im_end|>", "<image>"]
ROLES = {name: (f"<|im_start|>{name}\n", "<|im_end|>\n") for name in ("user", "assistant")}
SEEING = ChatFormat(ROLES, parts={"image": "<image>"})
SEEING_JINJA = ChatTemplate(
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
    "{% if p.type == 'image' %}{{ '<image>' }}{% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PICTURES = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "See <image> "},
            {"type": "image"},
            {"type": "text", "text": "<|im_end|>?"},
        ],
    },
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": []},
    {"role": "assistant", "content": [{"type": "text", "text": "No <image>."}]},
]


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return Tokenizer.train(["user assistant See? Yes. No."], vocab_size=270, special_tokens=SPECIAL)


def refused(message: str, call, *arguments, **options) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call(*arguments, **options)


@pytest.mark.parametrize("renderer", [SEEING, SEEING_JINJA], ids=["format", "template"])
@pytest.mark.parametrize("prompt", [False, True])
def test_contents_with_images(tok, renderer, prompt):
    chat = encode_chat(tok, renderer, PICTURES, add_generation_prompt=prompt)
    text = (
        "<|im_start|>user\nSee <image> <image><|im_end|>?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n"
        "<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\nNo <image>.<|im_end|>\n"
    )
    assert tok.decode(chat.ids, skip_special=False) == text + "<|im_start|>assistant\n" * prompt
    counts = [(chat.ids == tok.id(token)).sum() for token in SPECIAL]
    assert counts == [4 + prompt, 4, 1]  # What the user spells stays text.
    learnt = tok.decode(chat.ids[chat.loss_mask], skip_special=False)
    assert learnt == "Yes.<|im_end|>\nNo <image>.<|im_end|>\n"


def test_parts_that_a_format_does_not_know():
    message = {"role": "user", "content": [{"type": "video"}]}
    wanted = "message 0 has a part of type 'video'; this format knows ['text', 'image']"
    refused(wanted, SEEING.render, [message])
    refused('parts={"video": "<video>"}', ChatFormat(ROLES).render, [message])


@pytest.mark.parametrize(
    "message",
    [
        {},
        "hello",
        None,
        {"role": "user"},
        {"content": "a"},
        {"role": 3, "content": "a"},
        {"role": "user", "content": None},
        {"role": "user", "content": {"type": "text", "text": "a"}},
        {"role": "user", "content": ["a"]},
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "text", "text": 3}]},
    ],
    ids=str,
)
def test_messages_of_something_else(message):
    talk = [{"role": "user", "content": "a"}, message]
    for renderer in (SEEING, SEEING_JINJA):
        refused('message 1 must be a mapping with "role", a str, and "content"', renderer.render, talk)


def test_conversations_of_something_else():
    for messages in (None, 3, "hello", {"role": "user", "content": "a"}):
        wanted = f"messages must be a list of mappings, got {type(messages).__name__}"
        for renderer in (SEEING, SEEING_JINJA):
            refused(wanted, renderer.render, messages)
    for renderer in (SEEING, SEEING_JINJA):
        assert renderer.render(()).text == ""


@pytest.mark.parametrize(
    "said",
    ["", "a", "é", "日a", "😀b", "\ud83d\ude00b", "\ud800", "\ude00\ud83d", "\ud83d\ud83d\ude00\ude00 é"],
    ids=ascii,
)
def test_surrogates_are_read_as_everywhere(tok, said):
    talk = [{"role": "user", "content": said}, {"role": "assistant", "content": said}] * 2
    chat = encode_chat(tok, SEEING, talk)
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in talk)
    assert chat.ids.tolist() == tok.encode(text, add_special=False)
    learnt = [i for m in talk[:2] for i in tok.encode(f"{said}<|im_end|>\n", add_special=False)]
    assert chat.ids[chat.loss_mask].tolist() == learnt


def test_what_is_no_renderer_and_no_tokenizer(tok):
    with pytest.raises(TypeError, match="renderer must be a ChatFormat or a ChatTemplate, got str"):
        encode_chat(tok, "chatml", [])
    with pytest.raises(TypeError, match="tok must be a Tokenizer, got NoneType"):
        encode_chat(None, SEEING, [])


def test_formats_of_something_else():
    for roles in (None, {"user": "x"}, {"user": ("a",)}, {"user": (1, 2)}, [("user", ("", ""))]):
        refused("roles must map each role to", ChatFormat, roles)
    refused("begin must be a str", ChatFormat, {}, begin=3)
    refused("parts must map types to", ChatFormat, {}, parts={"image": 3})
    wanted = "add_generation_prompt asks for the role 'assistant'; this format knows ['user']"
    refused(wanted, ChatFormat({"user": ("", "")}).render, [], add_generation_prompt=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ raise_exception('Roles must take turns') }}", "refuses the conversation: Roles must take turns"),
        ("{{ messages[5].content }}", "refuses the conversation: list object has no element 5"),
        ("{{ tools.name }}", "refuses the conversation: 'tools' is undefined"),
        ("{{ 1 / 0 }}", "fails on the conversation: ZeroDivisionError"),
        ("{{ 1 + 'a' }}", "fails on the conversation: TypeError"),
        ("{% for i in range(10**9) %}a{% endfor %}", "fails on the conversation: OverflowError"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "fails on the conversation: RecursionError"),
        ("{{ ''.__class__.__mro__ }}", "refuses the conversation"),
        ("{{ messages.append(1) }}", "refuses the conversation"),
    ],
)
def test_templates_that_fail(source, message):
    refused(f"the chat template {message}", ChatTemplate(source).render, [{"role": "user", "content": "a"}])


def test_templates_of_something_else():
    with pytest.raises(FormatError, match="a chat template must be a str, got NoneType"):
        ChatTemplate(None)
    with pytest.raises(FormatError, match=r"malformed.*endgeneration"):
        ChatTemplate("{% generation %}a")
    refused("variables must map names to values", ChatTemplate, "a", None)
    refused("variables must not hold ['messages']", ChatTemplate, "a", {"messages": []})


def test_contents_that_are_trimmed_in_one_place_only(tok):
    """As in Llama 2's template, which trims what users say but not the system's message."""
    template = ChatTemplate(
        "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}|{% else %}{{ m.content | trim }} |"
        "{% endif %}{% endfor %}"
    )
    talk = [{"role": "system", "content": " a "}, {"role": "user", "content": " <image> "}] * 2
    rendered = template.render(talk)
    assert rendered.text == " a |<image> | a |<image> |"
    assert [rendered.text[a:b] for a, b in rendered.contents] == [" a ", "<image>"] * 2


def test_the_letters_that_mark_places_may_be_said(tok):
    template = ChatTemplate(
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    said = "a\uf8f0b\uf8f1\uf8f20\uf8f3c\uf8f21\uf8f3"
    rendered = template.render([{"role": "user", "content": said}, {"role": "assistant", "content": said}])
    assert rendered.text == said * 2 and rendered.answers == ((len(said), 2 * len(said)),)


def test_the_word_generation_makes_no_block():
    template = ChatTemplate(
        "{# generation #}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    rendered = template.render([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    assert [rendered.text[a:b] for a, b in rendered.answers] == ["b\n"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"[]", "must be an object, found list"),
        (b'{"chat_template": 3}', "has no 'chat_template'"),
        (b'{"chat_template": [3, {"name": "default"}]}', "has no 'chat_template'"),
        (b'{"chat_template": "\xff"}', "is not UTF-8"),
        (b"\x1f\x8b", "is compressed by gzip"),
    ],
)
def test_configurations_of_something_else(tmp_path, config, message):
    (tmp_path / "tokenizer_config.json").write_bytes(config)
    with pytest.raises(FormatError, match=message):
        ChatTemplate.load(tmp_path)


def test_tokens_of_a_configuration(tmp_path):
    config = {
        "chat_template": "{{ bos_token }}{{ pad_token }}",
        "bos_token": {"content": "<s>"},
        "pad_token": None,
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert ChatTemplate.load(tmp_path).render([]).text == "<s>"
