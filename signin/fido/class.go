package fido

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// A Class says what can be done about an error. The list is closed; the texts are
// stable.
type Class string

// The classes of the errors that MOI reports.
const (
	ClassPending       Class = "pending"            // the citizen has not answered yet
	ClassCanceled      Class = "canceled"           // the citizen has refused
	ClassAppFailed     Class = "app-failed"         // the app could not do it
	ClassExpired       Class = "expired"            // the ticket has
	ClassUnknownTicket Class = "unknown-ticket"     // MOI does not know the ticket
	ClassUsed          Class = "used"               // the ticket was used before
	ClassNotEnrolled   Class = "not-enrolled"       // the person has no phone registered
	ClassDeviceGone    Class = "device-gone"        // the phone is no longer, or not this one
	ClassEnrollment    Class = "enrollment"         // a code of the enrollment, in the app
	ClassWrongPerson   Class = "wrong-person"       // somebody else has answered
	ClassMismatch      Class = "mismatch"           // MOI could not match or record the person
	ClassContent       Class = "signature-content"  // what is signed, or its signature, is not in order
	ClassRequest       Class = "request"            // our request is wrong
	ClassCredentials   Class = "credentials"        // service ID or key are wrong
	ClassUndeliverable Class = "push-undeliverable" // the push cannot reach the phone
	ClassPushFault     Class = "push-fault"         // the push service has a fault
	ClassFault         Class = "fault"              // MOI's service has a fault
	ClassUnknownCode   Class = "unknown-code"       // a code that is not in the table: final
)

// The classes of the errors that are found here.
const (
	ClassIDNumber  Class = "id-number" // not the form of an ID number
	ClassTransport Class = "transport" // no answer, or none that can be read
	ClassAnswer    Class = "answer"    // the answer is not one to what was asked
	ClassChecksum  Class = "checksum"  // the answer is not authentic; never asked again
)

// An Error says why there is no answer of a phone. Its text is for the operator and
// has nothing personal in it: neither the ID number nor what MOI wrote beside the
// code. The citizen gets [Error.Problem].
type Error struct {
	Class  Class
	Call   string // interface of the specification, such as "SP-API-ATH-02", or ""
	Code   string // of MOI, such as "SPTKT_OVD", or ""
	Number int    // that the app shows beside the code, or 0
	Detail string
	Err    error // underlying cause, or nil
}

func (e *Error) Error() string {
	parts := []string{"fido"}
	if e.Call != "" {
		parts = append(parts, e.Call)
	}
	parts = append(parts, string(e.Class))
	if e.Code != "" && e.Number != 0 {
		parts = append(parts, fmt.Sprintf("%s (%d)", e.Code, e.Number))
	} else if e.Code != "" {
		parts = append(parts, e.Code)
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same request may get another answer later. To ask
// for the result of a ticket again is right for ClassPending and ClassTransport
// alone.
func (e *Error) Retryable() bool {
	switch e.Class {
	case ClassPending, ClassTransport, ClassFault, ClassPushFault, ClassMismatch:
		return true
	}
	return false
}

// again reports whether the result may be asked for again: it is not there yet, or
// could not be fetched. An answer that is not authentic is never asked for again,
// which would give a forger more tries.
func again(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Class == ClassPending || e.Class == ClassTransport)
}

func ourFault(format string, args ...any) *Error {
	return &Error{Class: ClassRequest, Detail: fmt.Sprintf(format, args...)}
}

func badAnswer(format string, args ...any) *Error {
	return &Error{Class: ClassAnswer, Detail: fmt.Sprintf(format, args...)}
}

func wrongPerson(detail string) *Error { return &Error{Class: ClassWrongPerson, Detail: detail} }

// inCall notes in which call an error arose.
func inCall(call string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Call == "" {
		about := *e
		about.Call = call
		return &about
	}
	return err
}

// transport is the error of a request without an answer that can be read.
func transport(err error) *Error {
	e := &Error{Class: ClassTransport, Err: err}
	if errors.Is(err, context.Canceled) {
		e.Detail = "the caller has given up"
	}
	return e
}

// Problem returns what may be told to the browser: a sentence in both languages,
// and the number that the citizen sees in the app, for the help desk.
func (e *Error) Problem() signin.Problem {
	told, ok := sentences[e.Class]
	if !ok {
		told = sentences[ClassAnswer]
	}
	p := signin.Problem{
		Status:  http.StatusForbidden,
		Code:    signin.Code("phone-" + string(e.Class)),
		Message: told,
	}
	if e.Number != 0 {
		p.Detail = fmt.Sprint(e.Number)
	}
	switch e.Class {
	case ClassIDNumber:
		p.Status = http.StatusBadRequest
	case ClassRequest, ClassCredentials:
		p.Status = http.StatusInternalServerError
	case ClassTransport, ClassFault, ClassPushFault:
		p.Status = http.StatusServiceUnavailable
	}
	if e.Retryable() {
		p.Retryable, p.RetryAfter = true, 10*time.Second
	}
	return p
}

// forSignin gives an error of the phone the form that package signin reports.
func forSignin(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	p := e.Problem()
	return &signin.Error{Reason: signin.ReasonPhone, Phone: &p, Err: err}
}
