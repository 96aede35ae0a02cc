#include "core/text/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/bpe.h"
#include "core/text/wordpiece.h"
#include "core/text/workspace.h"

namespace mmcore {
namespace text {
namespace {

std::unique_ptr<const Model> MakeModel(const Spec& spec) {
  if (spec.kind == Spec::kWordPiece) return std::make_unique<WordPiece>(spec);
  return std::make_unique<ByteLevelBpe>(spec);
}

// First text of each share of a batch: shares of about equal bytes, several a thread so that they balance,
// none so small that handing it out costs more than encoding it.
std::vector<size_t> CutIntoShares(Span<const std::string_view> texts, size_t threads) {
  constexpr size_t kMinBytes = 32 * 1024, kPerText = 16;
  size_t total = 0;
  for (const std::string_view text : texts) total += text.size() + kPerText;
  const size_t share = threads <= 1 ? total : std::max(kMinBytes, total / (4 * threads));
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

void FillRow(const PaddedRows& out, size_t row, size_t length, int32_t pad) {
  int32_t* ids = out.ids + row * out.width;
  std::fill(ids + length, ids + out.width, pad);
  bool* mask = out.mask + row * out.width;
  std::memset(mask, 1, length);
  std::memset(mask + length, 0, out.width - length);
}

}  // namespace

Tokenizer::Tokenizer(Span<const uint8_t> spec)
    : bytes_(spec.begin(), spec.end()),
      spec_(ParseSpec(bytes_)),
      added_(spec_.added),
      model_(MakeModel(spec_)),
      is_special_(spec_.tokens.size(), false),
      workspaces_(std::make_unique<WorkspacePool>()) {
  for (const AddedToken& token : spec_.added) {
    if (token.special) is_special_[static_cast<size_t>(token.id)] = true;
  }
}

Tokenizer::~Tokenizer() = default;

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
  const char* const readable_end = text.data() + text.size();
  added_.Split(
      text, rule,
      [&](std::string_view piece) {
        model_->Encode(piece, readable_end, workspace, sink);
        return !sink.overflowed();
      },
      [&](const AddedTokens::Match& match, std::string_view) { return sink.Push(match.token->id); });
}

void Tokenizer::EncodeRow(std::string_view text, const EncodeOptions& options, Workspace& workspace,
                          TokenSink& sink) const {
  CheckSize(text);
  const size_t limit = ContentLimit(options);
  sink.BeginRow(TokenSink::kNoLimit);
  if (options.add_special) sink.Append(spec_.before);
  sink.BeginRow(limit);
  if (!text.empty()) {
    if (utf8::ValidPrefix(text) == text.size()) {
      EncodeContent(text, options.special, workspace, sink);
    } else {
      EncodeContent(utf8::Repair(text), options.special, workspace, sink);
    }
  }
  if (sink.overflowed() && !options.truncate) {
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
  CheckSize(text);
  std::vector<utf8::Replacement> replacements;
  const std::string repaired = utf8::Repair(text, &replacements);
  const std::string_view whole = repaired;
  WorkspacePool::Lease workspace(*workspaces_);
  TokenSink sink;
  sink.BeginRow(TokenSink::kNoLimit);
  std::vector<Offset> offsets;
  const auto position = [&](std::string_view piece) {
    return static_cast<int64_t>(piece.data() - whole.data());
  };
  if (options.add_special) offsets.assign(spec_.before.size(), {0, 0});
  added_.Split(
      whole, options.special,
      [&](std::string_view piece) {
        model_->EncodeWithOffsets(piece, position(piece), *workspace, sink, offsets);
        return true;
      },
      [&](const AddedTokens::Match& match, std::string_view within) {
        const int64_t base = position(within);
        offsets.push_back({base + static_cast<int64_t>(match.begin), base + static_cast<int64_t>(match.end)});
        return true;
      });
  for (Offset& offset : offsets) {
    offset = {OriginalPosition(offset.begin, replacements), OriginalPosition(offset.end, replacements)};
  }
  if (options.add_special) offsets.insert(offsets.end(), spec_.after.size(), {0, 0});
  return offsets;
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
    for (size_t i = shares[s]; i < shares[s + 1]; ++i) {
      const size_t before = sinks[s].size();
      NameText(i, [&] { EncodeRow(texts[i], options, *workspace, sinks[s]); });
      out.row_splits[i + 1] = static_cast<int64_t>(sinks[s].size() - before);
    }
  });
  size_t total = 0;
  for (const TokenSink& sink : sinks) total += sink.size();
  out.values.reserve(total);
  for (const TokenSink& sink : sinks)
    out.values.insert(out.values.end(), sink.ids().begin(), sink.ids().end());
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
      FillRow(out, i, sink.size(), pad);
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
      FillRow(out, i, end - begin, pad);
    }
  });
}

std::string Tokenizer::Decode(Span<const int32_t> ids, bool skip_special) const {
  std::vector<std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= spec_.tokens.size()) {
      throw InvalidArgument("the id " + std::to_string(id) + " is not in the vocabulary of " +
                            std::to_string(spec_.tokens.size()));
    }
    if (skip_special && is_special_[static_cast<size_t>(id)]) continue;
    tokens.push_back(spec_.tokens[static_cast<size_t>(id)]);
  }
  return utf8::Repair(model_->Decode(tokens));
}

}  // namespace text
}  // namespace mmcore
