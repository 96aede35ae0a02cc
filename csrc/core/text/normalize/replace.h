// Replace: a literal string, or runs of characters of a set, become another text.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_REPLACE_H_
#define MMCORE_CORE_TEXT_NORMALIZE_REPLACE_H_

#include <string>
#include <utility>

#include "core/base/api.h"
#include "core/text/character_set.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

// Every occurrence of `pattern`, which is not empty, from the left and without overlap.
class MMCORE_API ReplaceString final : public Normalizer {
 public:
  ReplaceString(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  bool Apply(const Draft& in, Draft& out) const override;

 private:
  std::string pattern_, content_;
};

// What a run of characters of a set finds.
class MMCORE_API ReplaceRuns final : public Normalizer {
 public:
  ReplaceRuns(SetRun run, std::string content) : run_(std::move(run)), content_(std::move(content)) {}
  bool Apply(const Draft& in, Draft& out) const override;

 private:
  SetRun run_;
  std::string content_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_REPLACE_H_
