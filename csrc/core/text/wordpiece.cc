#include "core/text/wordpiece.h"

#include <algorithm>

#include "core/text/bert_normalizer.h"

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

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// What Hugging Face's WordPiece decoder does to each token, in this order.
void CleanUp(std::string& token) {
  static constexpr std::string_view kRules[][2] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& rule : kRules) ReplaceAll(token, rule[0], rule[1]);
}

}  // namespace

WordPiece::WordPiece(const Spec& spec) : spec_(spec.wordpiece), whole_words_(spec.wordpiece.words.size()) {
  for (const Piece& piece : spec_.words) {
    words_.Insert(piece.text, piece.id);
    if (piece.text.empty() || piece.text.size() > WordTable::kMaxBytes) continue;
    // A word within the table's size may still be longer than the model's limit on characters.
    if (piece.text.size() > spec_.max_word_chars) continue;
    whole_words_.Insert(LoadKey(piece.text.data(), piece.text.size(), piece.text.data()), piece.id);
  }
  for (const Piece& piece : spec_.suffixes) suffixes_.Insert(piece.text, piece.id);
}

bool WordPiece::Cut(std::string_view word, std::vector<int32_t>& ids, std::vector<size_t>* ends) const {
  ids.clear();
  for (size_t at = 0; at < word.size();) {
    const Trie::Match match = (at == 0 ? words_ : suffixes_).Longest(word.substr(at));
    if (match.id < 0) return false;
    ids.push_back(match.id);
    at += match.size;
    if (ends != nullptr) ends->push_back(at);
  }
  return true;
}

bool WordPiece::EncodeUncached(std::string_view word, Workspace& workspace, TokenSink& sink) const {
  if (!Cut(word, workspace.word_ids, nullptr)) return sink.Push(spec_.unknown_id);
  return sink.Append(workspace.word_ids);
}

bool WordPiece::EncodeMissed(const WordKey& key, uint64_t hash, std::string_view word, Workspace& workspace,
                             TokenSink& sink) const {
  if (!Cut(word, workspace.word_ids, nullptr)) workspace.word_ids.assign(1, spec_.unknown_id);
  workspace.cache.Insert(key, hash, workspace.word_ids);
  return sink.Append(workspace.word_ids);
}

bool WordPiece::EncodeAscii(std::string_view word, bool lower, const char* readable_end, Workspace& workspace,
                            TokenSink& sink) const {
  if (word.size() > spec_.max_word_chars) return sink.Push(spec_.unknown_id);
  const auto lowered = [&] {
    workspace.word.assign(word);
    if (lower) {
      for (char& c : workspace.word) c = static_cast<char>(c | 0x20);
    }
    return std::string_view(workspace.word);
  };
  if (word.size() > WordKey::kMaxBytes) return EncodeUncached(lowered(), workspace, sink);
  WordKey key = LoadKey(word.data(), word.size(), readable_end);
  if (lower) key = Lowered(key);
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  return known.empty() ? EncodeMissed(key, hash, lowered(), workspace, sink) : sink.Append(known);
}

bool WordPiece::EncodeNormalized(std::string_view word, size_t chars, Workspace& workspace,
                                 TokenSink& sink) const {
  if (chars > spec_.max_word_chars) return sink.Push(spec_.unknown_id);
  if (word.size() > WordKey::kMaxBytes) return EncodeUncached(word, workspace, sink);
  const WordKey key = LoadKey(word.data(), word.size(), word.data() + word.size());
  if (word.size() <= WordTable::kMaxBytes) {
    const int32_t id = whole_words_.Find(key);
    if (id >= 0) return sink.Push(id);
  }
  const uint64_t hash = Hash(key);
  const Span<const int32_t> known = workspace.cache.Find(key, hash);
  return known.empty() ? EncodeMissed(key, hash, word, workspace, sink) : sink.Append(known);
}

// Gathers the characters of a word; encodes it when it is complete.
struct WordPiece::Collector {
  void Character(uint32_t c, size_t) {
    // Of a word that is too long only the number of characters matters.
    if (++chars > model.spec_.max_word_chars) return;
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

  const WordPiece& model;
  Workspace& workspace;
  TokenSink& sink;
  size_t chars = 0;
};

void WordPiece::Encode(std::string_view text, const char* readable_end, Workspace& workspace,
                       TokenSink& sink) const {
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
      while (q < end && class_at(q) == BertClass::kWord) ++q;
    }
    if (first == BertClass::kPunctuation || q == end || class_at(q) != BertClass::kOther) {
      const bool lower = spec_.lowercase && first == BertClass::kWord;
      if (!EncodeAscii({p, static_cast<size_t>(q - p)}, lower, readable_end, workspace, sink)) return;
      p = q;
      continue;
    }
    // A word with anything but ASCII letters and digits: character by character up to where ASCII surely ends
    // it.
    workspace.word.clear();
    Collector collector{*this, workspace, sink};
    BertNormalizer<Collector> normalizer(spec_, workspace.waiting, collector);
    while (p < end && class_at(p) != BertClass::kSpace && class_at(p) != BertClass::kPunctuation) {
      const utf8::Decoded c = utf8::DecodeValid(p);
      if (!normalizer.Add(c.code_point, 0)) return;
      p += c.size;
    }
    if (!normalizer.Finish()) return;
  }
}

// As Collector, slower, remembering where each character of the word comes from.
struct WordPiece::OffsetCollector {
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
    if (chars > model.spec_.max_word_chars || !model.Cut(word, ids, &ends)) {
      ids.assign(1, model.spec_.unknown_id);
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

  const WordPiece& model;
  std::string_view text;
  int64_t base;
  TokenSink& sink;
  std::vector<Offset>& offsets;
  std::string word;
  std::vector<size_t> sources;
  size_t chars = 0;
};

void WordPiece::EncodeWithOffsets(std::string_view text, int64_t base, Workspace& workspace, TokenSink& sink,
                                  std::vector<Offset>& offsets) const {
  OffsetCollector collector{*this, text, base, sink, offsets, {}, {}};
  BertNormalizer<OffsetCollector> normalizer(spec_, workspace.waiting, collector);
  for (size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::DecodeValid(text.data() + at);
    normalizer.Add(c.code_point, at);
    at += c.size;
  }
  normalizer.Finish();
}

std::string WordPiece::Decode(Span<const std::string_view> tokens) const {
  std::string out, token;
  for (size_t i = 0; i < tokens.size(); ++i) {
    token.clear();
    const bool goes_on = tokens[i].substr(0, spec_.prefix.size()) == spec_.prefix;
    if (i != 0 && !goes_on) token = " ";
    token += i != 0 && goes_on ? tokens[i].substr(spec_.prefix.size()) : tokens[i];
    if (spec_.cleanup) CleanUp(token);
    out += token;
  }
  return out;
}

}  // namespace text
}  // namespace mmcore
