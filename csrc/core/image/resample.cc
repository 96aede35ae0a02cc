#include "core/image/resample.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/base/buffer.h"
#include "core/image/kernels.h"
#include "core/image/plan.h"
#include "core/image/taps.h"

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

// What both orders need: the two passes, and how many bytes a kernel reads from a row of each kind.
struct Plan {
  Plan(const ResizeItem& item, const ResizeOptions& options)
      : image(item.image), kernels(KernelsFor(options.isa)), out_bytes(options.width * item.image.channels) {
    const Taps across = MakeTaps(
        {image.width, item.box.left, item.box.right, item.full_width, item.left, options.width, item.flip},
        options.filter);
    const Taps down = MakeTaps(
        {image.height, item.box.top, item.box.bottom, item.full_height, item.top, options.height, false},
        options.filter);
    first_row = down.starts.front();
    horizontal = HorizontalPass(across, image.channels, kernels);
    vertical = VerticalPass(down, first_row, kernels);
    const size_t furthest = *std::max_element(horizontal.starts.begin(), horizontal.starts.end());
    reach = std::max(furthest + (horizontal.groups - 1) * 4 * image.channels + 16, image.row_bytes());
  }

  // The last quads may lie partly or wholly below the image: their weights are zero, any row will do.
  size_t SourceRow(size_t quad, size_t r) const {
    return std::min(first_row + 4 * quad + r, image.height - 1);
  }

  void Horizontal(const uint8_t* const rows[4], uint8_t* quad) const {
    kernels.horizontal(rows, horizontal.starts.data(), horizontal.encoded.data(), horizontal.groups,
                       horizontal.starts.size(), image.channels, quad);
  }

  const ImageView& image;
  const Kernels& kernels;
  size_t out_bytes;
  size_t first_row;
  size_t reach;
  Pass horizontal;
  Pass vertical;
};

// The quads that the vertical pass reads, each made once by make(index, out), in a ring just large enough.
template <typename Make>
class QuadRing {
 public:
  QuadRing(const Plan& plan, size_t row_bytes, Scratch& scratch, Make make)
      : plan_(plan),
        row_bytes_(row_bytes),
        stride_(RoundUp(4 * row_bytes + kSlack)),
        scratch_(scratch),
        make_(make) {
    scratch_.ring.Reserve(plan.vertical.groups * stride_);
    scratch_.quads.resize(plan.vertical.groups);
  }

  void OutputRow(size_t y, uint8_t* row) {
    const size_t groups = plan_.vertical.groups;
    const size_t start = plan_.vertical.starts[y];
    for (; made_ < start + groups; ++made_) make_(made_, Slot(made_));
    for (size_t g = 0; g < groups; ++g) scratch_.quads[g] = Slot(start + g);
    plan_.kernels.vertical(scratch_.quads.data(), plan_.vertical.words(y), groups, row_bytes_, row);
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

void RunHorizontalFirst(const Plan& plan, size_t height, Scratch& scratch, RowSink& sink) {
  const ImageView& image = plan.image;
  scratch.rows.Reserve(4 * plan.reach);
  scratch.final.Reserve(plan.out_bytes + kSlack);
  // Kernels read past a row's last byte: rows near the end of the image are copied first.
  const auto source = [&](size_t y, size_t slot) {
    const uint8_t* row = image.data + y * image.row_stride;
    if ((image.height - 1 - y) * image.row_stride + image.row_bytes() >= plan.reach) return row;
    uint8_t* copy = scratch.rows.data() + slot * plan.reach;
    std::memcpy(copy, row, image.row_bytes());
    std::memset(copy + image.row_bytes(), 0, plan.reach - image.row_bytes());
    return static_cast<const uint8_t*>(copy);
  };
  QuadRing ring(plan, plan.out_bytes, scratch, [&](size_t quad, uint8_t* out) {
    const uint8_t* rows[4];
    for (size_t r = 0; r < 4; ++r) rows[r] = source(plan.SourceRow(quad, r), r);
    plan.Horizontal(rows, out);
  });
  for (size_t y = 0; y < height; ++y) {
    ring.OutputRow(y, scratch.final.data());
    sink.Row(y, scratch.final.data());
  }
}

void RunVerticalFirst(const Plan& plan, size_t height, Scratch& scratch, RowSink& sink) {
  const ImageView& image = plan.image;
  const size_t row_stride = RoundUp(std::max(plan.reach, image.row_bytes() + kSlack));
  const size_t out_stride = RoundUp(plan.out_bytes + kSlack);
  scratch.rows.Reserve(4 * row_stride);
  scratch.final.Reserve(8 * out_stride);
  uint8_t* quad = scratch.final.data() + 4 * out_stride;
  QuadRing ring(plan, image.row_bytes(), scratch, [&](size_t index, uint8_t* out) {
    const uint8_t* rows[4];
    for (size_t r = 0; r < 4; ++r) rows[r] = image.data + plan.SourceRow(index, r) * image.row_stride;
    Interleave(rows, image.row_bytes(), out);
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
    Deinterleave(quad, plan.out_bytes, finished);
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
  const Plan plan(item, options);
  const auto run = VerticalFirst(item) ? RunVerticalFirst : RunHorizontalFirst;
  run(plan, options.height, ThreadScratch(), sink);
}

}  // namespace mmcore::image
