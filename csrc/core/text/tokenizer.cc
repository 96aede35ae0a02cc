#include "core/text/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/decode/byte_characters.h"
#include "core/text/pipeline.h"
#include "core/text/workspace.h"

namespace mmcore {
namespace text {
namespace {

// First text of each share of a batch: shares of about equal bytes, many a thread so that they balance (with four a
// thread two threads were 1.94 times as fast as one, apart from what they share; with sixteen 1.97), none so small
// that handing it out is felt. A batch that takes less time than waking a thread is one share.
std::vector<size_t> CutIntoShares(Span<const std::string_view> texts, size_t threads) {
  constexpr size_t kAlone = 32 * 1024, kMinBytes = 8 * 1024, kPerText = 16, kPerThread = 16;
  size_t total = 0;
  for (const std::string_view text : texts) total += text.size() + kPerText;
  const size_t share = threads <= 1 || total < kAlone ? total : std::max(kMinBytes, total / (kPerThread * threads));
  std::vector<size_t> starts;
  size_t bytes = share;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (bytes >= share) starts.push_back(i), bytes = 0;
    bytes += texts[i].size() + kPerText;
  }
  starts.push_back(texts.size());
  return starts;
}

// Where position `at` of the repaired text was before. What lies within a replacement moves to its end.
int64_t OriginalPosition(int64_t at, const std::vector<utf8::Replacement>& replacements) {
  const auto position = static_cast<size_t>(at);
  const auto next = std::upper_bound(replacements.begin(), replacements.end(), position,
                                     [](size_t value, const auto& r) { return value < r.repaired_end; });
  if (next != replacements.end() && position + 3 > next->repaired_end)
    return static_cast<int64_t>(next->original_end);
  if (next == replacements.begin()) return at;
  const utf8::Replacement& last = *std::prev(next);
  return static_cast<int64_t>(last.original_end + (position - last.repaired_end));
}

// Runs `encode`; what it throws says which text of the batch is meant.
template <typename Encode>
void NameText(size_t row, const Encode& encode) {
  const auto named = [row](const std::exception& e) {
    return "text " + std::to_string(row) + " of the batch: " + e.what();
  };
  try {
    encode();
  } catch (const LimitError& e) {
    throw LimitError(named(e));
  } catch (const InvalidArgument& e) {
    throw InvalidArgument(named(e));
  }
}

// Fills what `length` ids at the begin of a row leave of it.
void FillRow(const PaddedRows& out, size_t row, size_t length, int32_t pad, bool at_begin) {
  int32_t* ids = out.ids + row * out.width;
  bool* mask = out.mask + row * out.width;
  const size_t rest = out.width - length;
  if (at_begin) {
    std::copy_backward(ids, ids + length, ids + out.width);
    std::fill_n(ids, rest, pad);
  } else {
    std::fill_n(ids + length, rest, pad);
  }
  std::memset(mask + (at_begin ? rest : 0), 1, length);
  std::memset(mask + (at_begin ? 0 : length), 0, rest);
}

// Hardly any text has more ids than bytes.
size_t UsualIds(Span<const std::string_view> texts, size_t num_special) {
  constexpr size_t kMost = size_t{1} << 28;
  size_t count = texts.size() * num_special;
  for (const std::string_view text : texts) count += text.size();
  return std::min(count, kMost);
}

// The ids of all sinks, one after the other, and empties them.
LargeArray<int32_t> Join(std::vector<TokenSink>& sinks, Executor& executor) {
  if (sinks.size() == 1) return sinks[0].Take();
  std::vector<size_t> begins(1, 0);
  for (const TokenSink& sink : sinks) begins.push_back(begins.back() + sink.size());
  LargeArray<int32_t> joined(begins.back());
  executor.ParallelFor(sinks.size(), [&](size_t s) {
    const LargeArray<int32_t> part = sinks[s].Take();
    std::copy(part.data(), part.data() + part.size(), joined.data() + begins[s]);
  });
  return joined;
}

// Each byte of `text`, valid UTF-8, stands for its character.
std::vector<Offset> OwnOrigins(std::string_view text) {
  std::vector<Offset> origins;
  origins.reserve(text.size());
  while (origins.size() < text.size()) {
    const size_t begin = origins.size(), size = utf8::DecodeValid(text.data() + begin).size;
    origins.resize(begin + size, {static_cast<int64_t>(begin), static_cast<int64_t>(begin + size)});
  }
  return origins;
}

}  // namespace

Tokenizer::Tokenizer(Span<const uint8_t> spec)
    : bytes_(spec.begin(), spec.end()),
      spec_(ParseSpec(bytes_)),
      model_(MakeModel(spec_)),
      is_special_(spec_.tokens.size(), false),
      workspaces_(std::make_unique<WorkspacePool>()) {
  for (const Part& part : spec_.decoders) decoders_.push_back(MakeDecoder(part));
  AddTokens();
}

Tokenizer::~Tokenizer() = default;

// Late tokens are found by what the normalizers make of them, and decoded to that. Decoding leaves out, as Hugging
// Face does, whatever has then the content of a special token: a late one that changed is special no more.
void Tokenizer::AddTokens() {
  WorkspacePool::Lease workspace(*workspaces_);
  std::unordered_set<std::string_view> special;
  for (const AddedToken& token : spec_.added) {
    if (token.special) special.insert(token.content);
  }
  for (const AddedToken& token : spec_.added) {
    std::string_view found = token.content;
    if (token.late) {
      const TextPiece piece{found, found.data() + found.size(), nullptr, true};
      found = model_->Normalize(piece, *workspace).text;
      if (found.empty()) {
        throw DataError("tokenizer specification has the added token " + std::string(token.content) +
                        ", of which the normalizers leave nothing");
      }
    }
    (token.late ? late_ : early_).Add(token, found);
    is_special_[static_cast<size_t>(token.id)] = special.count(found) != 0;
    if (found != token.content) DecodeAs(found, token);
  }
}

void Tokenizer::DecodeAs(std::string_view normalized, const AddedToken& token) {
  const bool as_bytes = !spec_.decoders.empty() && spec_.decoders[0].tag == kDecodeByteLevel;
  normalized_.push_back(as_bytes ? SpelledBytes(normalized) : std::string(normalized));
  spec_.tokens[static_cast<size_t>(token.id)] = normalized_.back();
}

size_t Tokenizer::ContentLimit(const EncodeOptions& options) const {
  if (options.max_length == 0) return TokenSink::kNoLimit;
  const size_t special = options.add_special ? num_special() : 0;
  if (options.max_length < special) {
    throw InvalidArgument("max_length is " + std::to_string(options.max_length) +
                          ", but the tokenizer adds " + std::to_string(special) +
                          " special tokens to each text; raise it or pass add_special=False");
  }
  return options.max_length - special;
}

void Tokenizer::CheckSize(std::string_view text) const {
  if (text.size() <= spec_.max_text_bytes) return;
  throw LimitError("a text has " + std::to_string(text.size()) + " bytes, the limit max_text_bytes is " +
                   std::to_string(spec_.max_text_bytes) +
                   "; split the text or load the tokenizer with a higher one");
}

void Tokenizer::EncodeContent(std::string_view text, SpecialText rule, Workspace& workspace,
                              TokenSink& sink) const {
  const auto push = [&](const AddedToken& token, const TextPiece&) { return sink.Push(token.id); };
  const auto encode = [&](const TextPiece& piece) { return model_->Encode(piece, workspace, sink); };
  const auto normalize = [&](const TextPiece& piece) {
    return late_.Split(model_->Normalize(piece, workspace), rule, encode, push);
  };
  early_.Split({text, text.data() + text.size(), nullptr, true}, rule, normalize, push);
}

// Appends the last `limit` ids of a text. False: there are more.
bool Tokenizer::EncodeEnd(std::string_view text, SpecialText rule, size_t limit, Workspace& workspace,
                          TokenSink& sink) const {
  TokenSink all;
  all.BeginRow(TokenSink::kNoLimit);
  EncodeContent(text, rule, workspace, all);
  const size_t kept = std::min(all.size(), limit);
  sink.Append(all.ids().subspan(all.size() - kept, kept));
  return kept == all.size();
}

void Tokenizer::EncodeRow(std::string_view text, const EncodeOptions& options, Workspace& workspace,
                          TokenSink& sink) const {
  CheckSize(text);
  const size_t limit = ContentLimit(options);
  sink.BeginRow(TokenSink::kNoLimit);
  if (options.add_special) sink.Append(spec_.before);
  sink.BeginRow(limit);
  std::string repaired;
  if (utf8::ValidPrefix(text) != text.size()) {
    repaired = utf8::Repair(text);
    text = repaired;
  }
  bool fits = true;
  if (spec_.cut_at_begin && limit != TokenSink::kNoLimit) {
    fits = EncodeEnd(text, options.special, limit, workspace, sink);
  } else if (!text.empty()) {
    EncodeContent(text, options.special, workspace, sink);
    fits = !sink.overflowed();
  }
  if (!fits && !options.truncate) {
    throw InvalidArgument("a text needs more than max_length=" + std::to_string(options.max_length) +
                          " tokens; raise it or pass truncate=True");
  }
  sink.BeginRow(TokenSink::kNoLimit);
  if (options.add_special) sink.Append(spec_.after);
}

std::vector<int32_t> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  WorkspacePool::Lease workspace(*workspaces_);
  TokenSink sink;
  EncodeRow(text, options, *workspace, sink);
  return {sink.ids().begin(), sink.ids().end()};
}

std::vector<Offset> Tokenizer::Offsets(std::string_view text, const EncodeOptions& options) const {
  return EncodeTracked(text, options, {}).offsets;
}

TrackedIds Tokenizer::EncodeTracked(std::string_view text, const EncodeOptions& options,
                                    Span<const Offset> plain) const {
  CheckSize(text);
  std::vector<utf8::Replacement> replacements;
  const std::string repaired = utf8::Repair(text, &replacements);
  const SpecialRule rule(options.special, plain);
  WorkspacePool::Lease workspace(*workspaces_);
  TokenSink sink;
  sink.BeginRow(TokenSink::kNoLimit);
  TrackedIds out;
  std::vector<Offset>& offsets = out.offsets;
  const std::vector<Offset> origins = OwnOrigins(repaired);
  const auto add = [&](const AddedToken& token, const TextPiece& piece) {
    offsets.push_back({piece.origins[0].begin, piece.origins[piece.text.size() - 1].end});
    return sink.Push(token.id);
  };
  const auto encode = [&](const TextPiece& piece) {
    model_->EncodeWithOffsets(piece, *workspace, sink, offsets);
    return true;
  };
  const auto normalize = [&](const TextPiece& piece) {
    return late_.Split(model_->Normalize(piece, *workspace), rule, encode, add);
  };
  if (options.add_special) {
    offsets.assign(spec_.before.size(), {0, 0});
    sink.Append(spec_.before);
  }
  early_.Split({repaired, repaired.data() + repaired.size(), origins.data(), true}, rule, normalize, add);
  for (Offset& offset : offsets) {
    offset = {OriginalPosition(offset.begin, replacements), OriginalPosition(offset.end, replacements)};
  }
  if (options.add_special) {
    offsets.insert(offsets.end(), spec_.after.size(), {0, 0});
    sink.Append(spec_.after);
  }
  out.ids.assign(sink.ids().begin(), sink.ids().end());
  return out;
}

Ragged Tokenizer::EncodeRagged(Span<const std::string_view> texts, const EncodeOptions& options,
                               Executor& executor) const {
  ContentLimit(options);  // Throws here rather than in each thread.
  const std::vector<size_t> shares = CutIntoShares(texts, executor.concurrency());
  std::vector<TokenSink> sinks(shares.size() - 1);
  Ragged out;
  out.row_splits.resize(texts.size() + 1, 0);
  executor.ParallelFor(sinks.size(), [&](size_t s) {
    WorkspacePool::Lease workspace(*workspaces_);
    sinks[s].Reserve(UsualIds(texts.subspan(shares[s], shares[s + 1] - shares[s]), num_special()));
    for (size_t i = shares[s]; i < shares[s + 1]; ++i) {
      const size_t before = sinks[s].size();
      NameText(i, [&] { EncodeRow(texts[i], options, *workspace, sinks[s]); });
      out.row_splits[i + 1] = static_cast<int64_t>(sinks[s].size() - before);
    }
  });
  out.values = Join(sinks, executor);
  for (size_t i = 0; i < texts.size(); ++i) out.row_splits[i + 1] += out.row_splits[i];
  return out;
}

void Tokenizer::EncodePadded(Span<const std::string_view> texts, const EncodeOptions& options,
                             Executor& executor, PaddedRows out) const {
  EncodeOptions row_options = options;
  row_options.max_length = out.width;
  if (out.width == 0) throw InvalidArgument("max_length must be at least 1, got 0");
  ContentLimit(row_options);
  const std::vector<size_t> shares = CutIntoShares(texts, executor.concurrency());
  const int32_t pad = std::max(spec_.pad_id, 0);
  executor.ParallelFor(shares.size() - 1, [&](size_t s) {
    WorkspacePool::Lease workspace(*workspaces_);
    for (size_t i = shares[s]; i < shares[s + 1]; ++i) {
      TokenSink sink(out.ids + i * out.width, out.width);
      NameText(i, [&] { EncodeRow(texts[i], row_options, *workspace, sink); });
      FillRow(out, i, sink.size(), pad, spec_.fill_at_begin);
    }
  });
}

void Tokenizer::Pad(const Ragged& rows, Executor& executor, PaddedRows out) const {
  constexpr size_t kRowsPerItem = 1024;
  const size_t count = rows.row_splits.size() - 1;
  const int32_t pad = std::max(spec_.pad_id, 0);
  executor.ParallelFor((count + kRowsPerItem - 1) / kRowsPerItem, [&](size_t item) {
    for (size_t i = item * kRowsPerItem; i < std::min(count, (item + 1) * kRowsPerItem); ++i) {
      const auto begin = static_cast<size_t>(rows.row_splits[i]),
                 end = static_cast<size_t>(rows.row_splits[i + 1]);
      std::copy(rows.values.data() + begin, rows.values.data() + end, out.ids + i * out.width);
      FillRow(out, i, end - begin, pad, spec_.fill_at_begin);
    }
  });
}

std::string_view Tokenizer::TokenText(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= spec_.tokens.size()) {
    throw InvalidArgument("the id " + std::to_string(id) + " is not in the vocabulary of " +
                          std::to_string(spec_.tokens.size()));
  }
  return spec_.tokens[static_cast<size_t>(id)];
}

std::string Tokenizer::Decode(Span<const int32_t> ids, bool skip_special) const {
  TokenTexts texts, next;
  for (const int32_t id : ids) {
    const std::string_view token = TokenText(id);
    if (skip_special && IsSpecial(id)) continue;
    if (token.empty()) continue;  // A gap in the vocabulary.
    if (decoders_.empty() && texts.size() != 0) texts.Write(" ");
    texts.Add(token);
  }
  constexpr size_t kSmall = size_t{1} << 20, kGrowth = 64;
  const size_t limit = kSmall + kGrowth * texts.joined().size();
  for (const auto& decoder : decoders_) {
    next.Clear();
    next.SetLimit(limit);
    decoder->Apply(texts, next);
    std::swap(texts, next);
  }
  return utf8::Repair(texts.joined());
}

}  // namespace text
}  // namespace mmcore
