package verify

import "log/slog"

// An Identity is what a certificate says of its holder. It names a certificate
// holder, not an account of the service, and holds personal data: fmt and slog
// print it redacted.
type Identity struct {
	Scheme       string  // Scheme.Name
	SerialNumber string  // serialNumber of the subject, as the scheme writes it
	Name         string  // as it stands in the certificate
	Kind         Kind    // who the holder is
	Carrier      Carrier // what the key lives in
	LastFour     string  // last four characters of the national ID, or ""
	Generation   string  // of the issuing CA, such as "G3"
}

// A Kind says what sort of holder a certificate is for.
type Kind string

// The kinds of natural persons.
const (
	Citizen         Kind = "citizen"
	ForeignResident Kind = "foreign-resident"
)

// A Carrier says what the key lives in.
type Carrier string

// The carriers.
const (
	Card   Carrier = "card"
	Mobile Carrier = "mobile"
)

// String returns the parts that name nobody.
func (i Identity) String() string {
	return "identity(" + i.Scheme + " " + string(i.Kind) + " " + string(i.Carrier) + " " + i.Generation + ")"
}

// GoString returns String, so that %#v does not give away what %v hides.
func (i Identity) GoString() string { return i.String() }

// LogValue returns the parts that name nobody.
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("scheme", i.Scheme),
		slog.String("kind", string(i.Kind)),
		slog.String("carrier", string(i.Carrier)),
		slog.String("generation", i.Generation),
	)
}
