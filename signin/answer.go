package signin

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/citizencert/citizencert/verify"
)

// An Answer is what the card reader component returns to the page. Everything
// in it comes through the browser and is a claim until the signature has been
// verified. Of who is signing in, nothing but the certificate is read: other
// members of the component's answer, such as cardSN, are ignored.
type Answer struct {
	Func        string     `json:"func"` // "sign"
	ReturnCode  ReturnCode `json:"ret_code"`
	LastError   ReturnCode `json:"last_error"`
	Signature   string     `json:"signature"` // base64
	Certificate string     `json:"certb64"`   // base64 of DER; for PKCS7 it is in the signature
}

// UnmarshalJSON refuses an answer without ret_code, whose absence would
// otherwise pass for success.
func (a *Answer) UnmarshalJSON(data []byte) error {
	r := &objectReader{data: data}
	if err := a.read(r); err != nil {
		return fmt.Errorf("signin: answer: %w", err)
	}
	return r.end()
}

func (a *Answer) read(r *objectReader) error {
	hasCode := false
	err := r.object(func(name string) (err error) {
		switch name {
		case "func":
			a.Func, err = r.optionalText()
		case "ret_code":
			hasCode = true
			err = a.ReturnCode.read(r)
		case "last_error":
			err = a.LastError.read(r)
		case "signature":
			a.Signature, err = r.optionalText()
		case "certb64":
			a.Certificate, err = r.optionalText()
		default:
			err = r.skip()
		}
		return err
	})
	if err == nil && !hasCode {
		return errors.New("no ret_code")
	}
	return err
}

// A ReturnCode is a code of the component or its card library. Zero is success.
type ReturnCode uint32

// UnmarshalJSON reads the forms in which a component writes its 32 bits: as they
// are, as a negative number, and as that number in 64 bits without a sign.
// Others are refused, since cutting them to size could make a success of them.
func (c *ReturnCode) UnmarshalJSON(data []byte) error {
	text := string(data)
	if v, err := strconv.ParseInt(text, 10, 64); err == nil && v >= -1<<31 && v < 1<<32 {
		*c = ReturnCode(v)
		return nil
	}
	if v, err := strconv.ParseUint(text, 10, 64); err == nil && v >= 1<<64-1<<31 {
		*c = ReturnCode(v)
		return nil
	}
	return errors.New("signin: return code is not a number of 32 bits")
}

func (c *ReturnCode) read(r *objectReader) error {
	text, err := r.plain()
	if err != nil {
		return err
	}
	return c.UnmarshalJSON(text)
}

// String returns the code as help desks know it.
func (c ReturnCode) String() string { return fmt.Sprintf("0x%08X", uint32(c)) }

// check refuses an answer that reports a failure, whatever else is in it.
func (a *Answer) check() error {
	switch {
	case a == nil:
		return refuse(ReasonRequest, "there is no answer of the component")
	case a.Func != "sign":
		return refuse(ReasonRequest, "answer is of func %.20q, want sign", a.Func)
	case a.ReturnCode != 0:
		return &Error{
			Reason:     ReasonComponent,
			ReturnCode: a.ReturnCode,
			LastError:  a.LastError,
			Err:        fmt.Errorf("component returned %v, last error %v", a.ReturnCode, a.LastError),
		}
	}
	return nil
}

// Signed returns the bytes of the signature, of an answer that reports success.
// Nothing in it is verified. Errors are of type [*Error].
func (a *Answer) Signed() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	return decodeBase64("signature", a.Signature)
}

// verify verifies that the answer is a signature over the line. That a
// SignedData has the line inside, byte for byte, is what Options.Line asks for.
// The signature is returned as its bytes.
func (a *Authenticator) verify(ctx context.Context, answer *Answer, line string, kind SignatureType) (res *verify.Result, signature []byte, err error) {
	signature, err = decodeBase64("signature", answer.Signature)
	if err != nil {
		return nil, nil, err
	}
	opts := &verify.Options{Use: verify.UseSignIn, Line: line}
	v := &Verdict{Line: line, Type: kind, Signature: signature, Options: opts, Clock: a.verifier.Now()}
	switch kind {
	case PKCS1:
		var cert []byte
		if cert, err = decodeBase64("certb64", answer.Certificate); err != nil {
			return nil, nil, err
		}
		v.Certificate = cert
		res, err = a.verifier.Signature(ctx, cert, x509.SHA256WithRSA, []byte(line), signature, opts)
	case PKCS7:
		res, err = a.verifier.SignedData(ctx, signature, opts)
	default:
		return nil, nil, refuse(ReasonInternal, "signature type %q is not known", kind)
	}
	v.Result, v.Refusal = res, err
	if unkept := a.tell(ctx, v); err == nil {
		err = unkept
	}
	if err != nil {
		return nil, nil, fromVerify(err)
	}
	if len(res.Signers) != 1 {
		return nil, nil, refuse(ReasonSigners, "%d signers, want one", len(res.Signers))
	}
	return res, signature, nil
}

// fromVerify keeps the reason of the verifier.
func fromVerify(err error) error {
	if e, ok := errors.AsType[*verify.Error](err); ok {
		return &Error{Reason: Reason(e.Reason), Err: err}
	}
	return &Error{Reason: ReasonInternal, Err: err}
}

func decodeBase64(name, text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil, refuse(ReasonRequest, "%s is not base64", name)
	}
	return b, nil
}
