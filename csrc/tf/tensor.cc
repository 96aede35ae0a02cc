#include "tf/tensor.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/base/errors.h"
#include "tf/status.h"

namespace mmcore::tf {
namespace {

size_t ElementSize(TF_DataType dtype) {
  switch (dtype) {
    case TF_UINT8:
    case TF_BOOL:
      return 1;
    case TF_BFLOAT16:
    case TF_HALF:
      return 2;
    case TF_FLOAT:
    case TF_INT32:
      return 4;
    case TF_INT64:
      return 8;
    default:
      return sizeof(TF_TString);  // The widest: safe for a check of sizes.
  }
}

// Bytes of an output. No shape goes to TensorFlow unchecked: one whose product overflows ends the process there, and
// one that is merely absurd waits ten seconds for memory. Axes count until an empty one, as they do there.
size_t CheckedBytes(TF_DataType dtype, const Shape& shape) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  constexpr size_t kMaxRank = 254;  // TensorFlow's.
  if (shape.size() > kMaxRank) throw InvalidArgument("the output would have more than 254 axes; reshape the input");
  uint64_t bytes = ElementSize(dtype);
  for (int64_t axis : shape) {
    const auto length = static_cast<uint64_t>(axis);
    if (axis < 0 || (length != 0 && bytes > kMost / length)) {
      throw LimitError("the output of shape " + ShapeText(shape) +
                       " would be larger than 1 TiB; make the batch or the sizes smaller");
    }
    bytes *= length;
  }
  return static_cast<size_t>(bytes);
}

}  // namespace

std::string ShapeText(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::string_view View(const TF_TString& string) {
  switch (string.raw[0] & 3) {
    case TF_TString::kSmall:
      return {string.small.data, static_cast<size_t>(string.small.size >> 2)};
    case TF_TString::kLarge:
      return {string.large.data, string.large.size >> 2};
    case TF_TString::kOffset:
      return {reinterpret_cast<const char*>(&string) + string.offset.offset, string.offset.size >> 2};
    default:
      return {string.view.data, string.view.size >> 2};
  }
}

void AssignNew(TF_TString& string, std::string_view text) {
  constexpr size_t kMostInPlace = sizeof(string.small.data) - 1;  // One byte for the final 0 that TensorFlow keeps.
  if (text.size() <= kMostInPlace) {
    string.small.size = static_cast<unsigned char>(text.size() << 2 | TF_TString::kSmall);
    if (!text.empty()) std::memcpy(string.small.data, text.data(), text.size());
    string.small.data[text.size()] = '\0';
    return;
  }
  const size_t bytes = (text.size() / 16 + 1) * 16;  // As TensorFlow rounds; the final 0 has its place.
  auto* memory = static_cast<char*>(std::malloc(bytes));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, text.data(), text.size());
  memory[text.size()] = '\0';
  string.large.size = text.size() << 2 | TF_TString::kLarge;
  string.large.capacity = bytes - 1;
  string.large.data = memory;
}

int64_t Attributes::Int(const char* name) const {
  Status status;
  int64_t value = 0;
  TF_OpKernelConstruction_GetAttrInt64(context_, name, &value, status);
  status.Check();
  return value;
}

bool Attributes::Bool(const char* name) const {
  Status status;
  unsigned char value = 0;
  TF_OpKernelConstruction_GetAttrBool(context_, name, &value, status);
  status.Check();
  return value != 0;
}

std::string Attributes::String(const char* name) const {
  Status status;
  int32_t list_size = 0, num_bytes = 0;
  TF_OpKernelConstruction_GetAttrSize(context_, name, &list_size, &num_bytes, status);
  status.Check();
  std::string value(static_cast<size_t>(num_bytes), '\0');
  TF_OpKernelConstruction_GetAttrString(context_, name, value.data(), value.size(), status);
  status.Check();
  return value;
}

TF_DataType Attributes::Type(const char* name) const {
  Status status;
  TF_DataType value = TF_FLOAT;
  TF_OpKernelConstruction_GetAttrType(context_, name, &value, status);
  status.Check();
  return value;
}

Tensor::Tensor(TF_Tensor* tensor) : tensor_(tensor), shape_(static_cast<size_t>(TF_NumDims(tensor))), size_(1) {
  for (size_t i = 0; i < shape_.size(); ++i) {
    shape_[i] = TF_Dim(tensor, static_cast<int>(i));
    size_ *= static_cast<size_t>(shape_[i]);
  }
}

std::vector<std::string_view> Tensor::Strings() const {
  const auto elements = data<const TF_TString>();
  std::vector<std::string_view> views(elements.size());
  for (size_t i = 0; i < views.size(); ++i) views[i] = View(elements[i]);
  return views;
}

Tensor Run::Input(int i) const {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, i, &tensor, status);
  status.Check();
  return Tensor(tensor);
}

Tensor Run::Output(int i, TF_DataType dtype, const Shape& shape) const {
  Status status;
  const size_t num_bytes = CheckedBytes(dtype, shape);
  TF_Tensor* tensor = TF_AllocateOutput(context_, i, dtype, shape.data(), static_cast<int>(shape.size()),
                                        num_bytes, status);
  status.Check();
  return Tensor(tensor);
}

void Run::SetOutput(int i, const Tensor& tensor) const {
  Status status;
  TF_SetOutput(context_, i, tensor.get(), status);
  status.Check();
}

}  // namespace mmcore::tf
