package verify

// A Deviation names a rule that a signature breaks and that the policy waives by
// name. The texts are stable.
type Deviation string

// The deviations, each accepted under the field of [Config] that names it.
const (
	DeviationMixedHashes        Deviation = "mixed-hashes"         // InsecureAllowMixedHashes
	DeviationUnsortedAttributes Deviation = "unsorted-attributes"  // InsecureAllowUnsortedAttributes
	DeviationNoSignedAttributes Deviation = "no-signed-attributes" // InsecureAllowNoSignedAttributes
	DeviationUTF16Line          Deviation = "utf-16-line"          // InsecureAllowUTF16Line
)

// tolerate notes a deviation of a signer and reports whether the policy waives it.
func (j *judgement) tolerate(s *signerInfo, d Deviation) bool {
	if !j.v.tolerated[d] {
		return false
	}
	s.deviations = append(s.deviations, d)
	return true
}
