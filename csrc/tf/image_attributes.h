// What the ops over images share: attributes, and image tensors as views.
#ifndef MMCORE_TF_IMAGE_ATTRIBUTES_H_
#define MMCORE_TF_IMAGE_ATTRIBUTES_H_

#include <vector>

#include "core/image/image.h"
#include "core/image/normalization.h"
#include "core/image/resize.h"
#include "tf/tensor.h"

namespace mmcore::tf {

// An attribute of 1 to image::kMaxSide. Throws InvalidArgument for any other.
size_t ReadSide(const Attributes& attributes, const char* name);

// The attribute "mean_std": two or six float64, mean then std, as bytes, because TensorFlow's float attributes have
// single precision. Throws InvalidArgument for other lengths.
image::Normalization ReadNormalization(const Attributes& attributes);

image::DType DTypeOf(TF_DataType type);

// The images of a tensor [height, width, C] or [B, height, width, C]. Throws InvalidArgument for other shapes, and
// for images without pixels.
std::vector<image::ImageView> ImagesOf(const Tensor& images, size_t channels);

}  // namespace mmcore::tf

#endif  // MMCORE_TF_IMAGE_ATTRIBUTES_H_
