package camera

import "errors"

// ErrTemporary marks an error after which the source goes on trying.
var ErrTemporary = errors.New("temporary")
