package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fathom-edge/fathom/convert/onnx/pb"
)

// An empty message takes two bytes of a file and some hundred in memory. A file
// may hold freeMessages, and one more for every messageBytes of its size: real
// models need several times as many bytes a message.
const (
	freeMessages = 1 << 17
	messageBytes = 8
)

// maxNesting is more levels of nested messages than protobuf reads.
const maxNesting = 10_000

// checkMessages refuses a file of size bytes that would take up far more memory;
// data is the file without its weights. What else may be wrong with it is left to
// the parser.
func checkMessages(data []byte, size int64) error {
	most := freeMessages + int(size)/messageBytes
	left := most
	if !spendMessages(data, (*pb.ModelProto)(nil).ProtoReflect().Descriptor(), &left, maxNesting) {
		return fmt.Errorf("its %d bytes hold more than %d parts, most of them empty (file damaged? export it again)", size, most)
	}
	return nil
}

// spendMessages counts left down for every message in a message of type d and
// says whether it sufficed.
func spendMessages(data []byte, d protoreflect.MessageDescriptor, left *int, nesting int) bool {
	for len(data) > 0 && nesting > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			break
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			break
		}
		if f := d.Fields().ByNumber(number); kind == protowire.BytesType && f != nil && f.Message() != nil {
			inner, _ := protowire.ConsumeBytes(data)
			if *left--; *left < 0 || !spendMessages(inner, f.Message(), left, nesting-1) {
				return false
			}
		}
		data = data[n:]
	}
	return true
}
