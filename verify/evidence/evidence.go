// Package evidence keeps what a verdict rested on, and judges it again: years later,
// without a network, under the same policy or another.
//
// A [Recorder] asks a [verify.Verifier] and writes down the answer, refusals too:
//
//	r := &evidence.Recorder{Verifier: v}
//	rec, res, err := r.Ask(ctx, evidence.Question{Method: evidence.Detached, Signature: der}, document)
//	file, err := evidence.NewFile(rec)
//	line, err := file.Encode()
//
// and a [Judge], whose policy and anchors are the service's own, asks the same again
// of what is in there:
//
//	file, err := evidence.Parse(line)
//	again, err := judge.Judge(ctx, file.Record, nil)
//	if !again.Same() { log.Print(again) } // says what changed, and by which check
//
// # What a record holds
//
// The question: the method, the signature or its digest, the digests of content that
// is kept elsewhere, when it was received. The policy: its name and version, the
// profile, the environment, and the clock. The verdict: the instant of judgement T
// and its kind, for each signer the path and what was learned of the status of each
// certificate; or the Reason, the check that refused, and why. And all that this
// rests on, as the authorities signed it: certificates, OCSP answers, revocation
// lists, time-stamp tokens.
//
// With a [Store], records have only the hashes of these objects, so that a revocation
// list of many megabytes is kept once for all that rest on it. [Memory], [Dir] and
// [Pack] are stores.
//
// The same verdict makes the same bytes: nothing in them depends on where evidence
// was cached, on the order of a map or on the machine. The clock is part of the
// verdict.
//
// # What it proves
//
// [Parse] finds every changed byte, and names the part. That says nothing of who
// wrote a record: its words about itself are worth as much as the place in which it
// was kept. What the authorities signed cannot be made up, and a Judge takes anchors
// and rules from its own configuration; but T, if it is a receipt, where a list
// without scope came from, and what was not written down are the word of the service.
// A seal makes that word stand: a time-stamp token ([File.AddTimestamp]) says that
// the record existed by then, a signature ([File.SealWith]) whose word it is. The
// manifest of a batch is sealed in the same way ([NewKeySeal], [EncodeSeals]).
//
// # Personal data
//
// Evidence holds personal data: the certificate of the signer, with name and number,
// and the message, if what was signed is inside. It holds no more of a person than
// they do. It is for the archive, under the rules for that; package slog and fmt are
// shown none of it.
//
// # The format
//
// A file is one line of JSON (RFC 8259) in UTF-8 with a line feed at its end, so that
// files can be put one behind the other. Between tokens there is no space; members
// stand in the order in which the Go types of this package have them, those that are
// empty are left out where their tag says omitempty or omitzero; in strings only
// quotation mark, backslash, control characters, U+2028 and U+2029 are escaped, as
// package encoding/json does; numbers are integers; times are RFC 3339 in UTC, with
// as many digits of a second as it takes; hashes are lower-case hexadecimal; bytes are
// base64 with padding. What is not written so is not accepted.
//
//	{"format":"citizencert-evidence/1","sha256":"…","record":{…},"seals":[…]}
//
// sha256 is that of the bytes of record, from brace to brace; [Record] has its
// members. Whoever has no Go in ten years needs a reader of JSON, base64 and SHA-256:
//
//	jq -j -c .record FILE | sha256sum
//	jq -r '.record.objects[] | select(.kind=="crl") | .data' FILE | base64 -d | openssl crl -inform DER -text
//
// Data of an object is DER, as it was received. That of a seal is a TimeStampToken
// (RFC 3161) over the bytes of record, or a JWS: see [File.SealWith].
//
// # What the caller still owns
//
// Keeping files and stores, and for how long; the content of detached signatures and
// the documents of statements, of which a record has the digests; the anchors.
//
// Out of scope: asking again, of a message larger than memory, what
// [verify.Verifier.CopyUnverified] has said; renewing seals before their algorithms age.
package evidence
