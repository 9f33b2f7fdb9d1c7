package dataset

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"github.com/fathom-edge/fathom/runtime/preprocess"
)

// A CIFAR picture is its red, green and blue plane, row by row.
const (
	cifarSide  = 32
	cifarPlane = cifarSide * cifarSide
)

// heldOut: the last 1/heldOut of each class's training images, in file order, are the validation split.
const heldOut = 10

// cifarLayout is a published binary format (www.cs.toronto.edu/~kriz/cifar.html): files of records, each some label bytes
// and a picture.
type cifarLayout struct {
	name        string
	train, test []cifarFile
	names       string // file of class names, one a line
	// labels is the number of values of each label byte; the last byte is the class.
	labels []int
}

type cifarFile struct {
	name    string
	records int
}

func (l cifarLayout) classes() int { return l.labels[len(l.labels)-1] }

var (
	cifar10 = cifarLayout{
		name: "cifar10",
		train: []cifarFile{{"data_batch_1.bin", 10000}, {"data_batch_2.bin", 10000}, {"data_batch_3.bin", 10000},
			{"data_batch_4.bin", 10000}, {"data_batch_5.bin", 10000}},
		test:   []cifarFile{{"test_batch.bin", 10000}},
		names:  "batches.meta.txt",
		labels: []int{10},
	}
	// cifar100 has the superclass before the class.
	cifar100 = cifarLayout{
		name:   "cifar100",
		train:  []cifarFile{{"train.bin", 50000}},
		test:   []cifarFile{{"test.bin", 10000}},
		names:  "fine_label_names.txt",
		labels: []int{20, 100},
	}
)

// cifarSet holds the files in memory: 184 MB.
type cifarSet struct {
	name   string
	labels []string
	spec   preprocess.Spec
	splits [3][]cifarRecord
}

// cifarRecord is a labelled picture, three planes.
type cifarRecord struct {
	label  int
	planes []byte
}

func openCIFAR(dir string, l cifarLayout, spec preprocess.Spec) (Dataset, error) {
	s := &cifarSet{name: l.name, spec: spec}
	var err error
	if s.labels, err = readClassNames(filepath.Join(dir, l.names), l.classes()); err != nil {
		return nil, err
	}
	train, err := readCIFAR(dir, l, l.train)
	if err != nil {
		return nil, err
	}
	if s.splits[Test], err = readCIFAR(dir, l, l.test); err != nil {
		return nil, err
	}
	s.splits[Train], s.splits[Validation] = holdOut(train, l.classes())
	return s, nil
}

// holdOut splits the training records. Both parts keep the order of the files.
func holdOut(records []cifarRecord, classes int) (train, validation []cifarRecord) {
	left := make([]int, classes) // that training may still take
	for _, r := range records {
		left[r.label]++
	}
	for label, n := range left {
		left[label] = n - n/heldOut
	}
	for _, r := range records {
		if left[r.label] > 0 {
			left[r.label]--
			train = append(train, r)
		} else {
			validation = append(validation, r)
		}
	}
	return train, validation
}

func readClassNames(path string, classes int) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: class names: %w", err)
	}
	names := strings.Fields(string(data))
	if len(names) != classes {
		return nil, fmt.Errorf("dataset: %s: %d class names, want %d, one a line (unpack the archive again)", path, len(names), classes)
	}
	if err := checkLabels(names); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", path, err)
	}
	return names, nil
}

func readCIFAR(dir string, l cifarLayout, files []cifarFile) ([]cifarRecord, error) {
	var records []cifarRecord
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %w (path is the folder with the files of the binary version)", l.name, err)
		}
		if want := int64(f.records * l.recordBytes()); info.Size() != want {
			return nil, fmt.Errorf("dataset: %s: %d bytes, want %d (%d records of %d): cut short? Unpack the archive again",
				path, info.Size(), want, f.records, l.recordBytes())
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		parsed, err := l.parse(data)
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", path, err)
		}
		records = append(records, parsed...)
	}
	return records, nil
}

func (l cifarLayout) recordBytes() int { return len(l.labels) + 3*cifarPlane }

// parse splits a file into its records, which borrow data.
func (l cifarLayout) parse(data []byte) ([]cifarRecord, error) {
	size := l.recordBytes()
	if len(data)%size != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of records of %d bytes", len(data), size)
	}
	records := make([]cifarRecord, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		for i, limit := range l.labels {
			if int(data[i]) >= limit {
				return nil, fmt.Errorf("record %d (from 0): label byte %d is %d, must be below %d (damaged? Unpack the archive again)",
					len(records), i, data[i], limit)
			}
		}
		n := len(l.labels)
		records = append(records, cifarRecord{label: int(data[n-1]), planes: data[n:size:size]})
	}
	return records, nil
}

func (s *cifarSet) Name() string          { return s.name }
func (s *cifarSet) Labels() []string      { return s.labels }
func (s *cifarSet) Spec() preprocess.Spec { return s.spec }
func (s *cifarSet) Len(split Split) int   { return len(s.splits[split]) }

func (s *cifarSet) Sample(split Split, index int, dst *image.RGBA) (int, error) {
	r := s.splits[split][index]
	setSize(dst, cifarSide, cifarSide)
	for i := range cifarPlane {
		p := dst.Pix[4*i : 4*i+4 : 4*i+4]
		p[0], p[1], p[2], p[3] = r.planes[i], r.planes[cifarPlane+i], r.planes[2*cifarPlane+i], 255
	}
	return r.label, nil
}
