package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// The log gets the trace, the citizen a sentence.
func ExampleError_Explain() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	signature, err := card.SignPKCS7([]byte("a filing"), &pkitest.CMSOptions{Detached: true})
	if err != nil {
		log.Fatal(err)
	}
	v, err := newVerifier(pki)
	if err != nil {
		log.Fatal(err)
	}
	_, err = v.Detached(context.Background(), signature, strings.NewReader("another filing"), nil)
	if e, ok := errors.AsType[*verify.Error](err); ok {
		for _, step := range e.Explain() {
			fmt.Println(step.Outcome, step.Check)
		}
		fmt.Println(e.Sentence("zh-TW"))
		fmt.Println(e.Indication())
	}
	// Output:
	// passed syntax
	// passed message
	// passed algorithms
	// passed signed-attributes
	// passed signer
	// passed signature
	// passed path
	// passed profile
	// passed purpose
	// refused content
	// not-reached status
	// 文件內容與簽署時不同，請確認文件後重新簽章。
	// TOTAL-FAILED HASH_FAILURE
}
