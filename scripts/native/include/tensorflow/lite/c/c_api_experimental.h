// The four experimental declarations of TensorFlow Lite's C API that the Go
// binding go-tflite includes. The prebuilt library exports these functions but
// its package does not carry this header. It is searched last, so the real
// header wins wherever a TFLite tree has one.
#ifndef FATHOM_TENSORFLOW_LITE_C_C_API_EXPERIMENTAL_H_
#define FATHOM_TENSORFLOW_LITE_C_C_API_EXPERIMENTAL_H_

#include <stdbool.h>
#include <stdint.h>

#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

// The numbers of the built-in operators are the schema's; C code passes them as int.
typedef int32_t TfLiteBuiltinOperator;

TFL_CAPI_EXPORT extern TfLiteStatus TfLiteInterpreterResetVariableTensors(
    TfLiteInterpreter* interpreter);

TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsAddBuiltinOp(
    TfLiteInterpreterOptions* options, TfLiteBuiltinOperator op,
    const TfLiteRegistration* registration, int32_t min_version,
    int32_t max_version);

TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsAddCustomOp(
    TfLiteInterpreterOptions* options, const char* name,
    const TfLiteRegistration* registration, int32_t min_version,
    int32_t max_version);

TFL_CAPI_EXPORT extern void TfLiteInterpreterOptionsSetUseNNAPI(
    TfLiteInterpreterOptions* options, bool enable);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // FATHOM_TENSORFLOW_LITE_C_C_API_EXPERIMENTAL_H_
