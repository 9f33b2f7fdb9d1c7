//go:build cgo

package engine

/*
#cgo LDFLAGS: -ltensorflowlite_c
#include <stdlib.h>
#include <tensorflow/lite/c/c_api.h>
#include <tensorflow/lite/c/common.h>
#include <tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h>

#ifndef FATHOM_XNNPACK_HEADER_OF
#define FATHOM_XNNPACK_HEADER_OF "" // the library's own header: any version
#endif

// A delegate that is XNNPACK's in all but Prepare, which also counts.
typedef struct {
  TfLiteDelegate delegate; // first, so that a pointer to it is one to the whole
  TfLiteDelegate* xnnpack;
  int operators; // of the last graph that was prepared
  int delegated; // of those, how many XNNPACK took
} fathom_delegate;

// TFLite replaces each run of operators that XNNPACK takes by one node.
static TfLiteStatus fathom_prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  fathom_delegate* d = (fathom_delegate*)delegate;
  d->operators = d->delegated = 0;
  TfLiteIntArray* plan = NULL;
  TfLiteStatus status = context->GetExecutionPlan(context, &plan);
  if (status != kTfLiteOk) return status;
  d->operators = plan->size;
  status = d->xnnpack->Prepare(context, delegate);
  if (status != kTfLiteOk) return status;
  status = context->GetExecutionPlan(context, &plan);
  if (status != kTfLiteOk) return status;
  int left = 0;
  for (int i = 0; i < plan->size; i++) {
    TfLiteNode* node = NULL;
    TfLiteRegistration* registration = NULL;
    status = context->GetNodeAndRegistration(context, plan->data[i], &node, &registration);
    if (status != kTfLiteOk) return status;
    if (node->delegate != delegate) left++;
  }
  d->delegated = d->operators - left;
  return kTfLiteOk;
}

static fathom_delegate* fathom_delegate_create(int32_t threads) {
  fathom_delegate* d = calloc(1, sizeof *d);
  if (d == NULL) return NULL;
  TfLiteXNNPackDelegateOptions options = TfLiteXNNPackDelegateOptionsDefault();
  options.num_threads = threads;
  options.flags |= TFLITE_XNNPACK_DELEGATE_FLAG_QS8; // int8, which it leaves alone otherwise
  d->xnnpack = TfLiteXNNPackDelegateCreate(&options);
  if (d->xnnpack == NULL) {
    free(d);
    return NULL;
  }
  d->delegate = *d->xnnpack;
  d->delegate.Prepare = fathom_prepare;
  return d;
}

static void fathom_delegate_delete(fathom_delegate* d) {
  TfLiteXNNPackDelegateDelete(d->xnnpack);
  free(d);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// delegate is the XNNPACK delegate. One is shared by all interpreters: with
// one each, the workers of their thread pools would spin against each other.
// It implements go-tflite's delegates.Delegater.
type delegate struct{ c *C.fathom_delegate }

func newDelegate(threads int) (*delegate, error) {
	linked := C.GoString(C.TfLiteVersion())
	if compiled := C.FATHOM_XNNPACK_HEADER_OF; !strings.HasPrefix(linked, compiled) {
		return nil, fmt.Errorf("engine: TensorFlow Lite %s is linked, but its xnnpack_delegate.h was not there to compile with: add include/tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h of that version to FATHOM_TFLITE_DIR", linked)
	}
	c := C.fathom_delegate_create(C.int32_t(threads))
	if c == nil {
		return nil, errors.New("engine: XNNPACK cannot be set up (out of memory, or a CPU that it does not support)")
	}
	return &delegate{c}, nil
}

// Ptr is what TFLite takes.
func (d *delegate) Ptr() unsafe.Pointer { return unsafe.Pointer(&d.c.delegate) }

// Delete is called after every interpreter that used the delegate is gone.
func (d *delegate) Delete() { C.fathom_delegate_delete(d.c) }

// taken says how many operators the graph prepared last has, and how many of
// them XNNPACK runs.
func (d *delegate) taken() (operators, delegated int) {
	return int(d.c.operators), int(d.c.delegated)
}
