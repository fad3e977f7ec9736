package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program as operators and scripts see it: in a folder with files, by exit
// code, standard output and standard error.
func TestProgram(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"root.pem": encodePEM("CERTIFICATE", w.root), "moica.cer": w.moica, "card.b64": wrapped(w.card.Cert.Raw),
		"root.crl": w.rootCRL, "moica.crl": w.moicaCRL, "card.ors": w.cardOCSP,
		"filing.p7m": w.attached, "filing.p7s": w.detached, "filing.txt": w.document, "garbage": []byte("garbage\x00"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const trust = "-anchors root.pem -intermediates moica.cer "
	const lists = "-crl root.crl -crl moica.crl "
	for _, test := range []struct {
		args string
		code int
		want string // in standard output, or in standard error with exit code 2
	}{
		{"verify " + trust + lists + "filing.p7m", exitGood, "valid\n"},
		{"verify -json " + trust + lists + "-content filing.txt filing.p7s", exitGood, `{"verdict":"valid","reason":"",`},
		{"verify -json " + trust + lists + "-content garbage filing.p7s", exitRefused, `{"verdict":"refused","reason":"digest-mismatch",`},
		{"verify -json " + trust + "filing.p7m", exitRefused, `"reason":"status-unavailable"`},
		{"verify -json " + trust + "garbage", exitRefused, `"reason":"malformed"`},
		{"verify -json filing.p7m", exitUsage, "anchors fetch"},
		{"certificate -json garbage", exitUsage, "anchors fetch"},
		{"verify -json " + trust + "-frobnicate filing.p7m", exitUsage, "-frobnicate"},
		{"verify -json " + trust + "-at yesterday filing.p7m", exitUsage, "RFC 3339"},
		{"verify -json " + trust + "-at 0001-01-01T00:00:00Z filing.p7m", exitUsage, "RFC 3339"},
		{"verify -json " + trust + "-profile strict filing.p7m", exitUsage, "moica-encryption"},
		{"verify -json " + trust + "-eku server filing.p7m", exitUsage, "serverAuth"},
		{"verify -json " + trust + "-initial-policy level3 filing.p7m", exitUsage, "OID"},
		{"verify -json " + trust + "-insecure-skip-revocation -crl root.crl filing.p7m", exitUsage, "contradicts"},
		{"verify -json " + trust + "-anchor-dir . filing.p7m", exitUsage, "contradicts"},
		{"verify -json " + trust + "-host moi.gov.tw filing.p7m", exitUsage, "-online"},
		{"verify -json " + trust + "-online -host http://x/ filing.p7m", exitUsage, "host"},
		{"verify -json " + trust + "-timestamp garbage filing.p7m", exitUsage, "-tsa-anchors"},
		{"verify -json " + trust + "-tsa-anchors root.pem -timestamp missing filing.p7m", exitUsage, "missing"},
		{"verify -json " + trust + "-crl", exitUsage, "-crl"},
		{"verify -json " + trust + "-historical filing.p7m", exitUsage, "-anchors contradicts -historical"},
		{"verify -json -historical -insecure-allow-sha1 filing.p7m", exitUsage, "-historical contradicts"},
		{"verify -json -historical -algorithms nist-sp800-57 filing.p7m", exitUsage, "-historical contradicts"},
		{"verify -json " + trust + "-algorithms nist-sp800-57 -insecure-allow-sha1 filing.p7m", exitUsage, "-algorithms contradicts"},
		{"verify -json " + trust + "-algorithms historical filing.p7m", exitUsage, "historical=INSTANT"},
		{"verify -json " + trust + "-algorithms historical=2999-01-01T00:00:00Z filing.p7m", exitUsage, "of the past"},
		{"verify -json " + trust + "-algorithms strict=1 filing.p7m", exitUsage, "historical=INSTANT"},
		{"verify -json " + trust + "-insecure-min-signers 0 filing.p7m", exitUsage, "of 1 and more"},
		{"verify -json " + trust, exitUsage, "FILE"},
		{"verify -json " + trust + "filing.p7m -content filing.txt", exitUsage, "got 3 arguments"},
		{"certificate -json " + trust + lists + "card.b64", exitGood, `"environment":"custom"`},
		{"ocsp -json -cert card.b64 -issuer moica.cer card.ors", exitGood, `{"status":"good","reason":"",`},
		{"ocsp -json -cert card.b64 -issuer moica.cer garbage", exitRefused, `{"status":"unknown","reason":"malformed",`},
		{"crl -json -cert card.b64 -issuer moica.cer moica.crl", exitGood, `{"status":"good","reason":"",`},
		{"crl -json -cert card.b64 -issuer moica.cer root.crl", exitRefused, `{"status":"unknown","reason":"untrusted",`},
		{"inspect card.b64", exitGood, "certificate\n"},
		{"inspect missing", exitUsage, "missing"},
		{"anchors check .", exitRefused, "missing"},
		{"frobnicate", exitUsage, "frobnicate"},
		{"help frobnicate", exitUsage, "frobnicate"},
		{"help", exitGood, "anchors fetch"},
		{"help verify", exitGood, "-insecure-skip-revocation"},
		{"verify -h", exitGood, "-insecure-skip-revocation"},
	} {
		t.Run(test.args, func(t *testing.T) {
			got := execute(t, dir, "", strings.Fields(test.args)...)
			if test.code == exitUsage {
				got.checkUsage(t, test.want)
			} else if got.code != test.code || !strings.Contains(got.stdout, test.want) || got.stderr != "" {
				t.Errorf("got exit code %d, want %d with %q\n%s%s", got.code, test.code, test.want, got.stdout, got.stderr)
			}
		})
	}
}

func TestProgramUsage(t *testing.T) {
	got := call(t)
	if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, "Usage: citizencert COMMAND") {
		t.Errorf("got exit code %d, %q, %q", got.code, got.stdout, got.stderr)
	}
	for _, c := range commands {
		if !strings.Contains(got.stderr, c.name) || !strings.Contains(got.stderr, c.summary) {
			t.Errorf("usage lacks %s", c.name)
		}
	}
}
