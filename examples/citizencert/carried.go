package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/verify"
)

// carried is a source of status: the revocation lists inside a message, for
// certificates without cRLDistributionPoints.
//
// A crl.Store takes nobody's word that a list without issuingDistributionPoint is
// complete, least of all a signer's, since a CA may publish its partitions that
// way and the signer could choose one that it is not on. A CA whose certificates
// lead to no partition has none: its list is what RFC 5280, Section 5.2.5 says.
type carried struct{ allowSHA1 bool }

// Status returns what the lists say about the certificate.
func (c carried) Status(_ context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if !q.HeldOnly || hasDistributionPoints(q) {
		return nil, nil // the second question, with the network, finds no more than the first
	}
	var reports []verify.StatusReport
	var errs []error
	for _, e := range q.Supplied {
		if e.Kind != verify.CRLEvidence {
			continue
		}
		list, err := crl.Parse(e.DER)
		if err != nil {
			errs = append(errs, fmt.Errorf("list in the message: %w", err))
			continue
		}
		report, err := crl.Judge(list, q.Cert, q.Issuer, crl.JudgeOptions{Complete: true, InsecureAllowSHA1: c.allowSHA1})
		if err != nil {
			continue // the store, which judges it too, says why
		}
		report.Rung, report.Source = verify.RungHeld, "message"
		reports = append(reports, *report)
	}
	return reports, errors.Join(errs...)
}

func hasDistributionPoints(q verify.StatusQuery) bool {
	for _, ext := range q.Cert.Extensions {
		if ext.Id.String() == oidDistributionPoints {
			return true
		}
	}
	return false
}

const oidDistributionPoints = "2.5.29.31" // RFC 5280, Section 4.2.1.13
