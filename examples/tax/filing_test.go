package main

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

func TestFile(t *testing.T) {
	o := newOffice(t)
	c := o.filer(lookalike.SecondGenerationCard)
	began := time.Now()
	form := c.prepare()
	c.wantSays(c.get("/filings"), http.StatusOK, "wait for your signature", strings.TrimSuffix(form.Action, "/signature"))
	p := c.sign(form)
	r := c.record(p)
	if r.Verdict != Accepted || r.Generation != "G2" || r.Carrier != "card" || r.Environment != "test" ||
		r.JudgedAtKind != "receipt" || !r.JudgedAt.Equal(r.ReceivedAt) || r.ReceivedAt.Before(began) || r.Policy == "" {
		t.Errorf("got record %+v", r)
	}
	if len(r.Path) != 3 || len(r.Revocation) != 2 || r.Revocation[0].Status != "good" || r.Revocation[0].Source == "" {
		t.Errorf("got path %q and revocation %+v, want three certificates and two good statuses", r.Path, r.Revocation)
	}
	c.wantSays(c.get(p.Path), http.StatusOK, "Accepted", "OCSP response", "individual-income-tax-return/1")
	c.wantSays(c.get("/filings"), http.StatusOK, "Accepted", "G2", r.Policy)
	c.wantSays(c.get(p.Path), http.StatusOK, "from the evidence alone, to the same verdict")
	kept, err := o.Service.store.Evidence(t.Context(), c.filings()[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.get(p.Path + "/evidence.json"); got.Body != string(kept) {
		t.Errorf("got %q for download, want what is kept", got.Body)
	}
	shown, err := o.Service.verifier.judgeAgain(t.Context(), kept, []byte(c.document(form)))
	if err != nil || !shown.Same || len(shown.Objects) < 6 {
		t.Errorf("got %+v, %v; want the signature, three certificates and two statuses", shown, err)
	}
	var signIns int
	if err := o.Service.store.DB.QueryRow(`SELECT count(*) FROM verdicts WHERE filing IS NULL`).Scan(&signIns); err != nil || signIns == 0 {
		t.Errorf("got evidence of %d sign-ins, %v", signIns, err)
	}
}

// The component leaves the content inside; a detached signature is as good.
func TestFileDetached(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	form := c.prepare()
	der := c.pkcs7(c.card.Card, c.document(form), &pkitest.CMSOptions{Detached: true})
	c.wantVerdict(c.submit(form, der), Accepted, "")
}

func TestFileRefused(t *testing.T) {
	o := newOffice(t)
	c := o.filer(lookalike.CitizenCard)
	other := o.World.Cards[lookalike.SecondGenerationCard]
	changed := func(document []byte) []byte { return bytes.Replace(document, []byte(`"tax": `), []byte(`"tax": -`), 1) }
	for _, test := range []struct {
		name   string
		sign   func(document []byte) []byte
		reason string
		says   string
	}{
		{"tampered, content inside", func(document []byte) []byte {
			return o.pkcs7(c.card.Card, changed(document), nil)
		}, "digest-mismatch", "not the return that this office provided"},
		{"tampered, detached", func(document []byte) []byte {
			return o.pkcs7(c.card.Card, changed(document), &pkitest.CMSOptions{Detached: true})
		}, "digest-mismatch", "not the return that this office provided"},
		{"another citizen's signature", func(document []byte) []byte {
			return o.pkcs7(other.Card, document, nil)
		}, "other-signer", "not the certificate holder who is signed in"},
		{"the same citizen's revoked card", func(document []byte) []byte {
			return o.pkcs7(o.World.Cards[lookalike.FormerCard].Card, document, nil)
		}, "revoked", "had been revoked when the filing was received"},
		{"two signers", func(document []byte) []byte {
			second := pkitest.CoSigner{Signer: pkitest.Signer{Cert: other.Cert, Key: other.Key}}
			return o.pkcs7(c.card.Card, document, &pkitest.CMSOptions{
				CoSigners:    []pkitest.CoSigner{second},
				Certificates: []*x509.Certificate{c.card.Cert, other.Cert},
			})
		}, "signers", "signed by one person"},
		{"the encryption certificate", func(document []byte) []byte {
			card := *c.card.Card
			card.Cert, card.Key = card.EncryptionCert, card.EncryptionKey
			return o.pkcs7(&card, document, nil)
		}, "profile", "cannot be used to sign a return"},
		{"no signature at all", func([]byte) []byte { return []byte("signed, sealed, delivered") },
			"malformed", "wrong format"},
		{"a broken signature", func(document []byte) []byte {
			return o.pkcs7(c.card.Card, document, &pkitest.CMSOptions{BreakSignature: true})
		}, "bad-signature", "could not be verified"},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := c.prepare()
			p := c.submit(form, test.sign(c.document(form)))
			c.wantVerdict(p, Refused, test.reason)
			c.wantSays(c.get(p.Path), http.StatusOK, test.says, "Refused")
			c.wantSays(c.get("/filings"), http.StatusOK, test.says)
			// A refusal does not use the return up.
			c.wantVerdict(c.sign(form), Accepted, "")
		})
	}
}

// A signature over a sign-in line is no filing, and one over a return no sign-in.
func TestPurposes(t *testing.T) {
	o := newOffice(t)
	c := o.filer(lookalike.CitizenCard)
	login, filing := c.form("/signin"), c.prepare()
	line := c.pkcs7(c.card.Card, []byte(login.Request.TBS), nil)
	c.wantVerdict(c.submit(filing, line), Refused, "digest-mismatch")

	login.Request = filing.Request
	login.Request.SignatureType = signin.PKCS1 // as the sign-in asks for
	c.wantSays(c.sign(login), http.StatusForbidden, "signature could not be verified")
}

// The same document from the same signer is one filing, however often it is
// signed. Every signature has other bytes: it says when it was made.
func TestFileTwice(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	form := c.prepare()
	document := c.document(form)
	sign := func(at time.Time) []byte {
		return c.pkcs7(c.card.Card, document, &pkitest.CMSOptions{SigningTime: at})
	}
	first := c.submit(form, sign(time.Now()))
	second := c.submit(form, sign(time.Now().Add(-time.Minute)))
	if second.Path != first.Path {
		t.Errorf("filed again: got %s, want the first filing %s", second.Path, first.Path)
	}
	c.wantSays(second, http.StatusOK, "already filed")
	if n := len(c.filings()); n != 1 {
		t.Errorf("got %d filings, want 1", n)
	}
	// The same figures in a return of their own are a filing of their own.
	c.wantVerdict(c.sign(c.prepare()), Accepted, "")
}

// Nobody sees or signs what belongs to another account.
func TestOthersReturns(t *testing.T) {
	o := newOffice(t)
	c, other := o.filer(lookalike.CitizenCard), o.filer(lookalike.ResidentCard)
	form := c.prepare()
	filed := c.sign(form)
	for _, path := range []string{strings.TrimSuffix(form.Action, "/signature"), filed.Path, filed.Path + "/record.json", "/filings/x"} {
		other.wantSays(other.get(path), http.StatusNotFound, "There is no such record")
	}
	other.wantSays(other.sign(form), http.StatusNotFound, "There is no such record")
	other.wantSays(other.post(filed.Path+"/verification", nil), http.StatusNotFound)
}

// A filing whose status cannot be learned has still been received, and is judged
// for that instant once it can. It is signed with a new card of the same holder,
// about which the service has asked nobody yet.
func TestPending(t *testing.T) {
	o := newOffice(t)
	urls := o.World.PKI.G3.MOICA.URLs
	for _, address := range []string{urls.CRL, urls.Partition} {
		o.World.PKI.Script(address, http.NotFoundHandler()) // or the sign-in has one fetched
	}
	c := o.filer(lookalike.CitizenCard)
	card, err := o.World.PKI.G3.IssueCard(c.card.Person)
	if err != nil {
		t.Fatal(err)
	}
	o.World.PKI.Script(urls.OCSP, http.NotFoundHandler())
	form := c.prepare()
	signature := o.pkcs7(card, c.document(form), nil)
	p := c.submit(form, signature)
	c.wantVerdict(p, Pending, "status-unavailable")
	c.wantSays(c.get(p.Path), http.StatusOK, "Verify again")
	received := c.record(p).ReceivedAt
	q := c.submit(form, signature) // the citizen is impatient
	c.wantVerdict(q, Pending, "status-unavailable")
	c.post(q.Path+"/verification", nil) // to no avail yet
	c.wantVerdict(q, Pending, "status-unavailable")

	o.World.PKI.Script(urls.OCSP, nil)
	time.Sleep(ocspclient.DefaultHoldFailures) // for which a failure stands
	c.post(p.Path+"/verification", nil)
	c.wantVerdict(p, Accepted, "")
	if r := c.record(p); !r.JudgedAt.Equal(received) {
		t.Errorf("judged as of %v, want the receipt at %v", r.JudgedAt, received)
	}
	c.post(q.Path+"/verification", nil)
	c.wantVerdict(q, Refused, "duplicate")
	c.post(q.Path+"/verification", nil) // a settled one stays as it is
	c.wantVerdict(q, Refused, "duplicate")
}

func TestComponentFailsAtFiling(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	form := c.prepare()
	c.wantSays(c.post(form.Action, url.Values{"answer": {`{"func":"sign","ret_code":1979713945,"last_error":0}`}}),
		http.StatusForbidden, "canceled", strings.TrimSuffix(form.Action, "/signature"))
	for _, answer := range []string{"", "{}", `{"func":"sign","ret_code":0,"signature":"%%"}`, strings.Repeat("x", maxForm)} {
		c.wantSays(c.post(form.Action, url.Values{"answer": {answer}}), http.StatusBadRequest)
	}
	if n := len(c.filings()); n != 0 {
		t.Errorf("got %d filings, want none", n)
	}
}

func TestFormRefused(t *testing.T) {
	c := newOffice(t).filer(lookalike.CitizenCard)
	c.wantSays(c.post("/returns", url.Values{"year": {"2024"}, "salary": {"1,000"}}),
		http.StatusUnprocessableEntity, "without commas")
}

// Logs hold neither names nor numbers of people, whatever happens.
func TestLogsNameNobody(t *testing.T) {
	o := newOffice(t)
	c := o.filer(lookalike.CitizenCard)
	form := c.prepare()
	c.submit(form, o.pkcs7(o.World.Cards[lookalike.SecondGenerationCard].Card, c.document(form), nil))
	c.submit(form, o.pkcs7(o.World.Cards[lookalike.FormerCard].Card, c.document(form), &pkitest.CMSOptions{CardNumber: true}))
	c.submit(form, []byte("nothing"))
	c.sign(form)
	stranger := o.newcomer(lookalike.ResidentCard)
	stranger.post("/account", url.Values{"national_id": {c.card.NationalID}})
	o.World.Register.SetDown(true)
	stranger.post("/account", url.Values{"national_id": {stranger.card.NationalID}})
	former := o.visitor(lookalike.FormerCard)
	former.sign(former.form("/signin"))

	log := o.Logged.String()
	if !strings.Contains(log, "filing judged") || !strings.Contains(log, "identity mismatch") {
		t.Fatalf("the log does not tell what happened:\n%s", log)
	}
	for _, card := range o.World.Cards {
		for _, secret := range []string{card.Person.Name, card.NationalID, card.Person.Number, card.CardNumber} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	}
}
