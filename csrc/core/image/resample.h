// The two passes over one image, four rows at a time, with only the rows and columns that the window needs.
#ifndef MMCORE_CORE_IMAGE_RESAMPLE_H_
#define MMCORE_CORE_IMAGE_RESAMPLE_H_

#include <cstddef>
#include <cstdint>

#include "core/image/resize.h"

namespace mmcore::image {

// Receives the finished rows of the window, top to bottom; `row` is valid during the call.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void Row(size_t y, const uint8_t* row) = 0;
};

// Each pass rounds to 8 bits, so their order shows in the result. It is Pillow's since version 13: horizontal
// first, unless the height loses more than twice as many pixels as the width does. (Older versions of Pillow
// always begin with the horizontal pass.) The sizes are those of the whole image, whatever the box.
bool VerticalFirst(const ResizeItem& item);

// Throws InvalidArgument for sizes, channels, boxes or windows that do not fit.
void CheckItem(const ResizeItem& item, const ResizeOptions& options);

// `item` and `options` have been checked.
void Resample(const ResizeItem& item, const ResizeOptions& options, RowSink& sink);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_RESAMPLE_H_
