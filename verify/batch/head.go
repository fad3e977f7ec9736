package batch

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a record. Those of a generation have its number in their names.
const (
	headName     = "batch.json"
	lockName     = "lock"
	resultsName  = "results-%d.jsonl"
	manifestName = "manifest-%d.json"
	sealsName    = "manifest-%d.seals"
)

// EvidenceName is the pack in the folder of a record, unless Config.Keep has evidence
// elsewhere.
const EvidenceName = "evidence.pack"

// Other places of evidence, in the head.
const (
	evidenceElsewhere = "elsewhere"
	evidenceOmitted   = "omitted"
)

// A head says what a batch is: the source, and the policy. Its digest names the
// batch.
type head struct {
	Format          int    `json:"format"`
	Source          string `json:"source"`
	ShardSize       int    `json:"shardSize"`
	Policy          policy `json:"policy"`
	PseudonymKey    string `json:"pseudonymKey"` // a value that only this key gives
	IncludeIdentity bool   `json:"includeIdentity,omitempty"`
	Evidence        string `json:"evidence"` // where it is: EvidenceName, or one of those below it
}

func (r *Runner) head(src Source) head {
	h := hmac.New(sha256.New, r.cfg.PseudonymKey)
	h.Write([]byte("citizencert batch key"))
	return head{
		Format: 1, Source: src.ID(), ShardSize: ShardSize, Policy: r.policy,
		PseudonymKey: hex.EncodeToString(h.Sum(nil)[:8]), IncludeIdentity: r.cfg.IncludeIdentity, Evidence: r.cfg.evidence(),
	}
}

func (cfg *Config) evidence() string {
	switch {
	case cfg.Keep != nil:
		return evidenceElsewhere
	case cfg.OmitEvidence:
		return evidenceOmitted
	}
	return EvidenceName
}

// A ChangedError says that a run cannot go on, because what it began with is not
// what it is given now.
type ChangedError struct{ What string }

func (e *ChangedError) Error() string {
	return "batch: " + e.What + " has changed since the run began; results of both would not belong together"
}

// begin writes the head into a folder that has none, or compares it with the one
// that is there, and returns the name of the batch.
func (h *head) begin(dir string) (batch string, err error) {
	want, err := h.encode()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, headName)
	got, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nameOf(want), writeFile(path, want)
	}
	if err != nil {
		return "", fmt.Errorf("batch: %w", err)
	}
	if bytes.Equal(got, want) {
		return nameOf(want), nil
	}
	return "", h.compare(got)
}

func (h *head) encode() ([]byte, error) {
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("batch: encoding %s: %w", headName, err)
	}
	return append(text, '\n'), nil
}

// compare finds out what differs.
func (h *head) compare(got []byte) error {
	var was head
	if err := json.Unmarshal(got, &was); err != nil {
		return &DamageError{File: headName, Err: err}
	}
	switch {
	case was.Source != h.Source:
		return &ChangedError{fmt.Sprintf("the source (%s, then %s)", was.Source, h.Source)}
	case was.PseudonymKey != h.PseudonymKey:
		return &ChangedError{"the pseudonym key"}
	case was.Format != h.Format || was.ShardSize != h.ShardSize:
		return &ChangedError{"the format"}
	case was.Evidence != h.Evidence:
		return &ChangedError{fmt.Sprintf("where evidence is kept (%s, then %s)", was.Evidence, h.Evidence)}
	}
	return &ChangedError{"the policy"}
}

// nameOf is the SHA-256 of a file or an object, in hexadecimal.
func nameOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// writeFile writes a file so that after a crash it is there as a whole or not at
// all.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	err := writeSynced(temporary, content)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("batch: writing %s: %w", filepath.Base(path), err)
	}
	return nil
}

func writeSynced(path string, content []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
