package verify

import "context"

// Timestamp verifies a time-stamp token over data that is no signature, such as a
// record of evidence: that its messageImprint is a digest of data, and all that is
// asked of tokens over signatures, with [Config].Timestamping. Of opts only
// Certificates and Evidence count.
//
// What the token proves is that data existed at [Timestamp.Latest].
func (v *Verifier) Timestamp(ctx context.Context, token, data []byte, opts *Options) (*Timestamp, error) {
	given := new(Options)
	if opts != nil {
		given.Certificates, given.Evidence = opts.Certificates, opts.Evidence
	}
	c := v.newCall(given, UseFiling)
	hints, err := c.optionCertificates(nil)
	if err != nil {
		return nil, err
	}
	t := c.readTokens([][]byte{token}, data, hints)[0]
	if t.checkStatus(ctx); t.Err != nil {
		return nil, t.Err
	}
	return &t.Timestamp, nil
}
