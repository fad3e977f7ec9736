package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A stringList is a flag that may be given several times.
type stringList []string

func (l *stringList) String() string { return strings.Join(*l, ", ") }

// Set appends a value.
func (l *stringList) Set(value string) error {
	if value == "" {
		return errors.New("value is empty")
	}
	*l = append(*l, value)
	return nil
}

// atVar registers -at. The zero time, which the SDK takes for now, is refused.
func atVar(fs *flag.FlagSet, at *time.Time) {
	fs.Func("at", "`instant` of judgement, RFC 3339 as in 2026-05-31T15:59:59+08:00 (default now)", func(value string) error {
		t, err := time.Parse(time.RFC3339, value)
		if err != nil || t.IsZero() {
			return errors.New("want an instant as RFC 3339 writes it, such as 2026-05-31T15:59:59+08:00")
		}
		*at = t
		return nil
	})
}

func allowSHA1Var(fs *flag.FlagSet, allow *bool) {
	fs.BoolVar(allow, "insecure-allow-sha1", false, "accept SHA-1 and RSA keys from 1024 bits, for archived vectors")
}

// purposes are the extended key usages that have names (RFC 5280, Section
// 4.2.1.12, and RFC 9336).
var purposes = map[string]string{
	"serverAuth":      "1.3.6.1.5.5.7.3.1",
	"clientAuth":      "1.3.6.1.5.5.7.3.2",
	"codeSigning":     "1.3.6.1.5.5.7.3.3",
	"emailProtection": "1.3.6.1.5.5.7.3.4",
	"timeStamping":    "1.3.6.1.5.5.7.3.8",
	"OCSPSigning":     "1.3.6.1.5.5.7.3.9",
	"documentSigning": "1.3.6.1.5.5.7.3.36",
}

// purposeVar registers -eku, whose values are kept as numbers.
func purposeVar(fs *flag.FlagSet, list *[]string) {
	names := strings.Join(slices.Sorted(maps.Keys(purposes)), ", ")
	fs.Func("eku", "`purpose` that every certificate of the path must allow: an OID or one of "+names+" (repeatable: any of them)", func(value string) error {
		if oid, named := purposes[value]; named {
			value = oid
		}
		oid, err := x509.ParseOID(value)
		if err != nil {
			return fmt.Errorf("want an OID or one of %s", names)
		}
		*list = append(*list, oid.String())
		return nil
	})
}

// policyVar registers -initial-policy.
func policyVar(fs *flag.FlagSet, list *[]string) {
	fs.Func("initial-policy", "`OID` in the user-initial-policy-set (repeatable; default any policy)", func(value string) error {
		oid, err := x509.ParseOID(value)
		if err != nil {
			return errors.New("want an OID such as 2.16.886.101.0.3.3")
		}
		*list = append(*list, oid.String())
		return nil
	})
}
