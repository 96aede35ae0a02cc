// What becomes of finished rows: bytes, or a part of a batch.
#ifndef MMCORE_CORE_IMAGE_SINK_H_
#define MMCORE_CORE_IMAGE_SINK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/buffer.h"
#include "core/image/kernels.h"
#include "core/image/resample.h"
#include "core/image/resize.h"

namespace mmcore::image {

// `count` numbers of a row, normalised and of this type, or bytes as they are.
void ConvertRow(const uint8_t* row, size_t count, DType dtype, const Kernels& kernels,
                const Normalization& normalization, uint8_t* out);

class ByteSink final : public RowSink {
 public:
  ByteSink(uint8_t* out, size_t row_bytes) : out_(out), row_bytes_(row_bytes) {}
  void Row(size_t y, const uint8_t* row) override;

 private:
  uint8_t* out_;
  size_t row_bytes_;
};

// How the rows of every image of a batch are written; shared by its threads.
class BatchWriter {
 public:
  BatchWriter(const ResizeOptions& options, const Normalization& normalization, const BatchFormat& format);

  size_t image_bytes() const { return options_.height * row_bytes(); }

  // Row y of the image that begins at `out`.
  void Write(size_t y, const uint8_t* row, uint8_t* out) const;

 private:
  size_t row_bytes() const { return options_.width * normalization_.channels * element_size_; }

  const ResizeOptions options_;
  const DType dtype_;
  const size_t element_size_;
  const Kernels& kernels_;
  const Normalization& normalization_;
  std::vector<Normalization> planes_;  // One for each channel where the layout is planar, else empty.
};

class BatchSink final : public RowSink {
 public:
  BatchSink(const BatchWriter& writer, uint8_t* out) : writer_(writer), out_(out) {}
  void Row(size_t y, const uint8_t* row) override { writer_.Write(y, row, out_); }

 private:
  const BatchWriter& writer_;
  uint8_t* out_;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_SINK_H_
