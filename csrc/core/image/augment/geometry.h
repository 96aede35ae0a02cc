// Moving pixels: mirror, and the affine maps of Pillow's Image.transform with nearest neighbours, byte for byte.
#ifndef MMCORE_CORE_IMAGE_AUGMENT_GEOMETRY_H_
#define MMCORE_CORE_IMAGE_AUGMENT_GEOMETRY_H_

#include <array>
#include <cstdint>

#include "core/image/augment/canvas.h"

namespace mmcore::image {

void Mirror(Canvas& canvas);  // Left to right.

// Output pixel (x, y) is the input's at (a x + b y + c, d x + e y + f), all counted from pixels' upper left corners and
// looked up at centres; outside of the input it is `fill`.
void Affine(Canvas& canvas, const std::array<double, 6>& map, uint32_t fill);

// Image.rotate: counter-clockwise about the centre.
void Rotate(Canvas& canvas, double degrees, uint32_t fill);

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_AUGMENT_GEOMETRY_H_
