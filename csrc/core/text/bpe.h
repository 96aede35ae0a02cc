// Byte-level BPE: words found by GPT-2's pattern, their bytes merged by rank, exactly as Hugging Face does
// it.
#ifndef MMCORE_CORE_TEXT_BPE_H_
#define MMCORE_CORE_TEXT_BPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/span.h"
#include "core/text/model.h"
#include "core/text/pair_table.h"
#include "core/text/spec.h"
#include "core/text/word_table.h"

namespace mmcore {
namespace text {

// Merges alone: bytes -> ids. Always merges the pair of lowest rank, the leftmost of equals.
class BpeMerger {
 public:
  explicit BpeMerger(const BpeSpec& spec);

  // Writes the ids of `word` to `ids`, which has room for one id a byte; returns how many.
  size_t Merge(std::string_view word, int32_t* ids) const;

 private:
  static constexpr size_t kShort = 48;  // Up to here a linear search for the lowest rank beats a heap.

  size_t MergeShort(int32_t* ids, size_t count) const;
  size_t MergeLong(int32_t* ids, size_t count) const;

  int32_t byte_ids_[256];
  PairTable ranks_;
  std::vector<int32_t> results_;  // By rank.
};

class ByteLevelBpe final : public Model {
 public:
  // `spec` stays alive as long as this does.
  explicit ByteLevelBpe(const Spec& spec);

  void Encode(std::string_view text, const char* readable_end, Workspace& workspace,
              TokenSink& sink) const override;
  void EncodeWithOffsets(std::string_view text, int64_t base, Workspace& workspace, TokenSink& sink,
                         std::vector<Offset>& offsets) const override;
  std::string Decode(Span<const std::string_view> tokens) const override;

 private:
  bool EncodeWord(std::string_view word, const char* readable_end, Workspace& workspace,
                  TokenSink& sink) const;

  const std::vector<std::string_view>& tokens_;
  bool add_prefix_space_;
  BpeMerger merger_;
  WordTable whole_words_;  // Tokens that encode as themselves: most words of most texts.
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_BPE_H_
