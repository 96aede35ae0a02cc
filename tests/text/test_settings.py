"""Truncation and padding settings of a tokenizer.json, as Hugging Face follows them."""

from __future__ import annotations

import json
import pickle

import pytest

from mmcore.errors import FormatError
from mmcore.text import Tokenizer

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

TEXTS = ["low", "newest lowest of all the lows", "", "a lower new one", "wide"]
TRUNCATIONS = [None, {"max_length": 7}, {"max_length": 6, "direction": "Left"}]
PADDINGS = [
    None,
    {"strategy": "BatchLongest"},
    {"strategy": {"Fixed": 12}, "direction": "Left"},
    {"strategy": "BatchLongest", "pad_to_multiple_of": 8},
    {"strategy": {"Fixed": 3}, "pad_to_multiple_of": 5, "direction": "Left"},
]


@pytest.fixture(scope="module")
def definition() -> dict:
    tok = Tokenizer.train(["low lower lowest", "new newer newest wide"] * 5, vocab_size=275)
    return json.loads(tok.definition)


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("padding", PADDINGS)
def test_rows_are_those_of_hugging_face(definition, truncation, padding):
    if truncation is not None:
        truncation = {"strategy": "LongestFirst", "direction": "Right", "stride": 0, **truncation}
    if padding is not None:
        base = {"direction": "Right", "pad_to_multiple_of": None, "pad_type_id": 0, "pad_token": "<s>"}
        padding = {**base, "pad_id": definition["model"]["vocab"]["<s>"], **padding}
    text = json.dumps({**definition, "truncation": truncation, "padding": padding})
    rivals = hf.Tokenizer.from_str(text).encode_batch(TEXTS)
    for tok in (Tokenizer(text), pickle.loads(pickle.dumps(Tokenizer(text)))):
        ids, mask = tok(TEXTS)
        # Where some text is longer than the fixed width, Hugging Face leaves rows of several lengths.
        even = padding is not None and len({len(other.ids) for other in rivals}) == 1
        for row, real, other in zip(ids, mask, rivals, strict=True):
            theirs = [bool(m) for m in other.attention_mask]
            assert row[real].tolist() == [i for i, m in zip(other.ids, theirs, strict=True) if m]
            if even:
                assert (row.tolist(), real.tolist()) == (other.ids, theirs)
            elif padding is not None:
                at_begin = padding["direction"] == "Left"
                assert real.tolist() == sorted(real.tolist(), reverse=not at_begin)
        assert tok.ragged(TEXTS).values.tolist() == [
            i for row, m in zip(ids, mask, strict=True) for i in row[m]
        ]


def test_a_call_that_says_its_length_overrules_the_settings(definition):
    settings = {"truncation": {"max_length": 4}, "padding": {"strategy": {"Fixed": 30}, "pad_id": 0}}
    tok = Tokenizer({**definition, **settings})
    assert tok(TEXTS, max_length=9).ids.shape == (5, 9)
    assert tok(TEXTS).ids.shape == (5, 30)
    assert tok(TEXTS, pad=False).ids.shape == (5, 4)
    assert len(tok.encode(TEXTS[1])) > 4


def part(kind: str, single: str = "", pair: str = "") -> dict:
    """A post-processor; templates are spelled as in "<s> A </s>"."""

    def pieces(text: str) -> list[dict]:
        names = {"A": "Sequence", "B": "Sequence"}
        return [{names.get(name, "SpecialToken"): {"id": name, "type_id": 0}} for name in text.split()]

    if kind != "TemplateProcessing":
        return {
            "type": kind,
            "cls": ["<s>", 1],
            "sep": ["</s>", 2],
            "trim_offsets": False,
            "add_prefix_space": True,
        }
    special = {name: {"id": name, "ids": [i], "tokens": [name]} for name, i in (("<s>", 1), ("</s>", 2))}
    return {"type": kind, "single": pieces(single), "pair": pieces(pair), "special_tokens": special}


BERT, ROBERTA = part("BertProcessing"), part("RobertaProcessing")


@pytest.mark.parametrize(
    "parts",
    [
        [BERT, ROBERTA],
        [ROBERTA, part("TemplateProcessing", "<s> <s> A", "A B")],
        [part("TemplateProcessing", "A", "A B"), BERT, part("TemplateProcessing", "</s> A", "A B")],
        [part("TemplateProcessing", "A </s>", "A B"), part("TemplateProcessing", "A <s>", "</s> B A")],
    ],
)
def test_a_part_of_a_sequence_gets_the_pieces_of_the_one_before(definition, parts):
    text = json.dumps({**definition, "post_processor": {"type": "Sequence", "processors": parts}})
    rival, ours = hf.Tokenizer.from_str(text), Tokenizer(text)
    assert [ours.encode(line) for line in TEXTS] == [rival.encode(line).ids for line in TEXTS]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            [part("TemplateProcessing", "<s> A </s>", "A B"), part("TemplateProcessing", "A", "A B")],
            "3 pieces",
        ),
        ([part("TemplateProcessing", "<s> A", "A B"), BERT], "adds 4 ids and its parts by themselves 3"),
        ([part("TemplateProcessing", "A A", "A B")], "holds it 2 times"),
        ([part("TemplateProcessing", "<s>", "A B")], "holds it 0 times"),
    ],
)
def test_sequences_that_hugging_face_has_no_clear_rule_for_are_refused(definition, parts, message):
    with pytest.raises(FormatError, match=message):
        Tokenizer({**definition, "post_processor": {"type": "Sequence", "processors": parts}})
