// The types of TensorFlow's C API that the prototypes in c_api.h speak of. Values and layouts are part of
// TensorFlow's stable binary interface; tests/test_build.py compares each with the headers of an installed one.
#ifndef MMCORE_TF_C_TYPES_H_
#define MMCORE_TF_C_TYPES_H_

#include <cstddef>
#include <cstdint>

enum TF_DataType : unsigned {
  TF_FLOAT = 1,
  TF_INT32 = 3,
  TF_UINT8 = 4,
  TF_STRING = 7,
  TF_INT64 = 9,
  TF_BOOL = 10,
  TF_BFLOAT16 = 14,
  TF_HALF = 19,
};

enum TSL_Code : unsigned {
  TSL_OK = 0,
  TSL_INVALID_ARGUMENT = 3,
  TSL_RESOURCE_EXHAUSTED = 8,
  TSL_INTERNAL = 13,
  TSL_DATA_LOSS = 15,
};
typedef TSL_Code TF_Code;

typedef struct TSL_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
struct TF_OpDefinitionBuilder;
struct TF_ShapeHandle;
struct TF_ShapeInferenceContext;

// An element of a string tensor. The low two bits of the first byte say which member holds it; the sizes of
// the first three carry those bits too, so the number of bytes is `size >> 2`.
struct TF_TString {
  enum Type : unsigned char { kSmall = 0, kLarge = 1, kOffset = 2, kView = 3 };
  union {
    struct {
      unsigned char size;
      char data[23];
    } small;
    struct {
      size_t size;
      size_t capacity;
      const char* data;
    } large;
    struct {
      uint32_t size;
      uint32_t offset;  // From the start of this TF_TString.
      uint32_t count;
    } offset;
    struct {
      size_t size;
      const char* data;
      void* owner;
    } view;
    unsigned char raw[24];
  };
};
static_assert(sizeof(TF_TString) == 24, "TensorFlow's strings have 24 bytes");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "TF_TString is declared for little-endian machines only"
#endif

#endif  // MMCORE_TF_C_TYPES_H_
