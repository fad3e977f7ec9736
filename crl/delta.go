package crl

import (
	"context"
	"encoding/asn1"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

var oidFreshestCRL = asn1.ObjectIdentifier{2, 5, 29, 46}

// deltas judges the delta CRLs that the certificate and the lists read so far lead
// to, fetched if none is held that is current (RFC 5280, Sections 4.2.1.15 and 5.2.6).
// A list that settles the query is followed too: its CA has said that there is newer
// news. Without any the list counts as it is, as long as it is current.
func (a *inquiry) deltas(ctx context.Context) {
	for _, address := range a.freshest() {
		key := shelfKey{a.issuer, address}
		h, rung := a.store.shelf.get(key), verify.RungHeld
		if h == nil {
			a.store.load(ctx, a.query, key)
			h = a.store.shelf.get(key)
		}
		if (h == nil || !h.currentNow(a.query)) && !a.query.HeldOnly && a.store.online() {
			fetched, err := a.store.fetch(ctx, a.query, key)
			if err != nil {
				a.fail(err)
			} else {
				h, rung = fetched, fetched.list.rung()
			}
		}
		if h != nil {
			a.judge(h.list, rung, address, a.store.options(a.query, JudgeOptions{From: address, freshest: true}))
		}
	}
}

// freshest returns where there are delta CRLs. Almost always that is nowhere.
func (a *inquiry) freshest() (addresses []string) {
	add := func(points []distribution.Point) {
		for _, p := range points {
			if p.Name == nil {
				continue
			}
			for _, name := range p.Name.Full {
				if address := string(name.Value); name.Form == distribution.FormURI && len(addresses) < maxURLs && !slices.Contains(addresses, address) {
					addresses = append(addresses, address)
				}
			}
		}
	}
	if ext, ok := certpath.Extension(a.query.Cert, oidFreshestCRL); ok {
		points, err := distribution.ParsePoints(ext.Value)
		if err != nil {
			a.fail(revocation.Malformed("freshestCRL of the certificate: %w", err))
		}
		add(points)
	}
	for _, r := range a.readings {
		add(r.list.freshest)
	}
	return addresses
}
