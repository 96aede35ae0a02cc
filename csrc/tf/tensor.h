// What an op sees of its attributes, inputs and outputs: typed views over the C API, errors as exceptions.
#ifndef MMCORE_TF_TENSOR_H_
#define MMCORE_TF_TENSOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/span.h"
#include "tf/c_api.h"

namespace mmcore::tf {

using Shape = std::vector<int64_t>;

// "[2, 3]", as Python prints it.
std::string ShapeText(const Shape& shape);

// The bytes of one element of a string tensor, in place.
std::string_view View(const TF_TString& string);

// Stores `text` in an element of a new output, which TensorFlow has made empty. Up to 22 bytes lie in the element,
// more in memory of malloc, which TensorFlow frees with the tensor. (TF_StringCopy would do this, but
// libtensorflow_framework does not export it.)
void AssignNew(TF_TString& string, std::string_view text);

// The attributes of a node, while its kernel is made.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* context) : context_(context) {}

  int64_t Int(const char* name) const;
  bool Bool(const char* name) const;
  std::string String(const char* name) const;
  TF_DataType Type(const char* name) const;

 private:
  TF_OpKernelConstruction* context_;
};

// Owns a reference to a tensor of a running kernel; keeps its memory alive. The op's definition fixed its dtype,
// so the element type asked of data() is a matter of the op's author, not of its user.
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor);

  const TF_Tensor* get() const { return tensor_.get(); }
  const Shape& shape() const { return shape_; }
  size_t rank() const { return shape_.size(); }
  size_t size() const { return size_; }  // Number of elements.

  template <typename T>
  Span<T> data() const {
    return Span<T>(static_cast<T*>(TF_TensorData(tensor_.get())), size_);
  }
  // The elements of a string tensor, in place: valid while this Tensor lives.
  std::vector<std::string_view> Strings() const;

 private:
  struct Delete {
    void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  };
  std::unique_ptr<TF_Tensor, Delete> tensor_;
  Shape shape_;
  size_t size_;
};

// One run of a kernel.
class Run {
 public:
  explicit Run(TF_OpKernelContext* context) : context_(context) {}

  Tensor Input(int i) const;
  // Throws LimitError where it would be larger than 1 TiB.
  Tensor Output(int i, TF_DataType dtype, const Shape& shape) const;
  // Makes `tensor` itself the output: nothing is copied.
  void SetOutput(int i, const Tensor& tensor) const;

 private:
  TF_OpKernelContext* context_;
};

}  // namespace mmcore::tf

#endif  // MMCORE_TF_TENSOR_H_
