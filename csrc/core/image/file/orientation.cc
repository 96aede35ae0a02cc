#include "core/image/file/orientation.h"

#include <cstddef>
#include <cstdint>

namespace mmcore::image {

int ExifOrientation(const Bytes& tiff) {
  constexpr uint32_t kOrientation = 0x0112, kByte = 1, kShort = 3, kLong = 4;
  const bool little = tiff.StartsWith({"II*\0", 4});
  if (!little && !tiff.StartsWith({"MM\0*", 4})) return 0;
  const auto u16 = [&](size_t at) { return little ? tiff.Little16(at) : tiff.Big16(at); };
  const auto u32 = [&](size_t at) { return little ? tiff.Little32(at) : tiff.Big32(at); };
  if (!tiff.Has(4, 4)) return 0;
  const size_t directory = u32(4);
  if (!tiff.Has(directory, 2)) return 0;
  const size_t count = u16(directory);
  for (size_t i = 0; i < count; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (!tiff.Has(entry, 12)) return 0;
    if (u16(entry) != kOrientation) continue;
    const uint32_t type = u16(entry + 2);
    if (type != kByte && type != kShort && type != kLong) continue;
    const uint32_t value =
        type == kByte ? tiff.Byte(entry + 8) : type == kShort ? u16(entry + 8) : u32(entry + 8);
    return value <= 8 ? static_cast<int>(value) : 9;  // A number that means nothing, but is there.
  }
  return 0;
}

int XmpOrientation(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != std::string_view::npos; at = xmp.find(kName, at + 1)) {
    const std::string_view rest = xmp.substr(at + kName.size());
    const size_t digit = rest.substr(0, 2) == "=\"" ? 2 : rest.substr(0, 1) == ">" ? 1 : rest.size();
    if (digit < rest.size() && rest[digit] >= '0' && rest[digit] <= '9') return rest[digit] - '0';
  }
  return 0;
}

}  // namespace mmcore::image
