#include "core/text/model/bpe.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr size_t kKeptIds = size_t{1} << 18;  // Of longer words the memory is given back.
constexpr std::string_view kSpace = "\xE2\x96\x81";
constexpr uint32_t kSpaceCodePoint = 0x2581;

int32_t* Room(std::vector<int32_t>& ids, size_t size) {
  if (ids.size() < size) ids.resize(size);
  return ids.data();
}

}  // namespace

Bpe::Bpe(const BpeSpec& spec, size_t vocab_size)
    : byte_level_(spec.byte_level),
      speller_(spec),
      merger_(spec.merges, speller_.Initial(), vocab_size),
      whole_words_(spec.pieces.size()) {
  FindWholeWords(spec);
  cut_at_spaces_ = CanCutAtSpaces(spec);
  if (cut_at_spaces_) FindAsciiCuts();
}

void Bpe::FindAsciiCuts() {
  for (uint32_t left = 0; left < kAscii; ++left) {
    for (uint32_t right = 0; right < kAscii; ++right) {
      const int32_t before = speller_.Find(left), after = speller_.Find(right);
      const bool known = before >= 0 && after >= 0;
      may_join_[left * kAscii + right] = !known || merger_.adjacency().MayMeet(before, after);
    }
  }
}

void Bpe::FindWholeWords(const BpeSpec& spec) {
  // Whether a token encodes as itself is tried, not assumed: nothing forbids a vocabulary whose merges never
  // reach some token.
  std::vector<int32_t> ids;
  for (const auto& [text, id] : spec.pieces) {
    std::string_view word = text;
    if (!spec.ignore_merges) {
      const size_t stem = word.size() - std::min(word.size(), spec.suffix.size());
      if (word.substr(stem) != spec.suffix || stem > WordTable::kMaxBytes) continue;
      word = word.substr(0, stem);
    }
    if (word.empty()) continue;
    const bool whole = IsWhole(word, id, ids);
    if (!whole && !spec.ignore_merges) continue;
    ignores_merges_ |= !whole;
    if (word.size() > WordTable::kMaxBytes) {
      long_words_.emplace(word, id);
    } else {
      whole_words_.Insert(LoadKey(word.data(), word.size(), word.data() + word.size()), id);
    }
  }
  if (!ignores_merges_) long_words_.clear();
}

// Whether merging `word` gives the one id. A token that is no text (a part of a character) is no word.
bool Bpe::IsWhole(std::string_view word, int32_t id, std::vector<int32_t>& ids) const {
  if (!byte_level_ && utf8::ValidPrefix(word) != word.size()) return false;
  int32_t* symbols = Room(ids, speller_.MaxSymbols(word.size()));
  return merger_.Merge(symbols, speller_.Spell(word, symbols)) == 1 && symbols[0] == id;
}

bool Bpe::CanCutAtSpaces(const BpeSpec& spec) const {
  if (spec.byte_level || !spec.prefix.empty() || !spec.suffix.empty()) return false;
  // Where merges are ignored, what stands between spaces could be taken for a word.
  if (ignores_merges_) return false;
  // Where a character is dropped, the spaces around it are neighbours.
  if (!speller_.SpellsAll()) return false;
  const int32_t space = speller_.Find(kSpaceCodePoint);
  return space >= 0 && !merger_.adjacency().FollowsAnother(space);
}

bool Bpe::Encode(std::string_view word, const char* readable_end, Workspace& workspace,
                 TokenSink& sink) const {
  if (word.size() <= WordKey::kMaxBytes) return EncodeShort(word, readable_end, workspace, sink);
  if (cut_at_spaces_) return EncodeBySpaces(word, readable_end, workspace, sink);
  return EncodeLong(word, workspace, sink);
}

bool Bpe::EncodeShort(std::string_view word, const char* readable_end, Workspace& workspace,
                      TokenSink& sink) const {
  const WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  return known.empty() ? EncodeMissed(word, key, hash, workspace, sink) : sink.Append(known);
}

bool Bpe::EncodeMissed(std::string_view word, const WordKey& key, uint64_t hash, Workspace& workspace,
                       TokenSink& sink) const {
  const int32_t long_word = FindLongWord(word);
  if (long_word >= 0) return sink.Push(long_word);
  int32_t* const ids = Room(workspace.word_ids, speller_.MaxSymbols(word.size()));
  const Span<const int32_t> fresh(ids, merger_.Merge(ids, speller_.Spell(word, ids)));
  workspace.cache.Insert(key, hash, fresh);
  return sink.Append(fresh);
}

bool Bpe::EncodeWords(const char* text, Span<const Cut> words, const char* readable_end, Workspace& workspace,
                      TokenSink& sink) const {
  WordBatch batch = MakeBatch(readable_end, workspace, sink);
  for (const Cut& word : words) {
    const bool full = batch.Add({text + word.begin, word.end - word.begin});
    if (full && !EncodeBatch(batch, readable_end, workspace, sink)) return false;
  }
  return EncodeBatch(batch, readable_end, workspace, sink);
}

bool Bpe::EncodeBatch(WordBatch& batch, const char* readable_end, Workspace& workspace, TokenSink& sink) const {
  return batch.Encode(
      [&](std::string_view word, const WordKey& key, uint64_t hash) {
        return EncodeMissed(word, key, hash, workspace, sink);
      },
      [&](std::string_view word) { return Encode(word, readable_end, workspace, sink); });
}

int32_t Bpe::FindLongWord(std::string_view word) const {
  if (long_words_.empty()) return -1;
  const auto found = long_words_.find(word);
  return found == long_words_.end() ? -1 : found->second;
}

// The end of a part that is encoded on its own: before a space, or between two characters of ASCII that are in no
// token side by side. (Without the latter "word", "word," and "word." were words of their own, and the cache could
// not hold them all: 27 ns a byte of English instead of 21.)
size_t Bpe::PartEnd(std::string_view text, size_t begin) const {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto is_space = [&](size_t at) {
    return byte(at) == 0xE2 && text.compare(at, kSpace.size(), kSpace) == 0;
  };
  size_t end = begin;
  while (end < text.size() && is_space(end)) end += kSpace.size();
  if (end == begin) ++end;
  for (; end < text.size() && !is_space(end); ++end) {
    const size_t left = byte(end - 1), right = byte(end);
    if ((left | right) < kAscii && !may_join_[left * kAscii + right]) break;
  }
  return end;
}

// What stands before a space is merged with nothing behind it: the text is encoded word by word.
bool Bpe::EncodeBySpaces(std::string_view text, const char* readable_end, Workspace& workspace,
                         TokenSink& sink) const {
  WordBatch batch = MakeBatch(readable_end, workspace, sink);
  const auto encode = [&] {
    return batch.Encode(
        [&](std::string_view word, const WordKey& key, uint64_t hash) {
          return EncodeMissed(word, key, hash, workspace, sink);
        },
        [&](std::string_view word) { return EncodeLong(word, workspace, sink); });
  };
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    end = PartEnd(text, begin);
    if (batch.Add(text.substr(begin, end - begin)) && !encode()) return false;
  }
  return encode();
}

// Part by part, so that a text of any length is spelled into a few pages of memory: up to the last place of
// each part where nothing can be merged across.
bool Bpe::EncodeLong(std::string_view word, Workspace& workspace, TokenSink& sink) const {
  constexpr size_t kPart = 4096;
  const int32_t whole = FindLongWord(word);
  if (whole >= 0) return sink.Push(whole);
  std::vector<int32_t>& ids = workspace.word_ids;
  uint32_t unknown_bytes = 0;
  bool going = true;
  size_t count = 0, part = kPart;
  for (size_t begin = 0, end; going && begin < word.size(); begin = end) {
    end = std::min(word.size(), begin + part);
    while (!byte_level_ && end < word.size() && utf8::IsContinuation(word[end])) --end;
    int32_t* const symbols = Room(ids, count + speller_.MaxSymbols(end - begin));
    count += speller_.Spell(word, begin, end, unknown_bytes, symbols + count, nullptr);
    const size_t cut = end == word.size() ? count : merger_.LastCut(symbols, count);
    part = cut == 0 ? 2 * part : kPart;
    if (cut == 0) continue;
    going = sink.Append({symbols, merger_.Merge(symbols, cut)});
    std::copy(symbols + cut, symbols + count, symbols);
    count -= cut;
  }
  if (ids.size() > kKeptIds) std::vector<int32_t>().swap(ids);
  return going;
}

void Bpe::EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                           std::vector<Cut>& pieces) const {
  int32_t whole = FindLongWord(word);
  if (whole < 0 && word.size() <= WordTable::kMaxBytes) {
    whole = whole_words_.Find(LoadKey(word.data(), word.size(), word.data() + word.size()));
  }
  if (whole >= 0) {
    sink.Push(whole);
    pieces.push_back({0, word.size()});
    return;
  }
  const size_t room = speller_.MaxSymbols(word.size());
  std::vector<uint32_t> sizes(room);
  int32_t* const ids = Room(workspace.word_ids, room);
  const size_t count = merger_.MergeWithSizes(ids, sizes.data(), speller_.Spell(word, ids, sizes.data()));
  sink.Append({ids, count});
  // Characters that are dropped or spelled with more bytes than they have move what follows, as in Hugging
  // Face, but never out of the word.
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t end = std::min(word.size(), at + sizes[i]);
    pieces.push_back({std::min(at, end - 1), end});
    at = end;
  }
}

}  // namespace text
}  // namespace mmcore
