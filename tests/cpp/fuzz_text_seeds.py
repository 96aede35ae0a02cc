"""Writes what fuzz_text begins with: a specification of every kind of model, splitter and decoder, and texts.

python tests/cpp/fuzz_text_seeds.py FOLDER
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from mmcore.text import byte_level
from mmcore.text.definition import added_token, definition_of, wrap_template
from mmcore.text.patterns import EXPRESSIONS
from mmcore.text.spec import compile_spec

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
import charsmaps

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
NORMALIZERS: tuple[dict[str, Any], ...] = (
    *({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")),
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
    {"type": "Replace", "pattern": {"Regex": r"[!-/\u3000-\u3030]{1,3}"}, "content": "low"},
    {"type": "Prepend", "prepend": "▁"},
    {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True},
)
LLAMA_DECODER = [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
]
TEXTS = (
    "The quick brown fox isn't lower than the lowest, newest 12345 dogs...\r\n\tL'été à Ωμέγα — 100 %! ",
    "人之初，性本善。 こんにちは世界 한국어 สวัสดี привет мир नमस्ते مرحبا שלום \U0001f468‍\U0001f469‍\U0001f467 İıſß ﬁ Å é",
    "ﬁrst\u3000①① e\u0301\u0302 Å… ｶﾞ\u200b <sep>er.ab\u00a0 ▁▁▁▁ low est 人",
    "<s>low</s> [MASK] <unk>  a   b\u00a0c\u2028d\u3000e\u0000f\x85g <0x41>▁▁low ##er low</w> [PAD]",
)


def sequence(kind: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The components, one after another."""
    return {"type": "Sequence", kind: parts}


def definition(model: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A definition with special tokens around texts, and added ones with every flag."""
    vocab = [piece for piece, _ in model["vocab"]] if isinstance(model["vocab"], list) else model["vocab"]
    ids = {token: number for number, token in enumerate(vocab)}
    added = [added_token(token, ids[token]) for token in ("<s>", "</s>")]
    for number, flag in enumerate(("lstrip", "rstrip", "single_word", "normalized")):
        added.append({**added_token(f"[{flag}]", len(ids) + number), flag: True, "special": number % 2 == 0})
    names = ("normalizer", "pre_tokenizer", "decoder")
    template = wrap_template("<s>", "</s>", ids)
    return definition_of(
        model, **{"added_tokens": added, **dict.fromkeys(names), "post_processor": template, **parts}
    )


def merges_of(words: list[str]) -> list[list[str]]:
    """Merges that build each word from its left."""
    return [[word[:end], word[end]] for word in words for end in range(1, len(word))]


def bpe(letters: list[str], words: list[str], **options: Any) -> dict[str, Any]:
    """A BPE model."""
    built = [left + right for left, right in merges_of(words)]
    tokens = dict.fromkeys(["<s>", "</s>", "<unk>", *letters, *built])
    vocab = {token: number for number, token in enumerate(tokens)}
    unique = list({left + right: [left, right] for left, right in merges_of(words)}.values())
    return {"type": "BPE", "vocab": vocab, "merges": unique, **options}


def byte_bpe(**options: Any) -> dict[str, Any]:
    """A byte-level BPE model."""
    return bpe(list(byte_level.CHARS), ["Ġlower", "lowest", "Ã©t", "aaaa", "ĠĠĠĠ", "123"], **options)


def letter_bpe(**options: Any) -> dict[str, Any]:
    """A BPE model over characters with the ids of all bytes."""
    letters = [*"▁abdeghiklnorstuwxyé.,", *(f"<0x{byte:02X}>" for byte in range(256))]
    return bpe(letters, ["▁lower", "▁the", "▁▁▁", "est"], unk_token="<unk>", **options)


def word_piece() -> dict[str, Any]:
    """A WordPiece model."""
    tokens = [
        "<s>",
        "</s>",
        "[UNK]",
        "low",
        "lower",
        "the",
        "人",
        ".",
        *"abel",
        *(f"##{c}" for c in "abelrst"),
    ]
    vocab = {token: number for number, token in enumerate([*tokens, "##est", "##er"])}
    return {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 20, "vocab": vocab}


def unigram(byte_fallback: bool) -> dict[str, Any]:
    """A Unigram model."""
    pieces = ["▁", "▁the", "low", "er", "est", "▁low", "e", "s", "t", "l", "o", "w", "人", "性", "aaaa", "a"]
    vocab: list[list[Any]] = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0]]
    vocab += [[piece, -2.0 - number / 4] for number, piece in enumerate(pieces)]
    vocab += [[f"<0x{byte:02X}>", -9.0] for byte in range(256)] if byte_fallback else []
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": byte_fallback, "vocab": vocab}


def sentencepiece(kind: str, byte_fallback: bool, **switches: bool) -> dict[str, Any]:
    """A definition as of a .model file: pieces of equal score, user-defined symbols, a character map."""
    kinds: dict[str, list[str]] = {
        "control": ["<s>", "</s>"],
        "byte": [f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [],
        "user_defined": ["<sep>", "er.", "人"],
        "unused": ["wes"] if kind == "SentencePieceUnigram" else [],
    }
    words = ["▁l", "lo", "ow", "low", "▁low", "es", "st", "est", "▁the", "th", "he", "▁▁", "▁▁▁▁", "ab", "fi"]
    special = ["<unk>", *(piece for pieces in kinds.values() for piece in pieces)]
    vocab = [[piece, 0.0] for piece in special]
    vocab += [
        [piece, -1.0 - number // 3 / 2] for number, piece in enumerate([*words, *"▁abdefhilorstwyé.,性"])
    ]
    places = {piece: token_id for token_id, (piece, _) in enumerate(vocab)}
    model = {
        "type": kind,
        "unk_id": 0,
        "byte_fallback": byte_fallback,
        "vocab": vocab,
        "piece_types": {key: [places[piece] for piece in pieces] for key, pieces in kinds.items()},
    }
    normalizer = {
        "type": "SentencePiece",
        "precompiled_charsmap": base64.b64encode(charsmaps.build(charsmaps.RULES)).decode(),
        "add_dummy_prefix": True,
        "remove_extra_whitespaces": True,
        "escape_whitespaces": True,
        "treat_whitespace_as_suffix": False,
        "user_defined_symbols": kinds["user_defined"],
    }
    decoder = {"type": "SentencePiece", "drop_first": True, "drop_all": False, "byte_fallback": byte_fallback}
    return definition(
        model, normalizer=normalizer | switches, decoder=decoder | {"unknown": "<unk>", "surface": " ⁇ "}
    )


def splitters() -> list[dict[str, Any]]:
    """Pre-tokenizers of every kind."""
    behaviours = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
    regexes = [
        {
            "type": "Split",
            "pattern": {"Regex": spellings[0]},
            "behavior": behaviour,
            "invert": number % 2 == 1,
        }
        for number, spellings in enumerate(EXPRESSIONS.values())
        for behaviour in (behaviours[number % len(behaviours)],)
    ]
    return [
        *regexes,
        *({"type": name} for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")),
        {"type": "Punctuation", "behavior": "MergedWithPrevious"},
        {"type": "Digits", "individual_digits": True},
        *(
            {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}
            for regex in (r"[^a-f\s]{2,}", r"\s?[\w日]+")
        ),
        {"type": "Split", "pattern": {"String": "e"}, "behavior": "Contiguous", "invert": False},
        {"type": "FixedLength", "length": 3},
        {**METASPACE, "prepend_scheme": "always", "split": False},
    ]


def definitions() -> dict[str, dict[str, Any]]:
    """All of them by name."""
    found = {
        "byte_bpe": definition(byte_bpe(), pre_tokenizer=BYTE_LEVEL, decoder=BYTE_LEVEL),
        "byte_bpe_falcon": definition(
            byte_bpe(),
            pre_tokenizer=sequence(
                "pretokenizers",
                [
                    {"type": "Punctuation", "behavior": "Contiguous"},
                    BYTE_LEVEL,
                    {"type": "Digits", "individual_digits": False},
                    {
                        "type": "Split",
                        "pattern": {"Regex": "[0-9Ã]{3}"},
                        "behavior": "Isolated",
                        "invert": False,
                    },
                ],
            ),
            decoder=BYTE_LEVEL,
        ),
        "byte_bpe_ignore_merges": definition(byte_bpe(ignore_merges=True), pre_tokenizer=BYTE_LEVEL),
        "bert": definition(
            word_piece(),
            normalizer=NORMALIZERS[-1],
            pre_tokenizer={"type": "BertPreTokenizer"},
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        ),
        "llama": definition(
            letter_bpe(byte_fallback=True, fuse_unk=True), decoder=sequence("decoders", LLAMA_DECODER)
        ),
        "llama_metaspace": definition(
            letter_bpe(byte_fallback=True), pre_tokenizer=METASPACE, decoder=METASPACE
        ),
        "clip": definition(
            bpe([*"abcelorstw", *(f"{c}</w>" for c in "aelrst")], ["lowe"], end_of_word_suffix="</w>"),
            pre_tokenizer={"type": "Whitespace"},
            decoder={"type": "BPEDecoder", "suffix": "</w>"},
        ),
        "unigram": definition(unigram(False), pre_tokenizer=METASPACE, decoder=METASPACE),
        "unigram_bytes": definition(unigram(True), pre_tokenizer=METASPACE),
        "word_piece": definition(word_piece(), pre_tokenizer={"type": "Whitespace"}),
    }
    for number, step in enumerate(splitters()):
        found[f"split_{number}"] = definition(letter_bpe(), pre_tokenizer=step)
        both = sequence("pretokenizers", [step, {**BYTE_LEVEL, "use_regex": False}])
        found[f"split_bytes_{number}"] = definition(byte_bpe(), pre_tokenizer=both, decoder=BYTE_LEVEL)
    for number, step in enumerate(NORMALIZERS):
        found[f"normalize_{number}"] = definition(letter_bpe(byte_fallback=True), normalizer=step)
    for kind in ("SentencePieceUnigram", "SentencePieceBPE", "SentencePieceWord", "SentencePieceChar"):
        found[kind] = sentencepiece(kind, byte_fallback=False)
        suffix = {"remove_extra_whitespaces": False, "treat_whitespace_as_suffix": True}
        found[f"{kind}_bytes"] = sentencepiece(kind, byte_fallback=True, **suffix)
    charsmap = base64.b64encode(charsmaps.build(charsmaps.RULES)).decode()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    found["precompiled"] = definition(unigram(True), normalizer=precompiled)
    return found


def main(folder: Path) -> None:
    """Writes everything."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in definitions().items():
        (folder / f"{name}.spec").write_bytes(compile_spec(made, pad_id=0, max_text_bytes=1_000_000))
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_bytes(text.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
