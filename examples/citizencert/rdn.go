package main

import (
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/citizencert/citizencert/internal/der"
)

// attributeNames are the short names by which RFC 4514 writes attribute types:
// those of its Section 3, and of what else occurs in certificates those that RFC
// 4519 has registered. Other types are written as numbers, their values as #hex.
var attributeNames = map[string]string{
	"2.5.4.3":                    "CN",
	"2.5.4.4":                    "SN",
	"2.5.4.5":                    "serialNumber",
	"2.5.4.6":                    "C",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.9":                    "STREET",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.12":                   "title",
	"2.5.4.17":                   "postalCode",
	"2.5.4.42":                   "givenName",
	"2.5.4.43":                   "initials",
	"2.5.4.44":                   "generationQualifier",
	"2.5.4.46":                   "dnQualifier",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
}

// nameText returns the DER of a Name in the string form of RFC 4514: the last
// RDN first. A name that is no Name is written as #hex, so that it is seen.
func nameText(raw []byte) string {
	doc, err := der.Strict(raw, der.Limits{})
	if err != nil {
		return "#" + hex.EncodeToString(raw)
	}
	var rdns []string
	name := doc.Root().Reader()
	for rdn := range name.All() {
		var attributes []string
		members := rdn.Reader()
		for attribute := range members.All() {
			attributes = append(attributes, attributeText(attribute))
		}
		rdns = append(rdns, strings.Join(attributes, "+"))
	}
	slices.Reverse(rdns)
	return strings.Join(rdns, ",")
}

func attributeText(attribute der.Element) string {
	r := attribute.Reader()
	id, _ := r.Next()
	value, _ := r.Next()
	oid, err := id.ObjectID()
	if err != nil {
		return "#" + hex.EncodeToString(attribute.Raw)
	}
	name, known := attributeNames[oid]
	if !known {
		return oid + "=#" + hex.EncodeToString(value.Raw)
	}
	// Package asn1 knows the string types that certificates use.
	var text string
	if rest, err := asn1.Unmarshal(value.Raw, &text); err != nil || len(rest) > 0 || !utf8.ValidString(text) {
		return name + "=#" + hex.EncodeToString(value.Raw)
	}
	return name + "=" + escapeValue(text)
}

// escapeValue escapes an attribute value (RFC 4514, Section 2.4). The RFC lets
// others be escaped than those that must be: whatever cannot be seen, or turns
// the direction of writing, is.
func escapeValue(value string) string {
	var b strings.Builder
	for i, r := range value {
		switch {
		case strings.ContainsRune(`"+,;<>\`, r),
			r == '#' && i == 0,
			r == ' ' && (i == 0 || i == len(value)-1):
			b.WriteByte('\\')
			b.WriteRune(r)
		case !unicode.IsGraphic(r):
			for _, octet := range []byte(string(r)) {
				b.WriteString(`\` + strings.ToUpper(hex.EncodeToString([]byte{octet})))
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
