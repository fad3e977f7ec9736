package evidence

import "fmt"

// A DamageError says what is no longer what was written.
type DamageError struct {
	Part   string // "file", "record", "seal", "pack" or "object"
	Object Hash   // of an object, by the hash it should have; zero if it is not about one
	Offset int64  // in the file or pack, where the part begins
	Err    error  // what is wrong
}

func (e *DamageError) Error() string {
	if e.Object.IsZero() {
		return fmt.Sprintf("evidence: damaged: %s at offset %d: %v", e.Part, e.Offset, e.Err)
	}
	return fmt.Sprintf("evidence: damaged: %s with SHA-256 %v at offset %d: %v", e.Part, e.Object, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }
