package governor

// Reason is one short sentence that explains a decision. It is put into words
// when it is read, so that deciding needs no memory. The zero Reason says nothing.
type Reason struct {
	text  string // where the words were known at once, or read from a log
	why   why
	value [3]float64
	word  [2]string
}

// Say is a reason in words.
func Say(text string) Reason { return Reason{text: text} }

// String is the sentence.
func (r Reason) String() string {
	if r.why == 0 {
		return r.text
	}
	return r.why.say(r.value, r.word)
}

// MarshalText writes the sentence.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText keeps a sentence as it was written.
func (r *Reason) UnmarshalText(text []byte) error {
	*r = Reason{text: string(text)}
	return nil
}

// Equal says whether two reasons read the same.
func (r Reason) Equal(o Reason) bool { return r.String() == o.String() }

// Cause is what keeps a decision from being deeper or faster, in a word: one of
// the concerns, or what is wrong with what the policy knows.
type Cause string

type why uint8

func (w why) say(v [3]float64, word [2]string) string { return "" }
