#include "core/text/model/sentencepiece_bpe.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";
constexpr uint32_t kSpaceCodePoint = 0x2581;
constexpr size_t kKeptIds = 1 << 18;  // Of longer words the memory is given back.

bool IsSpaceMark(std::string_view text, size_t at) {
  return at + kSpaceMark.size() <= text.size() && text[at] == kSpaceMark[0] && text[at + 1] == kSpaceMark[1] &&
         text[at + 2] == kSpaceMark[2];
}

size_t Index(char left, char right) {
  return static_cast<size_t>(static_cast<unsigned char>(left)) << 8 | static_cast<unsigned char>(right);
}

int32_t* Room(std::vector<int32_t>& ids, size_t size) {
  if (ids.size() < size) ids.resize(size);
  return ids.data();
}

}  // namespace

SentencePieceBpe::SentencePieceBpe(const SentencePieceBpeOptions& options)
    : sizes_(options.vocab_size, 0),
      merger_(0),
      has_symbols_(!options.symbols.empty()),
      unknown_id_(options.unknown_id),
      byte_ids_(options.byte_ids),
      whole_words_(options.pieces.size()) {
  for (const Piece& piece : options.pieces) Know(piece);
  for (const Piece& symbol : options.symbols) {
    Know(symbol);
    symbols_.Insert(symbol.text, symbol.id);
  }
  merger_ = Merger(options.merges, options.ranks, Initial(options), options.vocab_size);
  FindCuts();
  FindWholeWords(options.pieces);
}

void SentencePieceBpe::Know(const Piece& piece) {
  sizes_[static_cast<size_t>(piece.id)] = static_cast<uint32_t>(piece.text.size());
  const utf8::Decoded first = utf8::DecodeValid(piece.text.data());
  if (first.size == piece.text.size()) characters_.Insert(first.code_point, piece.id);
}

// Ids that words are spelled with.
std::vector<int32_t> SentencePieceBpe::Initial(const SentencePieceBpeOptions& options) const {
  std::vector<int32_t> ids = options.byte_ids;
  ids.push_back(options.unknown_id);
  characters_.ForEach([&](int32_t id) {
    if (id >= 0) ids.push_back(id);
  });
  return ids;
}

// Between characters that stand side by side in no piece words are cut, so that "dog" and "," are found in the
// table where "dog," is not. Only ASCII is looked at, and spaces.
void SentencePieceBpe::FindCuts() {
  const int32_t space = characters_.Find(kSpaceCodePoint);
  cut_at_spaces_ = space >= 0 && !merger_.adjacency().FollowsAnother(space);
  for (int left = 0; left < 256; ++left) {
    for (int right = 0; right < 128 && left < 128; ++right) {
      const char a = static_cast<char>(left), b = static_cast<char>(right);
      may_part_[Index(a, b)] = !MayMeet(a, b);
    }
    if (cut_at_spaces_) may_part_[Index(static_cast<char>(left), kSpaceMark[0])] = true;
  }
}

// Whether two ASCII characters may become one id.
bool SentencePieceBpe::MayMeet(char left, char right) const {
  const int32_t a = characters_.Find(static_cast<unsigned char>(left));
  const int32_t b = characters_.Find(static_cast<unsigned char>(right));
  if (a < 0 && b < 0) return byte_ids_.empty();  // A run of unknown characters is one id.
  return a >= 0 && b >= 0 && merger_.adjacency().MayMeet(a, b);
}

void SentencePieceBpe::FindWholeWords(const std::vector<Piece>& pieces) {
  int32_t ids[WordTable::kMaxBytes];
  for (const Piece& piece : pieces) {
    const std::string_view text = piece.text;
    if (text.size() > WordTable::kMaxBytes) continue;
    if (merger_.Merge(ids, Spell(text, ids, 0)) != 1 || ids[0] != piece.id) continue;
    whole_words_.Insert(LoadKey(text.data(), text.size(), text.data() + text.size()), piece.id);
  }
}

// Appends to `count` ids at most one a byte, and returns how many there are then. Unknown characters in a row are
// one id unless they become bytes.
size_t SentencePieceBpe::Spell(std::string_view text, int32_t* ids, size_t count) const {
  for (size_t at = 0; at < text.size();) {
    const utf8::Decoded next = utf8::DecodeValid(text.data() + at);
    const int32_t id = characters_.Find(next.code_point);
    if (id >= 0) {
      ids[count++] = id;
    } else if (!byte_ids_.empty()) {
      for (size_t i = at; i < at + next.size; ++i) {
        ids[count++] = byte_ids_[static_cast<unsigned char>(text[i])];
      }
    } else if (count == 0 || ids[count - 1] != unknown_id_) {
      ids[count++] = unknown_id_;
    }
    at += next.size;
  }
  return count;
}

bool SentencePieceBpe::EncodeShort(std::string_view word, const char* readable_end, Workspace& workspace,
                                   TokenSink& sink) const {
  const WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  if (!known.empty()) return sink.Append(known);
  int32_t ids[WordKey::kMaxBytes];
  const Span<const int32_t> fresh(ids, merger_.Merge(ids, Spell(word, ids, 0)));
  workspace.cache.Insert(key, hash, fresh);
  return sink.Append(fresh);
}

// Part by part, so that a text of any length is spelled into a few pages of memory: up to the last place of
// each part where nothing can be merged across.
bool SentencePieceBpe::EncodeLong(std::string_view word, Workspace& workspace, TokenSink& sink) const {
  constexpr size_t kPart = 4096;
  std::vector<int32_t>& ids = workspace.word_ids;
  bool going = true;
  size_t count = 0, part = kPart;
  for (size_t begin = 0, end; going && begin < word.size(); begin = end) {
    end = std::min(word.size(), begin + part);
    while (end < word.size() && utf8::IsContinuation(word[end])) --end;
    int32_t* const symbols = Room(ids, count + (end - begin));
    count = Spell(word.substr(begin, end - begin), symbols, count);
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

// Where the word that begins at `begin` ends: before a space that follows something else, between characters
// that are never merged, or at the end.
size_t SentencePieceBpe::WordEnd(std::string_view run, size_t begin) const {
  size_t at = begin;
  while (cut_at_spaces_ && IsSpaceMark(run, at)) at += kSpaceMark.size();
  for (at = std::max(at, begin + 1); at < run.size(); ++at) {
    if (!may_part_[Index(run[at - 1], run[at])]) continue;
    if (run[at] != kSpaceMark[0] || IsSpaceMark(run, at)) break;
  }
  return at;
}

bool SentencePieceBpe::EncodeRun(std::string_view run, const char* readable_end, Workspace& workspace,
                                 TokenSink& sink) const {
  for (size_t begin = 0, end; begin < run.size(); begin = end) {
    end = WordEnd(run, begin);
    const std::string_view word = run.substr(begin, end - begin);
    const bool going = word.size() <= WordKey::kMaxBytes ? EncodeShort(word, readable_end, workspace, sink)
                                                         : EncodeLong(word, workspace, sink);
    if (!going) return false;
  }
  return true;
}

bool SentencePieceBpe::Encode(std::string_view word, const char* readable_end, Workspace& workspace,
                              TokenSink& sink) const {
  if (!has_symbols_) return EncodeRun(word, readable_end, workspace, sink);
  size_t begin = 0;
  for (size_t at = 0; at < word.size();) {
    const Trie::Match symbol = symbols_.Longest(word.substr(at));
    if (symbol.id < 0) {
      at += utf8::DecodeValid(word.data() + at).size;
      continue;
    }
    if (!EncodeRun(word.substr(begin, at - begin), readable_end, workspace, sink)) return false;
    if (!sink.Push(symbol.id)) return false;
    begin = at += symbol.size;
  }
  return EncodeRun(word.substr(begin), readable_end, workspace, sink);
}

void SentencePieceBpe::EncodeWithPieces(std::string_view word, Workspace& workspace, TokenSink& sink,
                                        std::vector<Cut>& pieces) const {
  const size_t first = sink.size();
  Encode(word, word.data() + word.size(), workspace, sink);
  const auto goes_on = [&](size_t at) {  // A run of unknown characters, which a symbol ends.
    return at < word.size() && characters_.Find(utf8::DecodeValid(word.data() + at).code_point) < 0 &&
           !(has_symbols_ && symbols_.Longest(word.substr(at)).id >= 0);
  };
  size_t at = 0;
  for (size_t i = first; i < sink.size();) {
    const auto id = static_cast<size_t>(sink.ids()[i]);
    size_t end = at + sizes_[id], ids = 1;
    if (end == at && !byte_ids_.empty()) {
      end = at + utf8::DecodeValid(word.data() + at).size;
      ids = end - at;
    } else if (end == at) {
      while (goes_on(end)) end += utf8::DecodeValid(word.data() + end).size;
    }
    pieces.insert(pieces.end(), ids, {at, end});
    at = end;
    i += ids;
  }
}

}  // namespace text
}  // namespace mmcore
