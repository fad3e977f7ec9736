package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// A line of a results file is the JSON of a Result with one field more at its end:
//
//	{"generation":0,"shard":0,…,"micros":41,"evidence":{…},"chain":"<64 hexadecimal digits>"}
//
// chain is the SHA-256 of the chain before it, 32 octets, and of the line up to the
// comma before "chain". Before the first line of a shard it is the SHA-256 of the
// text
//
//	citizencert batch 1\n<batch>\n<generation>\n<shard>\n
//
// where the batch is named by the SHA-256 of its head in hexadecimal.
type chain [sha256.Size]byte

func newChain(batch string, generation int, shard int64) chain {
	return sha256.Sum256(fmt.Appendf(nil, "citizencert batch 1\n%s\n%d\n%d\n", batch, generation, shard))
}

// next returns the chain after a line.
func (c chain) next(body []byte) chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(body)
	return chain(h.Sum(nil))
}

func (c chain) String() string { return hex.EncodeToString(c[:]) }

const (
	evidenceBegin = `,"evidence":`

	chainBegin = `,"chain":"`
	chainEnd   = `"}`
	chainSize  = len(chainBegin) + 2*sha256.Size + len(chainEnd)
)

// seal appends the line of a result, with its end of line, and moves the chain on.
func (c *chain) seal(to []byte, res *Result) ([]byte, error) {
	bare := *res
	bare.Evidence = nil // is JSON already, to the byte
	body, err := json.Marshal(&bare)
	if err != nil {
		return to, fmt.Errorf("batch: encoding the result of %s: %w", res.Item, err)
	}
	begin := len(to)
	to = append(to, body[:len(body)-1]...)
	if len(res.Evidence) > 0 {
		to = append(to, evidenceBegin...)
		to = append(to, res.Evidence...)
	}
	*c = c.next(to[begin:])
	to = append(to, chainBegin...)
	to = hex.AppendEncode(to, c[:])
	return append(to, chainEnd+"\n"...), nil
}

// open checks a line, without its end of line, and moves the chain on.
func (c *chain) open(line []byte) (*Result, error) {
	next := *c
	if err := next.follow(line); err != nil {
		return nil, err
	}
	res := new(Result)
	if err := json.Unmarshal(line, res); err != nil {
		return nil, err
	}
	*c = next
	return res, nil
}

// follow does as open, and does not read the result.
func (c *chain) follow(line []byte) error {
	at := len(line) - chainSize
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(chainBegin)) || !bytes.HasSuffix(line, []byte(chainEnd)) {
		return errors.New("it does not end in its chain")
	}
	next := c.next(line[:at])
	if said := line[at+len(chainBegin) : len(line)-len(chainEnd)]; string(said) != next.String() {
		return fmt.Errorf("its chain is %s, want %s", said, next)
	}
	*c = next
	return nil
}
