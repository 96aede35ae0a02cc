#include "tf/registration.h"

namespace mmcore::tf {

void Shapes::CheckRank(int input, int64_t least, int64_t most) const {
  Status status;
  const Handle shape = Input(input), checked(TF_NewShapeHandle());
  TF_ShapeInferenceContextWithRankAtLeast(context_, shape.get(), least, checked.get(), status);
  status.Check();
  TF_ShapeInferenceContextWithRankAtMost(context_, shape.get(), most, checked.get(), status);
  status.Check();
}

void Shapes::SetOutput(int output, int input, int64_t dropped, std::initializer_list<int64_t> added) const {
  Status status;
  Handle shape = Input(input);
  if (!TF_ShapeInferenceContextRankKnown(context_, shape.get())) return SetUnknown();  // All follow one input.
  const int64_t kept = TF_ShapeInferenceContextRank(context_, shape.get()) - dropped;
  TF_ShapeInferenceContextSubshape(context_, shape.get(), 0, kept, shape.get(), status);
  status.Check();
  for (int64_t axis : added) {
    // A vector of size -1 is TensorFlow's vector of unknown size.
    const Handle vector(TF_ShapeInferenceContextVectorFromSize(context_, static_cast<size_t>(axis)));
    shape = Concatenate(shape, vector);
  }
  TF_ShapeInferenceContextSetOutput(context_, output, shape.get(), status);
  status.Check();
}

void Shapes::SetOutputAxes(int output, int input, std::initializer_list<int64_t> axes) const {
  Status status;
  const Handle whole = Input(input);
  if (!TF_ShapeInferenceContextRankKnown(context_, whole.get())) return SetUnknown();
  Handle shape(TF_NewShapeHandle());
  TF_ShapeInferenceContextSubshape(context_, whole.get(), 0, 0, shape.get(), status);
  status.Check();
  for (int64_t axis : axes) {
    const Handle one(TF_NewShapeHandle());
    TF_ShapeInferenceContextSubshape(context_, whole.get(), axis, axis + 1, one.get(), status);
    status.Check();
    shape = Concatenate(shape, one);
  }
  TF_ShapeInferenceContextSetOutput(context_, output, shape.get(), status);
  status.Check();
}

void Shapes::SetUnknown() const {
  Status status;
  TF_ShapeInferenceContextSetUnknownShape(context_, status);
  status.Check();
}

Shapes::Handle Shapes::Input(int i) const {
  Status status;
  Handle shape(TF_NewShapeHandle());
  TF_ShapeInferenceContextGetInput(context_, i, shape.get(), status);
  status.Check();
  return shape;
}

Shapes::Handle Shapes::Concatenate(const Handle& first, const Handle& second) const {
  Status status;
  Handle result(TF_NewShapeHandle());
  TF_ShapeInferenceContextConcatenateShapes(context_, first.get(), second.get(), result.get(), status);
  status.Check();
  return result;
}

void RegisterSignature(const Signature& signature, void (*infer)(TF_ShapeInferenceContext*, TF_Status*)) {
  Status status;
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(signature.name);
  for (const char* spec : signature.inputs) TF_OpDefinitionBuilderAddInput(builder, spec);
  for (const char* spec : signature.attributes) TF_OpDefinitionBuilderAddAttr(builder, spec);
  for (const char* spec : signature.outputs) TF_OpDefinitionBuilderAddOutput(builder, spec);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, infer);
  TF_RegisterOpDefinition(builder, status);  // Takes the builder.
  status.Check();
}

void RegisterKernel(const char* name, void* (*create)(TF_OpKernelConstruction*),
                    void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*)) {
  Status status;
  TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, destroy), status);
  status.Check();
}

}  // namespace mmcore::tf
