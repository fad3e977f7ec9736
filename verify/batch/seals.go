package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/citizencert/citizencert/verify/evidence"
)

// ReadReport returns the Report of the last generation of a record, as its manifest
// has it, with the seals beside it. It does not look at the results: see [Verify].
// Where the last ones have no manifest yet, it returns ErrUnfinished.
func ReadReport(dir string) (*Report, error) {
	last, err := lastReport(dir)
	if err != nil {
		return nil, err
	}
	next := 0
	if last != nil {
		next = last.Generation + 1
	}
	begun, err := exists(filepath.Join(dir, fmt.Sprintf(resultsName, next)))
	if err != nil {
		return nil, err
	}
	if last == nil && !begun {
		_, err := os.Stat(filepath.Join(dir, fmt.Sprintf(resultsName, next)))
		return nil, fmt.Errorf("batch: %w", err)
	}
	if begun {
		return nil, fmt.Errorf("batch: %s: %w", dir, ErrUnfinished)
	}
	return last, nil
}

// Bytes returns the manifest: the file of which Manifest is the SHA-256, and which
// seals are over. It must not be modified. Of a run that has not finished it is nil.
func (report *Report) Bytes() []byte { return report.text }

// AddSeal puts a seal over Bytes beside the manifest in the folder of the record, after
// those that are there: as a line of manifest-0.seals, in the format of
// [evidence.EncodeSeals]. It survives a power failure as a whole or not at all. What
// the seal is worth is not looked at.
func (report *Report) AddSeal(dir string, seal evidence.Seal) error {
	unlock, err := lock(filepath.Join(dir, lockName))
	if err != nil {
		return err
	}
	defer unlock()
	there, err := readReport(dir, report.Generation)
	if err != nil {
		return err
	}
	if there == nil || there.Manifest != report.Manifest {
		return &ChangedError{fmt.Sprintf(manifestName, report.Generation)}
	}
	seals := append(there.Seals, seal)
	text, err := evidence.EncodeSeals(seals)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	if err := writeFile(filepath.Join(dir, fmt.Sprintf(sealsName, report.Generation)), text); err != nil {
		return err
	}
	report.Seals = seals
	return nil
}

// readSeals returns the seals over the manifest of a generation.
func readSeals(dir string, generation int) ([]evidence.Seal, error) {
	name := fmt.Sprintf(sealsName, generation)
	text, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	seals, err := evidence.ParseSeals(text)
	if damage, ok := errors.AsType[*evidence.DamageError](err); ok {
		return nil, &DamageError{File: name, Err: damage}
	}
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	return seals, nil
}
