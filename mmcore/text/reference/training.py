"""How vocabularies are trained, in plain Python: count words, then merge the most frequent pair again and again.

Source: Sennrich, Haddow, Birch, Neural Machine Translation of Rare Words with Subword Units, 2016,
arXiv:1508.07909, algorithm 1. Where it leaves a choice, Hugging Face's trainers are followed, which is said below.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mmcore.text import byte_level
from mmcore.text.reference.tokenizer import bert_words, gpt2_words

CONTINUES = "##"
MAX_TOKEN_BYTES = 32 * 1024
Pair = tuple[int, int]


class Trained(NamedTuple):
    """Tokens by id as a tokenizer.json spells them, and pairs of ids in the order of their merges."""

    tokens: list[str]
    merges: list[Pair]


class Word(NamedTuple):
    """A word as ids, which merging changes in place, and how often it was seen."""

    symbols: list[int]
    frequency: int


def train_bpe(
    texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str] = (), min_frequency: int = 0
) -> Trained:
    """Byte-level BPE: special tokens, the 256 bytes, then merged tokens."""
    vocab = _numbered([*special_tokens, *map(chr, sorted(map(ord, byte_level.CHARS)))])
    words = [
        Word([vocab[char] for char in byte_level.to_token(word.encode())], count)
        for word, count in count_words(texts, gpt2_words).items()
    ]
    merges = merge_most_frequent(words, vocab, vocab_size, min_frequency, len)
    # A pair that was merged again (see below) has the rank of its last time.
    return Trained([*vocab], [*dict.fromkeys(reversed(merges))][::-1])


def train_wordpiece(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    min_frequency: int = 0,
    *,
    lowercase: bool = True,
    alphabet_limit: int = 1000,
) -> list[str]:
    """WordPiece: special tokens, characters that begin words, those that continue them, then merged pieces.

    Characters beyond the `alphabet_limit` most frequent (of equals, those of low code points) are left out of
    words. The order of characters is that of code points, where Hugging Face has that of a hash table.
    """
    counts = count_words(texts, lambda text: bert_words(text, True, True, lowercase, lowercase))
    seen: Counter[str] = Counter()
    for word, count in counts.items():
        for char in word:
            seen[char] += count
    alphabet = sorted(sorted(seen, key=lambda char: (-seen[char], char))[:alphabet_limit])
    later = {char for word in counts for char in word[1:]}
    vocab = _numbered([*special_tokens, *alphabet, *(CONTINUES + char for char in alphabet if char in later)])
    words = []
    for word, count in counts.items():
        spelled = [(CONTINUES if i > 0 else "") + char for i, char in enumerate(word) if char in alphabet]
        words.append(Word([vocab[symbol] for symbol in spelled], count))
    merge_most_frequent(words, vocab, vocab_size, min_frequency, lambda token: len(token.encode()))
    return [*vocab]


def count_words(texts: Iterable[str], words_of: Callable[[str], Iterable[str]]) -> Counter[str]:
    """How often each word is in the texts."""
    return Counter(word for text in texts for word in words_of(text))


def merge_most_frequent(
    words: Sequence[Word],
    vocab: dict[str, int],
    vocab_size: int,
    min_frequency: int,
    num_bytes: Callable[[str], int],
) -> list[Pair]:
    """Merges until the vocabulary is full, or no pair is left that was seen often enough.

    Of equally frequent pairs that of lowest ids is merged. A token that was made before, of another pair, keeps
    its id; then a pair may be gained a second time, and the count that it had when it was merged still counts.
    Pairs that make a token of more than MAX_TOKEN_BYTES are left out, which Hugging Face merges, too.

    Args:
        words: changed in place.
        vocab: tokens and their ids; what is merged is added.
        num_bytes: what a token takes.

    Returns:
        The pairs in the order of their merges.
    """
    tokens, merges = [*vocab], []
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, list[int]] = defaultdict(list)
    for number, word in enumerate(words):
        for pair in itertools.pairwise(word.symbols):
            counts[pair] += word.frequency
            where[pair].append(number)
    # By count, then by pair. The words are those in which the pair was gained.
    queue = [(-counts[pair], pair, sorted(set(places))) for pair, places in where.items()]
    heapq.heapify(queue)
    while queue and len(vocab) < vocab_size:
        negative, pair, places = heapq.heappop(queue)
        if -negative != counts[pair]:  # It has changed since: the pair takes its place by what it is now.
            heapq.heappush(queue, (-counts[pair], pair, places))
            continue
        if counts[pair] < max(min_frequency, 1):
            break
        if num_bytes(tokens[pair[0]]) + num_bytes(tokens[pair[1]]) > MAX_TOKEN_BYTES:
            continue
        joined = tokens[pair[0]] + tokens[pair[1]].removeprefix(CONTINUES)
        made = vocab.setdefault(joined, len(vocab))
        tokens += [joined] * (made == len(tokens))
        merges.append(pair)
        gained = defaultdict(list)
        for number in places:
            for new in _merge_in_word(words[number], pair, made, counts):
                gained[new].append(number)
        for new, found in gained.items():
            if counts[new] > 0:
                heapq.heappush(queue, (-counts[new], new, sorted(set(found))))
    return merges


def _merge_in_word(word: Word, pair: Pair, made: int, counts: Counter[Pair]) -> list[Pair]:
    """Replaces a pair from the left on, counts what that changes beside it, and gives the pairs that are new."""
    symbols, gained = word.symbols, []
    i = 0
    while i + 1 < len(symbols):
        if (symbols[i], symbols[i + 1]) == pair:
            if i > 0:
                counts[symbols[i - 1], pair[0]] -= word.frequency
                gained.append((symbols[i - 1], made))
            if i + 2 < len(symbols):
                counts[pair[1], symbols[i + 2]] -= word.frequency
                gained.append((made, symbols[i + 2]))
            symbols[i : i + 2] = [made]
        i += 1
    for new in gained:
        counts[new] += word.frequency
    return gained


def _numbered(tokens: Iterable[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}
