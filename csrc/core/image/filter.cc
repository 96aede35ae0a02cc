#include <string>
#include <utility>

#include "core/base/errors.h"
#include "core/image/image.h"

namespace mmcore::image {

Filter ParseFilter(std::string_view name) {
  static constexpr std::pair<std::string_view, Filter> kNames[] = {
      {"nearest", Filter::kNearest}, {"box", Filter::kBox},         {"bilinear", Filter::kBilinear},
      {"hamming", Filter::kHamming}, {"bicubic", Filter::kBicubic}, {"lanczos", Filter::kLanczos},
  };
  for (const auto& [known, filter] : kNames) {
    if (name == known) return filter;
  }
  throw InvalidArgument("method must be 'nearest', 'box', 'bilinear', 'hamming', 'bicubic' or 'lanczos', got '" +
                        std::string(name) + "'");
}

}  // namespace mmcore::image
