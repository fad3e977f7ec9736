package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// anchorsVariable names the folder of the pinned anchors.
const anchorsVariable = "CITIZENCERT_ANCHORS"

// A trust is what verify and certificate are told about whom to trust: their
// common flags.
type trust struct {
	anchors       stringList
	anchorDir     string
	intermediates stringList
	crls, ocsps   stringList

	online bool
	hosts  stringList

	at       time.Time
	profile  string
	purposes []string
	inputs   verify.PathInputs

	skipRevocation bool

	policy     policy
	stamping   stamping
	deviations deviations // of verify
	statement  statement  // of verify
	explain    bool

	anyProfile verify.Profile // what -profile any stands for, which differs between the two
}

// The values of -profile.
const (
	profileAny        = "any"
	profileMOICA      = "moica"
	profileEncryption = "moica-encryption"
)

func (t *trust) register(fs *flag.FlagSet) {
	fs.Var(&t.anchors, "anchors", "`FILE` of trust anchors to use in place of the pinned ones (repeatable)")
	fs.StringVar(&t.anchorDir, "anchor-dir", "", "`folder` of the pinned anchors (default $"+anchorsVariable+")")
	fs.Var(&t.intermediates, "intermediates", "`FILE` of CA certificates that are not trusted (repeatable)")
	fs.Var(&t.crls, "crl", "`FILE` of revocation lists (repeatable)")
	fs.Var(&t.ocsps, "ocsp", "`FILE` of OCSP responses (repeatable)")
	fs.BoolVar(&t.online, "online", false, "ask responders and fetch revocation lists; otherwise the network is not used")
	fs.Var(&t.hosts, "host", "`domain` or address that -online may contact besides those of the scheme, or with -anchors\n"+
		"besides public hosts in the certificates; a private address has to be named here (repeatable)")
	atVar(fs, &t.at)
	fs.Func("profile", "`name` of what the certificate must be: any, moica, moica-encryption\n(default moica; with -anchors, any)", t.setProfile)
	purposeVar(fs, &t.purposes)
	policyVar(fs, &t.inputs.InitialPolicies)
	fs.BoolVar(&t.inputs.RequireExplicitPolicy, "require-explicit-policy", false, "initial-explicit-policy of RFC 5280")
	fs.BoolVar(&t.inputs.InhibitPolicyMapping, "inhibit-policy-mapping", false, "initial-policy-mapping-inhibit of RFC 5280")
	fs.BoolVar(&t.inputs.InhibitAnyPolicy, "inhibit-any-policy", false, "initial-any-policy-inhibit of RFC 5280")
	fs.BoolVar(&t.skipRevocation, "insecure-skip-revocation", false, "do not ask whether certificates have been revoked")
	t.policy.register(fs)
	fs.BoolVar(&t.explain, "explain", false, "tell every check, with what and by which rule it was made, and the verdict in a sentence")
}

func (t *trust) setProfile(name string) error {
	switch name {
	case profileAny, profileMOICA, profileEncryption:
		t.profile = name
		return nil
	}
	return fmt.Errorf("want %s, %s or %s", profileAny, profileMOICA, profileEncryption)
}

// check refuses flags that contradict each other.
func (t *trust) check() error {
	if t.skipRevocation && (t.online || len(t.crls) > 0 || len(t.ocsps) > 0) {
		return errors.New("-insecure-skip-revocation contradicts -online, -crl and -ocsp")
	}
	if t.custom() && t.anchorDir != "" {
		return errors.New("-anchors contradicts -anchor-dir")
	}
	if len(t.hosts) > 0 && !t.online {
		return errors.New("-host is for -online")
	}
	if t.custom() && t.policy.historical {
		return errors.New("-anchors contradicts -historical")
	}
	if err := t.policy.check(); err != nil {
		return err
	}
	return t.stamping.check()
}

func (t *trust) custom() bool { return len(t.anchors) > 0 }

func (t *trust) environment() verify.Environment {
	if t.custom() {
		return verify.Custom
	}
	return verify.Production
}

func (t *trust) profileName() string {
	switch {
	case t.profile != "":
		return t.profile
	case t.custom():
		return profileAny
	}
	return profileMOICA
}

func (t *trust) chosenProfile() verify.Profile {
	switch t.profileName() {
	case profileMOICA:
		return moica.SignatureProfile()
	case profileEncryption:
		return moica.EncryptionProfile()
	}
	return t.anyProfile
}

// scheme returns the scheme with the anchors that the flags name. It comes before
// FILE is looked at, so that a wrong call is told whatever is in there.
func (t *trust) scheme(in *files) (verify.Scheme, error) {
	var s verify.Scheme
	if err := t.check(); err != nil {
		return s, err
	}
	if t.custom() {
		anchors, err := in.anchors(t.anchors)
		if err != nil {
			return s, err
		}
		s = verify.Scheme{
			Name: "custom", Environment: verify.Custom, Anchors: anchors,
			SeparateCRLKeys: !shareName(anchors),
		}
	} else {
		var err error
		if s, err = t.pinnedScheme(); err != nil {
			return s, err
		}
	}
	identify := s.Profile.Identify
	s.Profile = t.chosenProfile()
	s.Profile.ExtKeyUsages = t.purposes
	if t.custom() { // anchors alone are given, and CAs come with FILE
		s.Profile.RequireKnownIssuer = false
	}
	if t.profileName() != profileAny {
		s.Profile.Identify = identify // of the pinned anchors; any certificate is not a person's
	}
	return s, nil
}

// anchors returns the certificates in files that a flag names as trusted.
func (f *files) anchors(names []string) ([]*x509.Certificate, error) {
	raws, err := f.allObjects(names, certificateFormat)
	if err != nil {
		return nil, err
	}
	anchors := make([]*x509.Certificate, len(raws))
	for i, raw := range raws {
		if anchors[i], err = certpath.ParseCertificate(raw); err != nil {
			return nil, refusal(verify.ReasonMalformed, "anchor %d: %w", i+1, err)
		}
	}
	return anchors, nil
}

// shareName reports whether two of the anchors have one name and different keys, as
// those of Taiwan do. Then a list has to be signed with the very key that signed the
// certificate.
func shareName(anchors []*x509.Certificate) bool {
	for i, a := range anchors {
		for _, b := range anchors[:i] {
			if certpath.SameName(a.RawSubject, b.RawSubject) && !bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) {
				return true
			}
		}
	}
	return false
}

func (t *trust) pinnedScheme() (verify.Scheme, error) {
	const remedy = "\"citizencert anchors fetch DIR\" downloads the pinned anchors into a folder; then give -anchor-dir DIR or set $" + anchorsVariable
	dir := cmp.Or(t.anchorDir, os.Getenv(anchorsVariable))
	if dir == "" {
		return verify.Scheme{}, errors.New("no anchors: " + remedy)
	}
	s, err := loadScheme(os.DirFS(dir), t.policy.historical)
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", dir, pathErr.Err)
		}
		return s, fmt.Errorf("%w; %s", err, remedy)
	}
	return s, nil
}

func loadScheme(dir fs.FS, historical bool) (verify.Scheme, error) {
	if historical {
		anchors, err := moica.LoadHistoricalAnchors(dir)
		if err != nil {
			return verify.Scheme{}, err
		}
		return moica.Historical(anchors), nil
	}
	anchors, err := moica.LoadAnchors(dir)
	if err != nil {
		return verify.Scheme{}, err
	}
	return moica.Production(anchors), nil
}

// A judge is a Verifier with the options of the one call it is made for.
type judge struct {
	*verify.Verifier
	opts    *verify.Options
	sources *sources
}

// newJudge sets up everything that the flags ask for. hints are certificates that
// came with the one to be judged, and are not trusted; subjects are those whose
// status may have to be learned.
func (t *trust) newJudge(in *files, scheme verify.Scheme, hints, subjects [][]byte) (*judge, error) {
	intermediates, err := in.allObjects(t.intermediates, certificateFormat)
	if err != nil {
		return nil, err
	}
	// Without -at the verdict is about now, but revocation as a filing needs it:
	// evidence counts until its nextUpdate, not for the minutes of a sign-in.
	j := &judge{opts: &verify.Options{
		Use:          verify.UseFiling,
		ReceivedAt:   t.at,
		Certificates: append(intermediates, hints...),
	}}
	if j.opts.Evidence, err = t.responses(in); err != nil {
		return nil, err
	}
	cfg := verify.Config{
		Scheme:                 scheme,
		PathInputs:             t.inputs,
		InsecureSkipRevocation: t.skipRevocation,
	}
	t.policy.apply(&cfg)
	t.deviations.apply(&cfg, j.opts)
	if err := t.stamping.apply(in, &cfg, j.opts); err != nil {
		return nil, err
	}
	if j.sources, err = t.newSources(in, scheme, slices.Concat(subjects, intermediates)); err != nil {
		return nil, err
	}
	cfg.Status = j.sources.status
	if j.Verifier, err = verify.New(cfg); err != nil {
		j.sources.Close()
		if malformed, ok := errors.AsType[*certpath.Error](err); ok {
			return nil, refusal(verify.ReasonMalformed, "anchors: %w", malformed)
		}
		return nil, err
	}
	return j, nil
}
