#include "core/image/resample.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/base/buffer.h"
#include "core/image/kernels.h"
#include "core/image/plan.h"

namespace mmcore::image {
namespace {

// Memory that a thread keeps from image to image.
struct Scratch {
  Buffer<uint8_t> ring;   // The newest quads.
  Buffer<uint8_t> rows;   // Four rows: copies of source rows, or what the vertical pass made.
  Buffer<uint8_t> final;  // Finished rows.
  std::vector<const uint8_t*> quads;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

size_t RoundUp(size_t n) {
  return (n + kSlack - 1) / kSlack * kSlack;
}

Geometry GeometryOf(const ResizeItem& item, const ResizeOptions& options) {
  const ImageView& image = item.image;
  const Box& box = item.box;
  return {{image.width, box.left, box.right, item.full_width, item.left, options.width, item.flip},
          {image.height, box.top, box.bottom, item.full_height, item.top, options.height, false},
          options.filter,
          image.channels,
          VerticalFirst(item),
          &KernelsFor(options.isa)};
}

// The rows of one image, as far as its plan needs them.
class Source {
 public:
  Source(const Plan& plan, const ImageView& image)
      : plan_(plan),
        image_(image),
        first_(image.data + plan.first_column * image.channels),
        end_(image.data + (image.height - 1) * image.row_stride + image.row_bytes()) {}

  // Row r of a quad, from the first needed column. The last quads may lie partly or wholly below the image: their
  // weights are zero, any row will do.
  const uint8_t* Row(size_t quad, size_t r) const {
    const size_t y = std::min(plan_.first_row + 4 * quad + r, image_.height - 1);
    return first_ + y * image_.row_stride;
  }

  // The same, or a copy of it in `copy` where reading plan.reach bytes would leave the image.
  const uint8_t* ReadableRow(size_t quad, size_t r, uint8_t* copy) const {
    const uint8_t* row = Row(quad, r);
    if (static_cast<size_t>(end_ - row) >= plan_.reach) return row;
    std::memcpy(copy, row, plan_.column_bytes);
    std::memset(copy + plan_.column_bytes, 0, plan_.reach - plan_.column_bytes);
    return copy;
  }

 private:
  const Plan& plan_;
  const ImageView& image_;
  const uint8_t* first_;
  const uint8_t* end_;
};

// The quads that the vertical pass reads, each made once by make(index, out), in a ring just large enough.
template <typename Make>
class QuadRing {
 public:
  QuadRing(const Plan& plan, size_t row_bytes, Scratch& scratch, Make make)
      : plan_(plan),
        row_bytes_(row_bytes),
        stride_(RoundUp(4 * row_bytes) + kQuadSlack),
        scratch_(scratch),
        make_(make) {
    scratch_.ring.Reserve(plan.vertical.groups * stride_);
    scratch_.quads.resize(plan.vertical.groups);
  }

  void OutputRow(size_t y, uint8_t* row) {
    const size_t start = plan_.vertical.starts[y];
    const size_t groups = plan_.vertical.used[y];
    for (made_ = std::max(made_, start); made_ < start + groups; ++made_) make_(made_, Slot(made_));
    for (size_t g = 0; g < groups; ++g) scratch_.quads[g] = Slot(start + g);
    plan_.geometry.kernels->vertical(scratch_.quads.data(), plan_.vertical.words(y), groups, row_bytes_, row);
  }

 private:
  uint8_t* Slot(size_t quad) { return scratch_.ring.data() + quad % plan_.vertical.groups * stride_; }

  const Plan& plan_;
  size_t row_bytes_;
  size_t stride_;
  Scratch& scratch_;
  Make make_;
  size_t made_ = 0;
};

void RunHorizontalFirst(const Plan& plan, const ImageView& image, Scratch& scratch, RowSink& sink) {
  const Source source(plan, image);
  const size_t out_bytes = plan.geometry.across.count * image.channels;
  scratch.rows.Reserve(4 * plan.reach);
  scratch.final.Reserve(out_bytes + kSlack);
  QuadRing ring(plan, out_bytes, scratch, [&](size_t quad, uint8_t* out) {
    const uint8_t* rows[4];
    for (size_t r = 0; r < 4; ++r) rows[r] = source.ReadableRow(quad, r, scratch.rows.data() + r * plan.reach);
    plan.Horizontal(rows, out);
  });
  for (size_t y = 0; y < plan.geometry.down.count; ++y) {
    ring.OutputRow(y, scratch.final.data());
    sink.Row(y, scratch.final.data());
  }
}

void RunVerticalFirst(const Plan& plan, const ImageView& image, Scratch& scratch, RowSink& sink) {
  const Source source(plan, image);
  const size_t height = plan.geometry.down.count;
  const size_t out_bytes = plan.geometry.across.count * image.channels;
  const size_t row_stride = RoundUp(std::max(plan.reach, plan.column_bytes + kSlack));
  const size_t out_stride = RoundUp(out_bytes + kSlack);
  scratch.rows.Reserve(4 * row_stride);
  scratch.final.Reserve(8 * out_stride);
  uint8_t* quad = scratch.final.data() + 4 * out_stride;
  QuadRing ring(plan, plan.column_bytes, scratch, [&](size_t index, uint8_t* out) {
    const uint8_t* rows[4];
    for (size_t r = 0; r < 4; ++r) rows[r] = source.Row(index, r);
    Interleave(rows, plan.column_bytes, out);
  });
  for (size_t y = 0; y < height; y += 4) {
    const uint8_t* rows[4];
    uint8_t* finished[4];
    for (size_t r = 0; r < 4; ++r) {
      uint8_t* row = scratch.rows.data() + r * row_stride;
      if (y + r < height) ring.OutputRow(y + r, row);
      rows[r] = row;
      finished[r] = scratch.final.data() + r * out_stride;
    }
    plan.Horizontal(rows, quad);
    Deinterleave(quad, out_bytes, finished);
    for (size_t r = 0; r < 4 && y + r < height; ++r) sink.Row(y + r, finished[r]);
  }
}

}  // namespace

bool VerticalFirst(const ResizeItem& item) {
  const auto lost = [](size_t from, size_t to) {
    return static_cast<int64_t>(from) - static_cast<int64_t>(to);
  };
  const int64_t rows = lost(item.image.height, item.full_height);
  return rows > 0 && rows > 2 * lost(item.image.width, item.full_width);
}

void Resample(const ResizeItem& item, const ResizeOptions& options, RowSink& sink) {
  const Plan& plan = PlanFor(GeometryOf(item, options));
  const auto run = plan.geometry.vertical_first ? RunVerticalFirst : RunHorizontalFirst;
  run(plan, item.image, ThreadScratch(), sink);
}

}  // namespace mmcore::image
