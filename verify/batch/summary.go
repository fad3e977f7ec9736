package batch

import (
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Summary counts filings by what became of them. Of one that was retried the last
// verdict counts.
type Summary struct {
	Filings    int64                   `json:"filings"`
	Verdicts   map[Verdict]int64       `json:"verdicts"`
	Reasons    map[verify.Reason]int64 `json:"reasons"`    // of all that are not valid
	Issuers    map[string]int64        `json:"issuers"`    // of the signers of valid filings
	Algorithms map[string]int64        `json:"algorithms"` // likewise

	// OldestRevocation is the earliest thisUpdate that a verdict rests on, and
	// OldestEvidence the digest of the answer or list. Zero if there is none.
	OldestRevocation time.Time `json:"oldestRevocation,omitzero"`
	OldestEvidence   string    `json:"oldestEvidence,omitempty"`
}

func newSummary() *Summary {
	return &Summary{
		Verdicts: make(map[Verdict]int64), Reasons: make(map[verify.Reason]int64),
		Issuers: make(map[string]int64), Algorithms: make(map[string]int64),
	}
}

// Valid reports whether every filing was valid.
func (s *Summary) Valid() bool { return s.Verdicts[Valid] == s.Filings }

func (s *Summary) add(res *Result) {
	s.count(res, 1)
	for i := range res.Signers {
		signer := &res.Signers[i]
		s.Issuers[signer.Issuer]++
		s.Algorithms[signer.Algorithm]++
		for _, fact := range signer.Revocation {
			if at := fact.ThisUpdate; s.OldestRevocation.IsZero() || at.Before(s.OldestRevocation) {
				s.OldestRevocation, s.OldestEvidence = at, ""
				if len(fact.Evidence) > 0 {
					s.OldestEvidence = fact.Evidence[0]
				}
			}
		}
	}
}

// merge adds what a shard came to.
func (s *Summary) merge(shard *Summary) {
	s.Filings += shard.Filings
	addCounts(s.Verdicts, shard.Verdicts)
	addCounts(s.Reasons, shard.Reasons)
	addCounts(s.Issuers, shard.Issuers)
	addCounts(s.Algorithms, shard.Algorithms)
	at := shard.OldestRevocation
	if !at.IsZero() && (s.OldestRevocation.IsZero() || at.Before(s.OldestRevocation)) {
		s.OldestRevocation, s.OldestEvidence = at, shard.OldestEvidence
	}
}

func addCounts[K comparable](to, counts map[K]int64) {
	for key, n := range counts {
		to[key] += n
	}
}

// withdraw takes back a result that will be judged again. It has no signers.
func (s *Summary) withdraw(res *Result) { s.count(res, -1) }

func (s *Summary) count(res *Result, n int64) {
	s.Filings += n
	s.Verdicts[res.Verdict] += n
	if s.Verdicts[res.Verdict] == 0 {
		delete(s.Verdicts, res.Verdict)
	}
	if res.Reason == "" {
		return
	}
	if s.Reasons[res.Reason] += n; s.Reasons[res.Reason] == 0 {
		delete(s.Reasons, res.Reason)
	}
}
