package evidence_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
	"github.com/citizencert/citizencert/verify/moica"
)

// A filing is judged and its evidence kept. Years later, when nobody answers any more,
// the evidence alone shows why it was accepted, and what another policy would say.
func Example() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	signature, err := card.SignPKCS7([]byte("a filing"), &pkitest.CMSOptions{Detached: true})
	if err != nil {
		log.Fatal(err)
	}
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		log.Fatal(err)
	}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}})
	if err != nil {
		log.Fatal(err)
	}
	lists, err := crl.New(crl.Config{AllowedHosts: []string{"127.0.0.1"}})
	if err != nil {
		log.Fatal(err)
	}
	policy := verify.Config{Scheme: moica.Test(anchors, "127.0.0.1")}
	live := policy
	live.Status = []verify.StatusSource{responders, lists}
	v, err := verify.New(live)
	if err != nil {
		log.Fatal(err)
	}

	// The day it was filed.
	ctx := context.Background()
	recorder := &evidence.Recorder{Verifier: v}
	rec, _, err := recorder.Ask(ctx, evidence.Question{
		Method:    evidence.Detached,
		Signature: signature,
		Options:   &verify.Options{ReceivedAt: time.Now()},
	}, strings.NewReader("a filing"))
	if err != nil {
		log.Fatal(err)
	}
	file, err := evidence.NewFile(rec)
	if err != nil {
		log.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	if err := file.SealWith(key); err != nil {
		log.Fatal(err)
	}
	line, err := file.Encode()
	if err != nil {
		log.Fatal(err)
	}
	responders.Close()
	lists.Close()
	pki.Close()

	// Years later.
	kept, err := evidence.Parse(line)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sealed by the service:", kept.CheckKey(key.Public()) == nil)
	judge, err := evidence.NewJudge(evidence.JudgeConfig{Config: policy})
	if err != nil {
		log.Fatal(err)
	}
	again, err := judge.Judge(ctx, kept.Record, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(again)

	policy.Scheme.Profile.Name = "signs-contracts"
	policy.Scheme.Profile.Policies = []string{"2.16.886.101.0.3.4"} // a higher level of assurance
	if judge, err = evidence.NewJudge(evidence.JudgeConfig{Config: policy}); err != nil {
		log.Fatal(err)
	}
	if again, err = judge.Judge(ctx, kept.Record, nil); err != nil {
		log.Fatal(err)
	}
	for _, d := range again.Differences[:3] {
		fmt.Println(d)
	}
	// Output:
	// sealed by the service: true
	// as recorded: accepted
	// the content was not at hand: its recorded digest was compared
	// verdict: recorded accepted, now refused
	// reason: recorded none, now policy
	// check that refused: recorded none, now profile
}
