package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

func inspectJSON(t *testing.T, data []byte) map[string]any {
	t.Helper()
	got := call(t, "inspect", "-json", writeTemp(t, "file", data))
	if got.code != exitGood {
		t.Errorf("got exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	var object map[string]any
	got.decodeJSON(t, &object)
	return object
}

func checkMembers(t *testing.T, object map[string]any, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if got := fmt.Sprint(object[name]); got != fmt.Sprint(value) {
			t.Errorf("%s: got %s, want %v", name, got, value)
		}
	}
}

func TestInspectCertificate(t *testing.T) {
	w := newWorld(t)
	object := inspectJSON(t, w.card.Cert.Raw)
	checkMembers(t, object, map[string]any{
		"kind": "certificate", "subject": cardSubject, "serial": fmt.Sprintf("%x", w.card.Cert.SerialNumber),
		"publicKey": "RSA 2048", "ca": false, "keyUsage": "[digitalSignature]", "policies": "[2.16.886.101.0.3.0]",
		"ocsp": w.card.Cert.OCSPServer, "crlDistributionPoints": w.card.Cert.CRLDistributionPoints,
	})
	bundle := inspectJSON(t, encodePEM("CERTIFICATE", w.moica, w.card.Cert.Raw))
	checkMembers(t, bundle, map[string]any{"ca": true, "pathLen": 0})
	if further, _ := bundle["further"].([]any); len(further) != 1 {
		t.Errorf("got %d further objects, want 1", len(further))
	}
}

func TestInspectCRL(t *testing.T) {
	w := newWorld(t)
	revoked := time.Now().Add(-time.Hour).Truncate(time.Second)
	list, err := w.pki.G3.MOICA.CRL(pkitest.CRLOptions{
		Partition: true,
		Entries:   []pkitest.CRLEntry{{Serial: w.card.Cert.SerialNumber, RevocationDate: revoked, Reason: 1}},
		Filler:    100,
	})
	if err != nil {
		t.Fatal(err)
	}
	object := inspectJSON(t, list)
	checkMembers(t, object, map[string]any{"kind": "crl", "serials": 101, "extensions": "[2.5.29.35 2.5.29.20 2.5.29.28 critical]"})
	entries := object["firstEntries"].([]any)
	if len(entries) != shownEntries {
		t.Fatalf("got %d entries, want %d", len(entries), shownEntries)
	}
	checkMembers(t, entries[0].(map[string]any), map[string]any{
		"serial": fmt.Sprintf("%x", w.card.Cert.SerialNumber), "reasonCode": 1, "revokedAt": timeText(revoked),
	})
}

func TestInspectOCSP(t *testing.T) {
	w := newWorld(t)
	object := inspectJSON(t, w.cardOCSP)
	checkMembers(t, object, map[string]any{"kind": "ocsp", "responseStatus": "successful"})
	single := object["responses"].([]any)[0].(map[string]any)
	checkMembers(t, single, map[string]any{"status": "good", "hashAlgorithm": "SHA-1", "serial": fmt.Sprintf("%x", w.card.Cert.SerialNumber)})
	checkMembers(t, inspectJSON(t, []byte{0x30, 3, 0x0a, 1, 3}), map[string]any{"kind": "ocsp", "responseStatus": "tryLater"})
}

func TestInspectSignedData(t *testing.T) {
	w := newWorld(t)
	object := inspectJSON(t, w.attached)
	checkMembers(t, object, map[string]any{
		"kind": "signed-data", "detached": false, "contentLength": len(w.document), "contentType": "1.2.840.113549.1.7.1",
	})
	info := object["signerInfos"].([]any)[0].(map[string]any)
	checkMembers(t, info, map[string]any{"digestAlgorithm": "SHA-256", "serial": fmt.Sprintf("%x", w.card.Cert.SerialNumber)})
	if attributes := info["signedAttributes"].([]any); len(attributes) != 3 {
		t.Errorf("got signed attributes %v, want three", attributes)
	}
	checkMembers(t, inspectJSON(t, w.detached), map[string]any{"detached": true, "contentLength": nil})
}

func TestInspectText(t *testing.T) {
	w := newWorld(t)
	for want, data := range map[string][]byte{
		"certificate\nsubject              serialNumber=":  w.card.Cert.Raw,
		"CRL\nissuer               OU=":                    w.moicaCRL,
		"OCSP response\nresponse status      successful\n": w.cardOCSP,
		"SignedData\nversion              1\n":             w.attached,
	} {
		if got := call(t, "inspect", writeTemp(t, "file", data)); got.code != exitGood || !strings.HasPrefix(got.stdout, want) {
			t.Errorf("got exit code %d and\n%swant it to begin with\n%s", got.code, got.stdout, want)
		}
	}
}

func TestInspectMalformed(t *testing.T) {
	w := newWorld(t)
	for name, data := range map[string][]byte{
		"nothing":           nil,
		"text":              []byte("hello"),
		"NULL":              {5, 0},
		"certificate, cut":  w.moica[:len(w.moica)-1],
		"SignedData, cut":   w.attached[:100],
		"key":               encodePEM("PRIVATE KEY", []byte{0x30, 3, 2, 1, 0}),
		"OCSP without body": {0x30, 3, 0x0a, 1, 0},
	} {
		got := call(t, "inspect", "-json", writeTemp(t, "file", data))
		var object struct{ Reason verify.Reason }
		if got.decodeJSON(t, &object); got.code != exitRefused || object.Reason != verify.ReasonMalformed {
			t.Errorf("%s: got exit code %d: %s", name, got.code, got.stdout)
		}
	}
}

// Whatever the input, there is one JSON object or text without control
// characters, and exit code 0 or 1.
func FuzzInspect(f *testing.F) {
	f.Add([]byte{0x30, 3, 0x0a, 1, 3})
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	w := newWorld(f)
	for _, seed := range [][]byte{w.card.Cert.Raw, w.moicaCRL, w.cardOCSP, w.attached} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"inspect", "-json", "-"}, bytes.NewReader(data), &stdout, &stderr)
		if code != exitGood && code != exitRefused || !json.Valid(stdout.Bytes()) || stderr.Len() > 0 {
			t.Errorf("got exit code %d, %q, %q", code, stdout.String(), stderr.String())
		}
		stdout.Reset()
		run(t.Context(), []string{"inspect", "-"}, bytes.NewReader(data), &stdout, &stderr)
		for line := range strings.Lines(stdout.String()) {
			if line = strings.TrimSuffix(line, "\n"); printable(line) != strings.TrimSpace(line) {
				t.Errorf("line %q is not printable", line)
			}
		}
	})
}
