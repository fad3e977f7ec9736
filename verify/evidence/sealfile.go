package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// EncodeSeals returns seals as they are kept in a file of their own, beside what they
// are over: a line of JSON for each, with the members that it has in a file of
// evidence.
//
//	{"kind":"jws","sha256":"…","data":"…"}
func EncodeSeals(seals []Seal) ([]byte, error) {
	var b bytes.Buffer
	for i := range seals {
		line, err := encode(&seals[i])
		if err != nil {
			return nil, fmt.Errorf("evidence: encoding a seal: %w", err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// ParseSeals reads what EncodeSeals has written, one seal at least. Every byte counts:
// what is not exactly so is a [*DamageError]. What a seal proves is for [Seal.CheckKey]
// and [Seal.CheckTimestamp].
func ParseSeals(data []byte) ([]Seal, error) {
	var seals []Seal
	offset := int64(0)
	for line := range bytes.Lines(data) {
		var s Seal
		damage := &DamageError{Part: "seal", Offset: offset}
		if err := json.Unmarshal(line, &s); err != nil {
			damage.Err = err
			return nil, damage
		}
		damage.Object = s.SHA256
		if !s.intact() {
			damage.Err = errChanged
			return nil, damage
		}
		seals = append(seals, s)
		again, err := EncodeSeals(seals[len(seals)-1:])
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(again, line) {
			damage.Err = errNotCanonical
			return nil, damage
		}
		offset += int64(len(line))
	}
	if len(seals) == 0 {
		return nil, &DamageError{Part: "seal", Err: errors.New("there is none")}
	}
	return seals, nil
}
