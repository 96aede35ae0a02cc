// CRC-32C (Castagnoli): the checksum of TFRecord files.
#ifndef MMCORE_CORE_BASE_CRC32C_H_
#define MMCORE_CORE_BASE_CRC32C_H_

#include <cstddef>
#include <cstdint>

#include "core/base/api.h"

namespace mmcore {

// Polynomial 0x1EDC6F41, reflected, as in RFC 3720, appendix B.4; the same on every processor. Eight tables take
// eight bytes a step (Kounavis and Berry 2005, "slicing by 8"), faster than any disk.
MMCORE_API uint32_t Crc32c(const uint8_t* data, size_t size);

}  // namespace mmcore

#endif  // MMCORE_CORE_BASE_CRC32C_H_
