#include "core/text/wordpiece.h"

#include <cstdint>
#include <string>

#include "core/text/split/word_tables.h"

namespace mmcore {
namespace text {
namespace {

constexpr uint64_t kLowerBits = 0x2020202020202020u;

// Lower case of a key of ASCII letters and digits: only bit 5 of letters changes, and digits have it set.
WordKey Lowered(WordKey key) {
  key.a |= KeepBytes(kLowerBits, key.size);
  if (key.size > 8) key.b |= KeepBytes(kLowerBits, key.size - 8);
  if (key.size > 16) key.c |= KeepBytes(kLowerBits, key.size - 16);
  return key;
}

}  // namespace

bool BertWordPiece::EncodeAscii(std::string_view word, bool lower, const char* readable_end,
                                Workspace& workspace, TokenSink& sink) const {
  if (word.size() > model_.max_word_chars()) return sink.Push(model_.unknown_id());
  const auto lowered = [&] {
    workspace.word.assign(word);
    if (lower) {
      for (char& c : workspace.word) c = static_cast<char>(c | 0x20);
    }
    return std::string_view(workspace.word);
  };
  if (word.size() > WordKey::kMaxBytes) return model_.EncodeUncached(lowered(), workspace, sink);
  WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (lower) key = Lowered(key);
  return model_.EncodeKey(key, lowered, workspace, sink);
}

bool BertWordPiece::EncodeNormalized(std::string_view word, size_t chars, Workspace& workspace,
                                     TokenSink& sink) const {
  if (chars > model_.max_word_chars()) return sink.Push(model_.unknown_id());
  if (word.size() > WordKey::kMaxBytes) return model_.EncodeUncached(word, workspace, sink);
  const WordKey key = LoadKey(word.data(), word.size(), word.data() + word.size());
  return model_.EncodeKey(
      key, [&] { return word; }, workspace, sink);
}

// Gathers the characters of a word; encodes it when it is complete.
struct BertWordPiece::Collector {
  void Character(uint32_t c, size_t) {
    // Of a word that is too long only the number of characters matters.
    if (++chars > model.model_.max_word_chars()) return;
    char bytes[4];
    workspace.word.append(bytes, utf8::Encode(c, bytes));
  }

  bool EndWord() {
    if (chars == 0) return true;
    const bool going = model.EncodeNormalized(workspace.word, chars, workspace, sink);
    workspace.word.clear();
    chars = 0;
    return going;
  }

  size_t most_characters() const { return model.model_.max_word_chars(); }

  const BertWordPiece& model;
  Workspace& workspace;
  TokenSink& sink;
  size_t chars = 0;
};

bool BertWordPiece::Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const {
  const std::string_view text = piece.text;
  const char* const end = text.data() + text.size();
  const auto class_at = [](const char* p) { return kBertClasses[static_cast<unsigned char>(*p)]; };
  const char* p = text.data();
  while (p < end) {
    const BertClass first = class_at(p);
    if (first == BertClass::kSpace) {
      ++p;
      continue;
    }
    const char* q = p;
    if (first == BertClass::kPunctuation) {
      ++q;
    } else {
      q = words::SkipAsciiLetters('a', 0x20, q, end);
      while (q < end && class_at(q) == BertClass::kWord) ++q;
    }
    if (first == BertClass::kPunctuation || q == end || class_at(q) != BertClass::kOther) {
      const bool lower = options_.lowercase && first == BertClass::kWord;
      if (!EncodeAscii({p, static_cast<size_t>(q - p)}, lower, piece.readable_end, workspace, sink)) return false;
      p = q;
      continue;
    }
    // A word with anything but ASCII letters and digits: character by character up to where ASCII surely ends
    // it.
    workspace.word.clear();
    Collector collector{*this, workspace, sink};
    BertNormalizer<Collector> normalizer(options_, workspace.waiting, collector);
    while (p < end && class_at(p) != BertClass::kSpace && class_at(p) != BertClass::kPunctuation) {
      const utf8::Decoded c = utf8::DecodeValid(p);
      if (!normalizer.Add(c.code_point, 0)) return false;
      p += c.size;
    }
    if (!normalizer.Finish()) return false;
  }
  return true;
}

// As Collector, slower, remembering where each character of the word comes from.
struct BertWordPiece::OffsetCollector {
  void Character(uint32_t c, size_t source) {
    char bytes[4];
    const size_t size = utf8::Encode(c, bytes);
    word.append(bytes, size);
    sources.resize(word.size(), source);  // One entry a byte.
    ++chars;
  }

  int64_t SourceEnd(size_t byte) const {
    return static_cast<int64_t>(sources[byte] + utf8::DecodeValid(text.data() + sources[byte]).size);
  }

  bool EndWord() {
    if (chars == 0) return true;
    std::vector<int32_t> ids;
    std::vector<size_t> ends;
    if (chars > model.model_.max_word_chars() || !model.model_.CutWord(word, ids, &ends)) {
      ids.assign(1, model.model_.unknown_id());
      ends.assign(1, word.size());
    }
    size_t begin = 0;
    for (const size_t end : ends) {
      offsets.push_back({base + static_cast<int64_t>(sources[begin]), base + SourceEnd(end - 1)});
      begin = end;
    }
    sink.Append(ids);
    word.clear();
    sources.clear();
    chars = 0;
    return true;
  }

  size_t most_characters() const { return SIZE_MAX; }  // The offsets need all.

  const BertWordPiece& model;
  std::string_view text;
  int64_t base;
  TokenSink& sink;
  std::vector<Offset>& offsets;
  std::string word;
  std::vector<size_t> sources;
  size_t chars = 0;
};

void BertWordPiece::EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                                      std::vector<Offset>& offsets) const {
  const std::string_view text = piece.text;
  OffsetCollector collector{*this, text, piece.origins->begin, sink, offsets, {}, {}};
  BertNormalizer<OffsetCollector> normalizer(options_, workspace.waiting, collector);
  for (size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    normalizer.Add(c.code_point, at);
    at += c.size;
  }
  normalizer.Finish();
}

}  // namespace text
}  // namespace mmcore
