// The part of TensorFlow's C API that the ops use, declared here so that mmcore builds without TensorFlow. The
// symbols stay undefined in _kernels.so and are found in libtensorflow_framework when tf.load_op_library loads it.
// tests/test_build.py compiles these prototypes together with an installed TensorFlow's headers, where any
// difference is a compile error (the types then come from there, hence the condition).
#ifndef MMCORE_TF_C_API_H_
#define MMCORE_TF_C_API_H_

#ifndef TENSORFLOW_C_KERNELS_H_
#include "tf/c_types.h"
#endif

extern "C" {

TF_Status* TF_NewStatus(void);
void TF_DeleteStatus(TF_Status* status);
void TF_SetStatus(TF_Status* status, TF_Code code, const char* message);
TF_Code TF_GetCode(const TF_Status* status);
const char* TF_Message(const TF_Status* status);

void TF_DeleteTensor(TF_Tensor* tensor);
TF_DataType TF_TensorType(const TF_Tensor* tensor);
int TF_NumDims(const TF_Tensor* tensor);
int64_t TF_Dim(const TF_Tensor* tensor, int axis);
void* TF_TensorData(const TF_Tensor* tensor);

TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* op_name);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder* builder, const char* spec);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder* builder, const char* spec);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder* builder, const char* spec);
void TF_OpDefinitionBuilderSetShapeInferenceFunction(TF_OpDefinitionBuilder* builder,
                                                     void (*infer)(TF_ShapeInferenceContext*, TF_Status*));
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder* builder, TF_Status* status);

TF_ShapeHandle* TF_NewShapeHandle();
void TF_DeleteShapeHandle(TF_ShapeHandle* shape);
void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext* context, int i, TF_ShapeHandle* shape,
                                      TF_Status* status);
void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext* context, int i, TF_ShapeHandle* shape,
                                       TF_Status* status);
TF_ShapeHandle* TF_ShapeInferenceContextVectorFromSize(TF_ShapeInferenceContext* context, size_t size);
int64_t TF_ShapeInferenceContextRank(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape);
int TF_ShapeInferenceContextRankKnown(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape);
void TF_ShapeInferenceContextWithRankAtLeast(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape,
                                             int64_t rank, TF_ShapeHandle* result, TF_Status* status);
void TF_ShapeInferenceContextWithRankAtMost(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape,
                                            int64_t rank, TF_ShapeHandle* result, TF_Status* status);
void TF_ShapeInferenceContextSubshape(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape, int64_t start,
                                      int64_t end, TF_ShapeHandle* result, TF_Status* status);
void TF_ShapeInferenceContextConcatenateShapes(TF_ShapeInferenceContext* context, TF_ShapeHandle* first,
                                               TF_ShapeHandle* second, TF_ShapeHandle* result, TF_Status* status);
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext* context, TF_Status* status);

TF_KernelBuilder* TF_NewKernelBuilder(const char* op_name, const char* device_name,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* kernel_name, TF_KernelBuilder* builder, TF_Status* status);

void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction* context, TF_Status* status);
void TF_OpKernelConstruction_GetAttrSize(TF_OpKernelConstruction* context, const char* name, int32_t* list_size,
                                         int32_t* total_size, TF_Status* status);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction* context, const char* name, int64_t* value,
                                          TF_Status* status);
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* context, const char* name,
                                         unsigned char* value, TF_Status* status);
void TF_OpKernelConstruction_GetAttrType(TF_OpKernelConstruction* context, const char* name, TF_DataType* value,
                                         TF_Status* status);
void TF_OpKernelConstruction_GetAttrString(TF_OpKernelConstruction* context, const char* name, char* value,
                                           size_t max_length, TF_Status* status);

void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status);
void TF_GetInput(TF_OpKernelContext* context, int i, TF_Tensor** tensor, TF_Status* status);
void TF_SetOutput(TF_OpKernelContext* context, int i, const TF_Tensor* tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int i, TF_DataType dtype, const int64_t* dims,
                             int num_dims, size_t num_bytes, TF_Status* status);

}  // extern "C"

#endif  // MMCORE_TF_C_API_H_
