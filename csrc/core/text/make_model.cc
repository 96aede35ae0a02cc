#include "core/text/bpe.h"
#include "core/text/model/model_spec.h"
#include "core/text/pipeline.h"
#include "core/text/spec_reader.h"
#include "core/text/wordpiece.h"

namespace mmcore {
namespace text {
namespace {

constexpr uint32_t kGpt2Pattern = 0, kIsolated = 1;

bool HasLateTokens(const Spec& spec) {
  for (const AddedToken& token : spec.added) {
    if (token.late) return true;
  }
  return false;
}

// ByteLevel(use_regex=true) as splitters: a space in front of each text if there is none, then the pattern.
// `add_prefix_space` is set.
bool IsGpt2Splitting(const std::vector<Part>& splitters, bool* add_prefix_space) {
  if (splitters.empty() || splitters.size() > 2) return false;
  const Part& last = splitters.back();
  if (last.tag != kSplitPattern) return false;
  SpecReader in(last.fields, " of a splitter");
  const uint32_t behaviour = in.U32(), flags = in.U32(), pattern = in.U32();
  if (behaviour != kIsolated || flags != 0 || pattern != kGpt2Pattern) return false;
  *add_prefix_space = splitters.size() == 2;
  if (splitters.size() == 1) return true;
  if (splitters[0].tag != kMark) return false;
  SpecReader mark(splitters[0].fields, " of a mark");
  return mark.U32() == 0 && mark.U32() == 2 && mark.String() == " ";
}

std::unique_ptr<const Model> MakeGpt2(const Spec& spec) {
  bool add_prefix_space;
  if (spec.model.tag != kBpe || !spec.normalizers.empty()) return nullptr;
  if (!IsGpt2Splitting(spec.splitters, &add_prefix_space)) return nullptr;
  if (spec.decoders.empty() || spec.decoders[0].tag != kDecodeByteLevel) return nullptr;
  const BpeSpec bpe = ReadBpe(spec);
  if (!bpe.byte_level || !bpe.prefix.empty() || !bpe.suffix.empty()) return nullptr;
  return std::make_unique<ByteLevelBpe>(spec.tokens, bpe, add_prefix_space);
}

std::unique_ptr<const Model> MakeBert(const Spec& spec) {
  if (spec.model.tag != kWordPiece || spec.splitters.size() != 1 || spec.splitters[0].tag != kBertSplit) {
    return nullptr;
  }
  BertOptions options;
  if (!spec.normalizers.empty()) {
    if (spec.normalizers.size() != 1 || spec.normalizers[0].tag != kBertNormalize) return nullptr;
    if (HasLateTokens(spec)) return nullptr;  // They are searched in the normalized text.
    const uint32_t flags = SpecReader(spec.normalizers[0].fields, " of a normalizer").U32();
    options = {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0};
  }
  return std::make_unique<BertWordPiece>(options, ReadWordPiece(spec));
}

}  // namespace

std::unique_ptr<const Model> MakeModel(const Spec& spec) {
  if (auto fused = MakeGpt2(spec)) return fused;
  if (auto fused = MakeBert(spec)) return fused;
  return std::make_unique<Pipeline>(spec);
}

}  // namespace text
}  // namespace mmcore
