// The XNNPACK delegate of TensorFlow Lite 2.9, whose prebuilt library exports
// these functions but whose package does not carry the header. It is searched
// last, so the real header wins wherever a TFLite tree has one. The options
// grew in later versions: runtime/engine refuses to start if this header was
// compiled against another library.
#ifndef FATHOM_TENSORFLOW_LITE_DELEGATES_XNNPACK_DELEGATE_H_
#define FATHOM_TENSORFLOW_LITE_DELEGATES_XNNPACK_DELEGATE_H_

#include <stdint.h>

#include "tensorflow/lite/c/common.h"

#define FATHOM_XNNPACK_HEADER_OF "2.9."

// In flags: signed 8-bit integers, too.
#define TFLITE_XNNPACK_DELEGATE_FLAG_QS8 0x00000001

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t num_threads;
  uint32_t flags;
} TfLiteXNNPackDelegateOptions;

TFL_CAPI_EXPORT TfLiteXNNPackDelegateOptions
TfLiteXNNPackDelegateOptionsDefault();

TFL_CAPI_EXPORT TfLiteDelegate* TfLiteXNNPackDelegateCreate(
    const TfLiteXNNPackDelegateOptions* options);

TFL_CAPI_EXPORT void TfLiteXNNPackDelegateDelete(TfLiteDelegate* delegate);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // FATHOM_TENSORFLOW_LITE_DELEGATES_XNNPACK_DELEGATE_H_
