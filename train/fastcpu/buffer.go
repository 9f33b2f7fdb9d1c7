package fastcpu

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// maxPooled bounds how many free buffers of one type and length are kept.
const maxPooled = 256

// buffer is a tensor in memory. flat is a slice of the Go type of shape.DType.
type buffer struct {
	backend *Backend
	shape   shapes.Shape
	flat    any
}

type poolKey struct {
	dtype  dtypes.DType
	length int
}

// pool keeps storage for reuse; its zero value is ready.
type pool struct {
	mu   sync.Mutex
	free map[poolKey][]any
}

func (p *pool) get(key poolKey) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.free[key]
	if len(list) == 0 {
		return dtypes.MakeAnySlice(key.dtype, key.length)
	}
	flat := list[len(list)-1]
	p.free[key] = list[:len(list)-1]
	return flat
}

func (p *pool) put(key poolKey, flat any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		p.free = map[poolKey][]any{}
	}
	if len(p.free[key]) < maxPooled {
		p.free[key] = append(p.free[key], flat)
	}
}

// alloc returns a buffer with undefined contents.
func (b *Backend) alloc(shape shapes.Shape) *buffer {
	return &buffer{backend: b, shape: shape, flat: b.pool.get(poolKey{shape.DType, shape.Size()})}
}

func (b *buffer) f32() []float32 { return b.flat.([]float32) }

// BufferFromFlatData implements [compute.DataInterface].
func (b *Backend) BufferFromFlatData(_ compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	buf := b.alloc(shape)
	if err := copyFlat(buf.flat, flat); err != nil {
		return nil, err
	}
	return buf, nil
}

// HasSharedBuffers implements [compute.DataInterface].
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer implements [compute.DataInterface].
func (b *Backend) NewSharedBuffer(_ compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	buf := b.alloc(shape)
	reflect.ValueOf(buf.flat).Clear()
	return buf, buf.flat, nil
}

// Backend implements [compute.Buffer].
func (b *buffer) Backend() compute.Backend { return b.backend }

// Finalize implements [compute.Buffer].
func (b *buffer) Finalize() error {
	if b.flat == nil {
		return fmt.Errorf("fastcpu: buffer %s finalized twice", b.shape)
	}
	b.backend.pool.put(poolKey{b.shape.DType, b.shape.Size()}, b.flat)
	b.flat = nil
	return nil
}

// Shape implements [compute.Buffer].
func (b *buffer) Shape() (shapes.Shape, error) { return b.shape, nil }

// DeviceNum implements [compute.Buffer].
func (b *buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData implements [compute.Buffer].
func (b *buffer) ToFlatData(flat any) error { return copyFlat(flat, b.flat) }

// Data implements [compute.Buffer].
func (b *buffer) Data() (any, error) { return b.flat, nil }

// CopyToDevice implements [compute.Buffer].
func (b *buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	if device != 0 {
		return nil, fmt.Errorf("fastcpu: there is no device %d, only device 0", device)
	}
	return b.backend.BufferFromFlatData(0, b.flat, b.shape)
}

func copyFlat(dst, src any) error {
	if d, ok := dst.([]float32); ok {
		if s, ok := src.([]float32); ok && len(s) == len(d) {
			copy(d, s)
			return nil
		}
	}
	d, s := reflect.ValueOf(dst), reflect.ValueOf(src)
	if d.Type() != s.Type() || d.Len() != s.Len() {
		return fmt.Errorf("fastcpu: copy %d values of %s to %d of %s", s.Len(), s.Type(), d.Len(), d.Type())
	}
	reflect.Copy(d, s)
	return nil
}
