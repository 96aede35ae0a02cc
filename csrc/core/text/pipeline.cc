#include "core/text/pipeline.h"

#include <string>
#include <utility>

#include "core/base/errors.h"
#include "core/base/utf8.h"
#include "core/text/model/make.h"
#include "core/text/normalize/make.h"
#include "core/text/split/make.h"
#include "core/text/word_key.h"

namespace mmcore {
namespace text {
namespace {

// Copies a piece. Where its origins are wanted and not known they are made up: right but for their distance
// from the begin of the whole text.
void Load(const TextPiece& piece, bool track, Draft& draft) {
  draft.Clear(track);
  draft.bytes.assign(piece.text);
  if (!track) return;
  if (piece.origins != nullptr) {
    draft.origins.assign(piece.origins, piece.origins + piece.text.size());
    return;
  }
  const int64_t base = piece.at_start ? 0 : 1;
  for (size_t at = 0; at < piece.text.size();) {
    const size_t end = at + utf8::DecodeValid(piece.text.data() + at).size;
    draft.origins.resize(end, {base + static_cast<int64_t>(at), base + static_cast<int64_t>(end)});
    at = end;
  }
}

// How long normalizers may make a text: 64 of them would fill any memory.
size_t LargestDraft(size_t text_bytes) {
  constexpr size_t kSmall = size_t{1} << 20, kGrowth = 64;
  return kSmall + kGrowth * text_bytes;
}

// A view of a finished draft, behind which a few bytes more may be read.
TextPiece View(Draft& draft, bool at_start) {
  const size_t size = draft.bytes.size();
  draft.bytes.append(WordKey::kMaxBytes, '\0');
  const char* const data = draft.bytes.data();
  return {{data, size}, data + draft.bytes.size(), draft.tracked ? draft.origins.data() : nullptr, at_start};
}

}  // namespace

Pipeline::Pipeline(const Spec& spec) : model_(MakeWordModel(spec)) {
  for (const Part& part : spec.normalizers) MakeNormalizer(part, normalizers_);
  bool marks = false;
  const std::vector<Part>& parts = spec.splitters;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    Step step;
    if (i + 1 < parts.size() && (step.splitter = MakeBoth(part, parts[i + 1]))) {
      ++i;
    } else if (part.tag == kMark) {
      step.marker.emplace(part);
      needs_origins_ = needs_origins_ || (step.marker->only_first() && (marks || !normalizers_.empty()));
      marks = true;
    } else {
      step.splitter = MakeSplitter(part);
    }
    steps_.push_back(std::move(step));
  }
}

TextPiece Pipeline::Normalize(const TextPiece& piece, Workspace& workspace) const {
  const bool made_up = needs_origins_ && piece.origins == nullptr;
  if (normalizers_.empty() && !made_up) return piece;
  const bool track = piece.origins != nullptr || made_up;
  Draft *draft = &workspace.drafts[0], *next = &workspace.drafts[1];
  Load(piece, track, *draft);
  bool changed = false;
  for (const auto& normalizer : normalizers_) {
    next->Clear(track);
    next->limit = LargestDraft(piece.text.size());
    if (!normalizer->Apply(*draft, *next)) continue;
    std::swap(draft, next);
    changed = true;
  }
  return changed || made_up ? View(*draft, piece.at_start) : piece;
}

Pipeline::Words Pipeline::CutWords(const TextPiece& piece, size_t steps, Workspace& workspace) const {
  TextPiece text = piece;
  std::vector<Cut>*words = &workspace.words[0], *next = &workspace.words[1];
  Draft *draft = &workspace.drafts[2], *other = &workspace.drafts[3];
  words->assign(1, {0, text.text.size()});
  for (size_t i = 0; i < steps; ++i) {
    const Step& step = steps_[i];
    next->clear();
    if (step.marker) {
      draft->Clear(text.origins != nullptr);
      step.marker->Apply(text, *words, *draft, *next);
      text = View(*draft, text.at_start);
      std::swap(draft, other);
    } else {
      for (const Cut& word : *words) step.splitter->Split(text.text, word.begin, word.end, *next);
    }
    std::swap(words, next);
  }
  return {text, *words};
}

bool Pipeline::EncodeWords(const TextPiece& text, const std::vector<Cut>& words, Workspace& workspace,
                           TokenSink& sink) const {
  return model_->EncodeWords(text.text.data(), words, text.readable_end, workspace, sink);
}

// The last splitter's words go to the model some at a time: they stay in the nearest cache, and none is cut that
// nobody wants.
bool Pipeline::EncodeLastStep(const TextPiece& text, const Cut& word, Workspace& workspace,
                              TokenSink& sink) const {
  constexpr size_t kSome = 256;
  std::vector<Cut>& some = workspace.words[2];
  for (size_t at = word.begin; at < word.end;) {
    some.clear();
    at = steps_.back().splitter->SplitSome(text.text, at, word.end, kSome, some);
    if (!EncodeWords(text, some, workspace, sink)) return false;
  }
  return true;
}

bool Pipeline::Encode(const TextPiece& piece, Workspace& workspace, TokenSink& sink) const {
  if (steps_.empty()) return model_->Encode(piece.text, piece.readable_end, workspace, sink);
  if (steps_.back().splitter == nullptr) {
    const Words words = CutWords(piece, steps_.size(), workspace);
    return EncodeWords(words.text, words.cuts, workspace, sink);
  }
  const Words words = CutWords(piece, steps_.size() - 1, workspace);
  for (const Cut& word : words.cuts) {
    if (!EncodeLastStep(words.text, word, workspace, sink)) return false;
  }
  return true;
}

void Pipeline::EncodeWithOffsets(const TextPiece& piece, Workspace& workspace, TokenSink& sink,
                                 std::vector<Offset>& offsets) const {
  const Words words = CutWords(piece, steps_.size(), workspace);
  std::vector<Cut> pieces;
  for (const Cut& word : words.cuts) {
    pieces.clear();
    model_->EncodeWithPieces(words.text.text.substr(word.begin, word.end - word.begin), workspace, sink,
                             pieces);
    const Offset* const origins = words.text.origins + word.begin;
    for (const Cut& cut : pieces) {
      offsets.push_back({origins[cut.begin].begin, origins[cut.end - 1].end});
    }
  }
}

}  // namespace text
}  // namespace mmcore
