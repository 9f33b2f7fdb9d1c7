package camera

import "fmt"

// temporary is an error that wraps ErrTemporary without saying so in its text,
// which is written for people.
type temporary struct{ err error }

func temporaryf(format string, args ...any) error {
	return temporary{fmt.Errorf(format, args...)}
}

func (t temporary) Error() string   { return t.err.Error() }
func (t temporary) Unwrap() []error { return []error{ErrTemporary, t.err} }
