// Compiles only where csrc/tf/c_api.h and csrc/tf/c_types.h agree with the headers of an installed TensorFlow: a C
// function that is declared twice with different types is an error. Compiled by tests/test_build.py, never run.
#include <cstddef>
#include <cstdint>

namespace ours {
#include "tf/c_types.h"
}

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"
#include "tensorflow/c/tf_tstring.h"

#include "tf/c_api.h"

#define SAME_VALUE(name) \
  static_assert(static_cast<int>(ours::name) == static_cast<int>(::name), #name " has another value")
SAME_VALUE(TF_FLOAT);
SAME_VALUE(TF_INT32);
SAME_VALUE(TF_UINT8);
SAME_VALUE(TF_STRING);
SAME_VALUE(TF_INT64);
SAME_VALUE(TF_BOOL);
SAME_VALUE(TF_BFLOAT16);
SAME_VALUE(TF_HALF);
SAME_VALUE(TSL_OK);
SAME_VALUE(TSL_INVALID_ARGUMENT);
SAME_VALUE(TSL_RESOURCE_EXHAUSTED);
SAME_VALUE(TSL_INTERNAL);
SAME_VALUE(TSL_DATA_LOSS);

static_assert(sizeof(ours::TF_DataType) == sizeof(::TF_DataType), "TF_DataType has another size");
static_assert(sizeof(ours::TF_Code) == sizeof(::TF_Code), "TF_Code has another size");
static_assert(sizeof(ours::TF_TString) == sizeof(::TF_TString), "TF_TString has another size");

static_assert(int{ours::TF_TString::kSmall} == ::TF_TSTR_SMALL, "small strings have another tag");
static_assert(int{ours::TF_TString::kLarge} == ::TF_TSTR_LARGE, "large strings have another tag");
static_assert(int{ours::TF_TString::kOffset} == ::TF_TSTR_OFFSET, "offset strings have another tag");
static_assert(int{ours::TF_TString::kView} == ::TF_TSTR_VIEW, "string views have another tag");

#define SAME_OFFSET(our_member, their_member) \
  static_assert(offsetof(ours::TF_TString, our_member) == offsetof(::TF_TString, u.their_member), #our_member)
SAME_OFFSET(small.size, smll.size);
SAME_OFFSET(small.data, smll.str);
SAME_OFFSET(large.size, large.size);
SAME_OFFSET(large.capacity, large.cap);
SAME_OFFSET(large.data, large.ptr);
SAME_OFFSET(offset.size, offset.size);
SAME_OFFSET(offset.offset, offset.offset);
SAME_OFFSET(view.size, view.size);
SAME_OFFSET(view.data, view.ptr);
