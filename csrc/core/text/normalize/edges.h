// Strip and Prepend: what happens at the two ends of a text.
#ifndef MMCORE_CORE_TEXT_NORMALIZE_EDGES_H_
#define MMCORE_CORE_TEXT_NORMALIZE_EDGES_H_

#include <string>

#include "core/base/api.h"
#include "core/text/normalize/normalizer.h"

namespace mmcore {
namespace text {

// Drops white space at the beginning, at the end or at both.
class MMCORE_API Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  bool Apply(const Draft& in, Draft& out) const override;

 private:
  bool left_, right_;
};

// Puts a text in front of one that is not empty.
class MMCORE_API Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  bool Apply(const Draft& in, Draft& out) const override;

 private:
  std::string prefix_;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_NORMALIZE_EDGES_H_
