//go:build cgo

package engine

/*
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h>

// What one writes by hand around a single TFLite file.
typedef struct {
  TfLiteModel* model;
  TfLiteDelegate* delegate;
  TfLiteInterpreter* interpreter;
  TfLiteTensor* in;
  const TfLiteTensor* out;
  void* frame; // in the type of the input
} bare;

static void bare_close(bare* b) {
  if (b->interpreter) TfLiteInterpreterDelete(b->interpreter);
  if (b->delegate) TfLiteXNNPackDelegateDelete(b->delegate);
  if (b->model) TfLiteModelDelete(b->model);
  free(b->frame);
  memset(b, 0, sizeof *b);
}

static int bare_open(bare* b, const char* file, int32_t threads) {
  memset(b, 0, sizeof *b);
  if (!(b->model = TfLiteModelCreateFromFile(file))) return 0;
  TfLiteXNNPackDelegateOptions xnnpack = TfLiteXNNPackDelegateOptionsDefault();
  xnnpack.num_threads = threads;
  xnnpack.flags |= TFLITE_XNNPACK_DELEGATE_FLAG_QS8;
  if (!(b->delegate = TfLiteXNNPackDelegateCreate(&xnnpack))) return 0;
  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, threads);
  TfLiteInterpreterOptionsAddDelegate(options, b->delegate);
  b->interpreter = TfLiteInterpreterCreate(b->model, options);
  TfLiteInterpreterOptionsDelete(options);
  if (!b->interpreter || TfLiteInterpreterAllocateTensors(b->interpreter) != kTfLiteOk) return 0;
  b->in = TfLiteInterpreterGetInputTensor(b->interpreter, 0);
  b->out = TfLiteInterpreterGetOutputTensor(b->interpreter, 0);
  if (!b->in || !b->out) return 0;
  return (b->frame = malloc(TfLiteTensorByteSize(b->in))) != NULL;
}

static int64_t bare_values(const TfLiteTensor* t) {
  size_t bytes = TfLiteTensorByteSize(t);
  switch (TfLiteTensorType(t)) {
    case kTfLiteFloat32: return (int64_t)(bytes / sizeof(float));
    case kTfLiteInt8: return (int64_t)bytes;
    default: return -1;
  }
}

static void bare_frame(bare* b, const float* input) {
  int64_t n = bare_values(b->in);
  if (TfLiteTensorType(b->in) == kTfLiteFloat32) {
    memcpy(b->frame, input, (size_t)n * sizeof(float));
    return;
  }
  TfLiteQuantizationParams q = TfLiteTensorQuantizationParams(b->in);
  int8_t* codes = b->frame;
  for (int64_t i = 0; i < n; i++) {
    float steps = input[i] / q.scale;
    steps = steps < -256 ? -256 : steps > 256 ? 256 : steps;
    int32_t code = (int32_t)(steps + (steps < 0 ? -0.5f : 0.5f)) + q.zero_point;
    codes[i] = (int8_t)(code < -128 ? -128 : code > 127 ? 127 : code);
  }
}

static int bare_run(bare* b, float* output) {
  memcpy(TfLiteTensorData(b->in), b->frame, TfLiteTensorByteSize(b->in));
  if (TfLiteInterpreterInvoke(b->interpreter) != kTfLiteOk) return 0;
  int64_t n = bare_values(b->out);
  if (TfLiteTensorType(b->out) == kTfLiteFloat32) {
    memcpy(output, TfLiteTensorData(b->out), (size_t)n * sizeof(float));
  } else {
    TfLiteQuantizationParams q = TfLiteTensorQuantizationParams(b->out);
    const int8_t* codes = TfLiteTensorData(b->out);
    for (int64_t i = 0; i < n; i++) output[i] = q.scale * (float)(codes[i] - q.zero_point);
  }
  return 1;
}

static int bare_loop(bare* b, float* output, int64_t runs, int64_t* nanoseconds) {
  struct timespec from, to;
  for (int64_t i = 0; i < runs; i++) {
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (!bare_run(b, output)) return 0;
    clock_gettime(CLOCK_MONOTONIC, &to);
    nanoseconds[i] = (to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec);
  }
  return 1;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// Bare is a loop in C around one TFLite file, without anything of ours: what
// benchmarks compare an Engine with. One goroutine may use it. The file is
// trusted, as only a Bundle's are verified.
type Bare struct {
	c    *C.bare
	file string
	took []C.int64_t
	// Output are the values of the last run, dequantized.
	Output []float32
	inputs int
}

// OpenBare loads a file with one float32 or int8 input and output. The caller ends with Close.
func OpenBare(file string, threads int) (*Bare, error) {
	b := &Bare{c: (*C.bare)(C.calloc(1, C.sizeof_bare)), file: file}
	name := C.CString(file)
	defer C.free(unsafe.Pointer(name))
	if C.bare_open(b.c, name, C.int32_t(max(1, threads))) == 0 {
		b.Close()
		return nil, fmt.Errorf("engine: %s: TensorFlow Lite cannot load it", file)
	}
	in, out := C.bare_values(b.c.in), C.bare_values(b.c.out)
	if in < 1 || out < 1 {
		b.Close()
		return nil, fmt.Errorf("engine: %s: its input and output must be float32 or int8", file)
	}
	b.inputs, b.Output = int(in), make([]float32, out)
	return b, nil
}

// Loop runs the file once for each element of took on values in the order of its
// input, and writes there how long each run lasted, from copying them in to copying
// the output out. Where the input is int8, they are quantized before the first.
// The whole loop is in C.
func (b *Bare) Loop(input []float32, took []time.Duration) error {
	if b.c == nil {
		return ErrClosed
	}
	if len(input) != b.inputs {
		return fmt.Errorf("engine: %s takes %d values, but is given %d", b.file, b.inputs, len(input))
	}
	if len(took) == 0 {
		return errors.New("engine: a loop of no runs")
	}
	if len(b.took) < len(took) {
		b.took = make([]C.int64_t, len(took))
	}
	C.bare_frame(b.c, (*C.float)(&input[0]))
	if C.bare_loop(b.c, (*C.float)(&b.Output[0]), C.int64_t(len(took)), &b.took[0]) == 0 {
		return fmt.Errorf("engine: %s: TensorFlow Lite failed to run it", b.file)
	}
	for i := range took {
		took[i] = time.Duration(b.took[i])
	}
	return nil
}

// Close frees everything. Further calls do nothing.
func (b *Bare) Close() {
	if b.c == nil {
		return
	}
	C.bare_close(b.c)
	C.free(unsafe.Pointer(b.c))
	b.c = nil
}
