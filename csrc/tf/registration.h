// Registers an op and its CPU kernel in a few lines. A kernel is a class
//
//   struct Kernel {
//     explicit Kernel(const Attributes& attributes);   // Once for each node (eagerly: once for each attributes).
//     void Compute(const Run& run) const;               // At once from many threads.
//   };
//
// whose two functions throw what is wrong; and a shape function over Shapes. See tokenize.cc.
#ifndef MMCORE_TF_REGISTRATION_H_
#define MMCORE_TF_REGISTRATION_H_

#include <initializer_list>
#include <memory>

#include "tf/c_api.h"
#include "tf/status.h"
#include "tf/tensor.h"

namespace mmcore::tf {

// What a shape function sees: what is known of the input shapes before anything runs. The C API shows it no
// attributes but dtypes, so an axis whose length is an attribute is kUnknown here, and mmcore/ops sets its length.
class Shapes {
 public:
  static constexpr int64_t kUnknown = -1;

  explicit Shapes(TF_ShapeInferenceContext* context) : context_(context) {}

  // Throws StatusError (InvalidArgument) where the input's rank is known and outside [least, most].
  void CheckRank(int input, int64_t least, int64_t most) const;

  // The output's shape is the input's without its last `dropped` axes, then the axes `added`.
  void SetOutput(int output, int input, int64_t dropped, std::initializer_list<int64_t> added) const;

  // The output's shape is made of these axes of the input, in this order.
  void SetOutputAxes(int output, int input, std::initializer_list<int64_t> axes) const;

  // Every output has an unknown shape, until another function says more of it.
  void SetUnknown() const;

 private:
  struct Delete {
    void operator()(TF_ShapeHandle* shape) const { TF_DeleteShapeHandle(shape); }
  };
  using Handle = std::unique_ptr<TF_ShapeHandle, Delete>;

  Handle Input(int i) const;
  Handle Concatenate(const Handle& first, const Handle& second) const;

  TF_ShapeInferenceContext* context_;
};

// The signature of an op, in the notation of TensorFlow's REGISTER_OP.
struct Signature {
  const char* name;
  std::initializer_list<const char*> inputs;
  std::initializer_list<const char*> attributes;
  std::initializer_list<const char*> outputs;
};

// The untyped parts of Register; both throw StatusError.
void RegisterSignature(const Signature& signature, void (*infer)(TF_ShapeInferenceContext*, TF_Status*));
void RegisterKernel(const char* name, void* (*create)(TF_OpKernelConstruction*),
                    void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));

template <typename Kernel>
void* Create(TF_OpKernelConstruction* context) {
  Status status;
  Kernel* kernel = nullptr;
  if (!Guarded(status, [&] { kernel = new Kernel(Attributes(context)); })) {
    TF_OpKernelConstruction_Failure(context, status);
  }
  return kernel;
}

template <typename Kernel>
void Compute(void* kernel, TF_OpKernelContext* context) {
  Status status;
  if (!Guarded(status, [&] { static_cast<const Kernel*>(kernel)->Compute(Run(context)); })) {
    TF_OpKernelContext_Failure(context, status);
  }
}

template <typename Kernel>
void Destroy(void* kernel) {
  delete static_cast<Kernel*>(kernel);
}

template <void (*kInfer)(const Shapes&)>
void Infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  Guarded(status, [&] { kInfer(Shapes(context)); });
}

// Registers the op and its kernel for the CPU.
template <typename Kernel, void (*kInfer)(const Shapes&)>
void Register(const Signature& signature) {
  RegisterSignature(signature, &Infer<kInfer>);
  RegisterKernel(signature.name, &Create<Kernel>, &Compute<Kernel>, &Destroy<Kernel>);
}

}  // namespace mmcore::tf

#endif  // MMCORE_TF_REGISTRATION_H_
