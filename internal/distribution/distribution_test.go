package distribution

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/citizencert/citizencert/internal/der/dertest"
)

const url = "http://lists.test/1.crl"

// rdn returns an RDN with a commonName, and name a Name that begins with such.
func rdn(cn string) []byte {
	return dertest.TLV(0x30, dertest.TLV(0x06, []byte{0x55, 0x04, 0x03}), dertest.TLV(0x0c, []byte(cn)))
}

func name(cns ...string) []byte {
	var sets [][]byte
	for _, cn := range cns {
		sets = append(sets, dertest.TLV(0x31, rdn(cn)))
	}
	return dertest.TLV(0x30, sets...)
}

func TestParsePoints(t *testing.T) {
	uri, directory := dertest.TLV(0x86, []byte(url)), dertest.TLV(0xa4, name("Test CRL"))
	full := func(names ...[]byte) []byte { return dertest.TLV(0xa0, dertest.TLV(0xa0, names...)) }
	reasons := dertest.TLV(0x81, []byte{0x05, 0x60}) // keyCompromise, cACompromise
	many := func(n int, one []byte) [][]byte {
		all := make([][]byte, n)
		for i := range all {
			all[i] = one
		}
		return all
	}
	for _, c := range []struct {
		name   string
		points [][]byte // what the points hold
		ok     bool
	}{
		{"URL", [][]byte{full(uri)}, true},
		{"all three", [][]byte{append(append(full(uri, directory), reasons...), dertest.TLV(0xa2, directory)...)}, true},
		{"relative name", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa1, rdn("1")))}, true},
		{"relative name, empty", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa1))}, false},
		{"nothing in it", [][]byte{nil}, true},
		{"none", nil, false},
		{"no names", [][]byte{full()}, false},
		{"no name", [][]byte{dertest.TLV(0xa0)}, false},
		{"neither kind of name", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa2, uri))}, false},
		{"no GeneralName", [][]byte{full(dertest.TLV(0x0c, []byte(url)))}, false},
		{"cRLIssuer without names", [][]byte{dertest.TLV(0xa2)}, false},
		{"reasons that are none", [][]byte{dertest.TLV(0x81)}, false},
		{"out of order", [][]byte{append(dertest.TLV(0xa2, directory), full(uri)...)}, false},
		{"as many names as may be", [][]byte{full(many(maxNames, uri)...)}, true},
		{"one more", [][]byte{full(many(maxNames+1, uri)...)}, false},
		{"as many points as may be", many(maxPoints, full(uri)), true},
		{"one point more", many(maxPoints+1, full(uri)), false},
	} {
		var list [][]byte
		for _, point := range c.points {
			list = append(list, dertest.TLV(0x30, point))
		}
		points, err := ParsePoints(dertest.TLV(0x30, list...))
		if (err == nil) != c.ok || err == nil && len(points) != len(c.points) {
			t.Errorf("%s: got %d points, %v, want success %v", c.name, len(points), err, c.ok)
		}
	}
	for _, data := range [][]byte{nil, {0x31, 0}, dertest.TLV(0x30, dertest.TLV(0x31))} {
		if points, err := ParsePoints(data); err == nil {
			t.Errorf("%x: got %v, want an error", data, points)
		}
	}
}

func TestOf(t *testing.T) {
	ca := name("Test CA")
	cert := &x509.Certificate{RawIssuer: ca}
	points, err := Of(cert)
	if err != nil || len(points) != 1 || !points[0].IsEntryOf(ca) || points[0].Reasons != AllReasons {
		t.Errorf("without the extension: got %v, %v, want the entry of the CA", points, err)
	}
	relative := dertest.TLV(0x30, dertest.TLV(0xa0, dertest.TLV(0xa1, rdn("1"))))
	at := dertest.TLV(0x30, dertest.TLV(0xa0, dertest.TLV(0xa0, dertest.TLV(0x86, []byte(url)))), dertest.TLV(0x81, []byte{0x05, 0x60}))
	cert.Extensions = []pkix.Extension{{Id: oidDistributionPoints, Value: dertest.TLV(0x30, relative, at)}}
	points, err = Of(cert)
	if err != nil || len(points) != 2 {
		t.Fatalf("got %v, %v, want two points", points, err)
	}
	if names := points[0].Name.Names(ca); len(names) != 1 || !Intersect(names, []GeneralName{DirectoryName(name("Test CA", "1"))}) {
		t.Errorf("relative name: got %v, want it below the CA", names)
	}
	if p := points[1]; !p.LeadsTo(url) || p.LeadsTo(url+"0") || p.IsEntryOf(ca) || p.Reasons != 1<<1|1<<2 {
		t.Errorf("got %v, want a point at the URL for two reasons", p)
	}
}
