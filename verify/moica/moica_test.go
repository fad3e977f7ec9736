package moica_test

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

func testPins(pki *pkitest.PKI) []moica.Pin {
	var pins []moica.Pin
	for _, p := range pki.Pins() {
		pins = append(pins, moica.Pin(p))
	}
	return pins
}

func TestLoadAnchorsReal(t *testing.T) {
	anchors, err := moica.LoadAnchors(os.DirFS(outside.RealPKI(t)))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, f := range anchors.Found() {
		found[f.Pin.Name] = f.File
	}
	for _, p := range moica.Pins() {
		if got, want := found[p.Name], p.Name+".pem"; got != want {
			t.Errorf("got %s in file %q, want %q", p.Name, got, want)
		}
	}
	skipped := make(map[string]string)
	for _, s := range anchors.Skipped() {
		skipped[s.File] = s.Why
	}
	for _, name := range []string{"GRCA-G1.pem", "GRCA-G1-to-G2-link.pem", "MOICA-G1.pem", "MOEACA-G2.pem"} {
		if !strings.Contains(skipped[name], "not pinned") {
			t.Errorf("got %q for %s, want it skipped as not pinned", skipped[name], name)
		}
	}
	if skipped["README.md"] == "" {
		t.Error("README.md is not listed as skipped")
	}
}

func TestLoadAnchors(t *testing.T) {
	pki := testbed.New(t, nil)
	file := func(name string) *fstest.MapFile {
		f, err := pki.FS().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, info.Size())
		if _, err := f.Read(data); err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: data}
	}
	bundle := &fstest.MapFile{Data: append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.G2.Root.Cert.Raw}), file("GRCA-G3.pem").Data...)}
	for _, tt := range []struct {
		name    string
		files   fstest.MapFS
		found   int
		skipped string // what is said of a file that is not used
		fails   string
	}{
		{"all four", fstest.MapFS{"a": file("GRCA-G2.pem"), "b": file("GRCA-G3.pem"), "c": file("MOICA-G2.cer"), "d": file("MOICA-G3.cer")}, 4, "", ""},
		{"one generation", fstest.MapFS{"b": file("GRCA-G3.pem"), "d": file("MOICA-G3.cer")}, 2, "", ""},
		{"a bundle", fstest.MapFS{"roots.pem": bundle}, 2, "", ""},
		{"a CA whose root is not there", fstest.MapFS{"b": file("GRCA-G3.pem"), "c": file("MOICA-G2.cer")}, 1, "whose root is not there", ""},
		{"twice", fstest.MapFS{"a": file("GRCA-G3.pem"), "b": file("GRCA-G3.pem")}, 1, "again", ""},
		{"a text beside", fstest.MapFS{"b": file("GRCA-G3.pem"), "README": {Data: []byte("no certificate")}}, 1, "no certificate", ""},
		{"too large a file", fstest.MapFS{"b": file("GRCA-G3.pem"), "c": {Data: make([]byte, 64<<10+1)}}, 1, "larger", ""},
		{"no root", fstest.MapFS{"d": file("MOICA-G3.cer")}, 0, "", "none of the pinned roots"},
		{"nothing", fstest.MapFS{}, 0, "", "none of the pinned roots"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			anchors, err := moica.LoadTestAnchors(tt.files, pki.Pins()...)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("got error %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := len(anchors.Found()); got != tt.found {
				t.Errorf("got %d pinned certificates, want %d", got, tt.found)
			}
			whys := ""
			for _, s := range anchors.Skipped() {
				whys += s.Why + "\n"
			}
			if !strings.Contains(whys, tt.skipped) || tt.skipped == "" && whys != "" {
				t.Errorf("got skipped %q, want %q", whys, tt.skipped)
			}
		})
	}
	t.Run("look-alikes in production", func(t *testing.T) {
		if _, err := moica.LoadAnchors(pki.FS()); err == nil {
			t.Error("got no error for a folder without any of the real roots")
		}
	})
	t.Run("production pins in a test", func(t *testing.T) {
		if _, err := moica.LoadTestAnchors(pki.FS(), append(testPins(pki), moica.Pins()[0])...); err == nil {
			t.Error("got no error for a pin of production")
		}
	})
	t.Run("a pin that is none", func(t *testing.T) {
		if _, err := moica.LoadTestAnchors(pki.FS(), moica.Pin{Name: "X", SHA256: "abc"}); err == nil {
			t.Error("got no error for a pin of three digits")
		}
	})
}

// A new generation is added by the relying party, with its own pin.
func TestLoadAnchorsWithNewGeneration(t *testing.T) {
	pki := testbed.New(t, nil)
	anchors, err := moica.LoadAnchors(pki.FS(), testPins(pki)...)
	if err != nil {
		t.Fatal(err)
	}
	if got := moica.Production(anchors); len(got.Anchors) != 2 || len(got.Intermediates) != 2 || got.Environment != verify.Production {
		t.Errorf("got %d anchors, %d intermediates, %v, want 2, 2, production", len(got.Anchors), len(got.Intermediates), got.Environment)
	}
}

// redirected sends every request to one server, as a proxy would.
type redirected struct{ to *httptest.Server }

func (r redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	local, err := http.NewRequestWithContext(req.Context(), req.Method, r.to.URL+"/"+req.URL.Host+req.URL.Path, nil)
	if err != nil {
		return nil, err
	}
	return r.to.Client().Transport.RoundTrip(local)
}

func TestFetchAnchors(t *testing.T) {
	dir := outside.RealPKI(t)
	published := map[string]string{
		"/grca.nat.gov.tw/repository/Certs/GRCA2.cer":     "GRCA-G2.pem",
		"/grca.nat.gov.tw/repository/Certs/GRCAG3.crt":    "GRCA-G3.pem",
		"/moica.nat.gov.tw/repository/Certs/MOICA2.cer":   "MOICA-G2.pem",
		"/moica.nat.gov.tw/repository/Certs/MOICA-G3.cer": "MOICA-G3.pem",
	}
	swapped := ""
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := published[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == swapped {
			name = "MOICA-G1.pem"
		}
		http.ServeFile(w, r, filepath.Join(dir, name))
	}))
	defer repository.Close()
	client := &http.Client{Transport: redirected{repository}}

	into := filepath.Join(t.TempDir(), "anchors")
	anchors, err := moica.FetchAnchors(context.Background(), client, into)
	if err != nil {
		t.Fatal(err)
	}
	if len(anchors.Found()) != 4 || len(anchors.Skipped()) != 0 {
		t.Errorf("got %d found and %v skipped, want the four pinned ones", len(anchors.Found()), anchors.Skipped())
	}
	swapped = "/moica.nat.gov.tw/repository/Certs/MOICA-G3.cer"
	into = filepath.Join(t.TempDir(), "anchors")
	if _, err := moica.FetchAnchors(context.Background(), client, into); err == nil || !strings.Contains(err.Error(), "pinned as MOICA-G3") {
		t.Errorf("got error %v for another certificate, want one that names the pin", err)
	}
	if _, err := os.Stat(filepath.Join(into, "MOICA-G3.cer")); !os.IsNotExist(err) {
		t.Errorf("the other certificate was stored (%v)", err)
	}
}

func TestIdentity(t *testing.T) {
	pki := testbed.New(t, nil)
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		t.Fatal(err)
	}
	scheme := moica.Test(anchors)
	person := pkitest.Person{Name: "陳測試", Number: "0000000012345678", LastFour: "9945"}
	foreign := person
	foreign.Foreign = true
	attribute := func(oid asn1.ObjectIdentifier, values ...string) pkitest.Attribute {
		a := pkitest.Attribute{Type: oid}
		for _, v := range values {
			a.Values = append(a.Values, []byte(v))
		}
		return a
	}
	citizen := attribute(pkitest.OIDSubjectType, "\x06\x08\x60\x86\x76\x01\x64\x03\x01\x01")
	base := verify.Identity{Scheme: moica.Name, SerialNumber: person.Number, Name: person.Name, Kind: verify.Citizen,
		Carrier: verify.Card, LastFour: "9945", Generation: "G2"}
	with := func(change func(*verify.Identity)) verify.Identity {
		id := base
		change(&id)
		return id
	}
	name := func(attributes ...pkitest.NameAttribute) []byte { return pkitest.Name(attributes...) }
	cn := pkitest.NameAttribute{Type: pkitest.OIDCommonName, Value: person.Name}
	serial := pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: person.Number}
	for _, tt := range []struct {
		name  string
		tm    pkitest.Template
		want  verify.Identity
		fails string
	}{
		{"citizen", pkitest.Template{Person: person}, base, ""},
		{"foreign resident", pkitest.Template{Person: foreign}, with(func(id *verify.Identity) { id.Kind = verify.ForeignResident }), ""},
		{"mobile", pkitest.Template{Person: person, Carrier: "mobile"}, with(func(id *verify.Identity) { id.Carrier = verify.Mobile }), ""},
		{"no tail", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{citizen}}, with(func(id *verify.Identity) { id.LastFour = "" }), ""},
		{"tail of three", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{citizen, attribute(pkitest.OIDLastFour, "\x0c\x03994")}}, base, "4 characters"},
		{"tail twice", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{citizen, attribute(pkitest.OIDLastFour, "\x0c\x049945", "\x0c\x049946")}}, base, "one value"},
		{"type twice", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{citizen, citizen}}, base, "twice"},
		{"another type", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{attribute(pkitest.OIDSubjectType, "\x06\x08\x60\x86\x76\x01\x64\x03\x01\x07")}}, base, "not a citizen"},
		{"no type", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{attribute(pkitest.OIDLastFour, "\x0c\x049945")}}, base, "no subjectType"},
		{"length past the end", pkitest.Template{Person: person, SubjectDirectory: []pkitest.Attribute{attribute(pkitest.OIDSubjectType, "\x06\x7f\x60")}}, base, "subjectDirectoryAttributes"},
		{"serialNumber twice", pkitest.Template{RawSubject: name(cn, serial, serial)}, base, "twice"},
		{"no serialNumber", pkitest.Template{RawSubject: name(cn)}, base, "serialNumber"},
		{"15 digits", pkitest.Template{RawSubject: name(cn, pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: person.Number[1:]})}, base, "16 digits"},
		{"serialNumber in UTF-8", pkitest.Template{RawSubject: name(cn, pkitest.NameAttribute{Type: pkitest.OIDSerialNumber, Value: person.Number, Tag: 12})}, base, "PrintableString"},
		{"no name", pkitest.Template{RawSubject: name(serial)}, base, "commonName"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			issued, err := pki.G2.MOICA.Issue(tt.tm)
			if err != nil {
				t.Fatal(err)
			}
			got, err := scheme.Profile.Identify(issued.Cert)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got error %v, want one that says %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got another identity than was issued, in kind %q, carrier %q, generation %q", got.Kind, got.Carrier, got.Generation)
			}
		})
	}
}

func TestProfilesTellThePairApart(t *testing.T) {
	signature, encryption := moica.SignatureProfile(), moica.EncryptionProfile()
	if signature.KeyUsage&encryption.KeyUsage != 0 || signature.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		t.Errorf("got key usages %b and %b, want them apart", signature.KeyUsage, encryption.KeyUsage)
	}
}
