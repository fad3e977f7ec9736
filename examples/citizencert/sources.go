package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"net/url"
	"slices"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// sources are where the status of certificates is learned: from the files of the
// command line, from what a message carries, and with -online from the network.
type sources struct {
	status  []verify.StatusSource
	closers []io.Closer
}

// Close ends what the sources do.
func (s *sources) Close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// newSources sets up the sources that the flags ask for. There are some even if
// nothing was asked for, and then they refuse: only -insecure-skip-revocation
// leaves the status out. subjects are the certificates whose status may have to be
// learned.
func (t *trust) newSources(in *files, scheme verify.Scheme, subjects [][]byte) (_ *sources, err error) {
	s := &sources{}
	if t.skipRevocation {
		return s, nil
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	hosts := t.allowedHosts(scheme, subjects)
	client, err := ocspclient.New(ocspclient.Config{
		AllowedHosts:      hosts,
		Offline:           !t.online,
		Nonce:             ocspclient.NonceIfEchoed,
		InsecureAllowSHA1: t.policy.allowSHA1 || t.policy.statusSHA1,
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, client)
	store, err := crl.New(crl.Config{
		AllowedHosts:      hosts,
		Offline:           !t.online,
		MaxHeldBytes:      math.MaxInt, // no list that was named may make room for another
		InsecureAllowSHA1: t.policy.allowSHA1 || t.policy.statusSHA1,
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, store)
	s.status = []verify.StatusSource{client, store}
	return s, t.addLists(in, store)
}

// addLists gives the store the lists of -crl. The operator names them, so that one
// without issuingDistributionPoint is taken as complete, as RFC 5280, Section
// 5.2.5 has it; those that a message carries are not.
func (t *trust) addLists(in *files, store *crl.Store) error {
	for _, name := range t.crls {
		lists, err := in.objects(name, crlFormat)
		if err != nil {
			return err
		}
		for _, list := range lists {
			if err := store.Add(list, ""); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// maxResponses is how many responses the client looks at in one call.
const maxResponses = 16

// responses returns the OCSP responses of -ocsp. Whether they are authentic, and
// about which certificate, is found out later; one that cannot be read must not
// pass for one about another certificate.
func (t *trust) responses(in *files) ([]verify.Evidence, error) {
	var all []verify.Evidence
	for _, name := range t.ocsps {
		objects, err := in.objects(name, ocspFormat)
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			if err := checkOCSP(object); err != nil {
				return nil, refusal(verify.ReasonMalformed, "%s: %w", name, err)
			}
			all = append(all, verify.Evidence{Kind: verify.OCSPEvidence, DER: object})
		}
	}
	if len(all) > maxResponses {
		return nil, refusal(verify.ReasonLimit, "-ocsp gives %d responses, want at most %d", len(all), maxResponses)
	}
	return all, nil
}

// allowedHosts returns where -online may connect to. A scheme says where its
// responders live. Of custom anchors nobody knows, so that the domains count
// which the certificates name: those with public addresses, which are no secret,
// while a certificate must not lead into the network that this program runs in.
// Private addresses have to be named by -host.
func (t *trust) allowedHosts(scheme verify.Scheme, subjects [][]byte) []string {
	if !t.online {
		return nil
	}
	hosts := slices.Concat(scheme.Hosts, t.hosts)
	if !t.custom() {
		return hosts
	}
	for _, raw := range subjects {
		cert, err := certpath.ParseCertificate(raw)
		if err != nil {
			continue // is reported when it is verified
		}
		for _, address := range slices.Concat(cert.OCSPServer, cert.CRLDistributionPoints) {
			if u, err := url.Parse(address); err == nil && isDomain(u.Hostname()) {
				hosts = append(hosts, u.Hostname())
			}
		}
	}
	return hosts
}

// isDomain reports whether a host is a name that an address has to be looked up
// for. Package fetch refuses those whose addresses are not public.
func isDomain(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && host != "" && host != "localhost"
}
