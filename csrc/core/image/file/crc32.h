// The checksum of PNG chunks. Source: ISO/IEC 15948 (2004), annex D; eight bytes at a time as in M. Kounavis and
// F. Berry, A systematic approach to building high performance software-based CRC generators, 2005.
#ifndef MMCORE_CORE_IMAGE_FILE_CRC32_H_
#define MMCORE_CORE_IMAGE_FILE_CRC32_H_

#include <cstddef>
#include <cstdint>

namespace mmcore::image {

uint32_t Crc32(const uint8_t* bytes, size_t size);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_CRC32_H_
