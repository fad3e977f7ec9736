package visitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// A PhoneForm is the form of a page that sends the citizen to the phone.
type PhoneForm struct {
	Path string
	Next string
}

// phoneForm finds what package fido writes.
var phoneForm = regexp.MustCompile(`(?s)data-fido-settings>(.*?)</script>`)

// PhoneForm returns the form of the page for the phone.
func (p *Page) PhoneForm() (*PhoneForm, error) {
	found := phoneForm.FindStringSubmatch(p.Body)
	if found == nil {
		return nil, fmt.Errorf("page %s has no form for a phone: %s", p.Path, p.Alert())
	}
	form := new(PhoneForm)
	return form, json.Unmarshal([]byte(found[1]), form)
}

// An Attempt is what the page is told to show, and how far it is.
type Attempt struct {
	ID          string `json:"attempt"`
	Link        string `json:"link"`
	PollSeconds int    `json:"pollSeconds"`

	State string `json:"state"` // "pending" or "done"
	Next  string `json:"next"`
}

// UsePhone enters a phone's ID number into a form, follows the link that the page
// shows, approves on the phone, and waits as the page does, at its pace. It returns
// the page to which that leads.
func (b *Browser) UsePhone(ctx context.Context, form *PhoneForm, phone *pkitest.Phone) (*Page, error) {
	attempt, err := b.askPhone(ctx, form, "start", map[string]string{"mode": "web", "idNumber": phone.IDNumber})
	if err != nil {
		return nil, err
	}
	if err := phone.Approve(attempt.Link); err != nil {
		return nil, err
	}
	pace := time.NewTicker(time.Duration(attempt.PollSeconds) * time.Second)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-pace.C:
		}
		status, err := b.askPhone(ctx, form, "status", map[string]string{"attempt": attempt.ID})
		if err != nil {
			return nil, err
		}
		if status.State == "done" {
			if status.Next == "" {
				status.Next = form.Next
			}
			return b.Get(ctx, status.Next)
		}
	}
}

// askPhone sends what the page script sends.
func (b *Browser) askPhone(ctx context.Context, form *PhoneForm, call string, question map[string]string) (*Attempt, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.origin+form.Path+call, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", b.origin)
	answer, err := b.send(req)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		var problem signin.Problem
		if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
			return nil, fmt.Errorf("%s: status %d", call, answer.Status)
		}
		return nil, fmt.Errorf("%s: status %d: %s", call, answer.Status, problem.Message.En)
	}
	attempt := new(Attempt)
	return attempt, json.Unmarshal([]byte(answer.Body), attempt)
}
