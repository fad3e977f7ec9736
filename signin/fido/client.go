package fido

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/verify"
)

// MOI's addresses. The API answers admitted addresses alone. What the test
// environment is called differs between integrations, so it can be configured.
const (
	ProductionAPI = "https://fidoapi.moi.gov.tw"
	ProductionWeb = "https://fido.moi.gov.tw"
	TestAPI       = "https://fidoapi-test.moi.gov.tw"
	TestWeb       = "https://fido-test.moi.gov.tw"
)

// DefaultTimeout bounds a request to MOI, for which a citizen's browser waits.
const DefaultTimeout = 15 * time.Second

// maxAnswer is the largest answer that is read, in bytes. Twenty signatures with a
// certificate come to some 64 KB.
const maxAnswer = 256 << 10

// A ClientConfig is what MOI has told a service provider at its admission.
type ClientConfig struct {
	// ServiceID is the sp_service_id, and Key the key that goes with it. Required.
	ServiceID string
	Key       Key

	// API and Web are the base addresses of the API and of the site that citizens
	// are sent to. If empty, those of the constructor's environment.
	API, Web string

	// HTTPClient makes the requests, through a proxy if MOI admits one address
	// alone. Redirects are not followed and cookies not kept, whatever it says. If it
	// is nil, or has no timeout, that is DefaultTimeout.
	HTTPClient *http.Client

	// Now is the clock. If nil, time.Now.
	Now func() time.Time
}

// A Client speaks to one environment of MOI. It is safe for concurrent use. Errors
// of its methods are of type [*Error].
type Client struct {
	environment verify.Environment
	service     string
	key         Key
	api, web    string
	http        *http.Client
	now         func() time.Time
}

// NewProduction returns a client for the production environment.
func NewProduction(cfg ClientConfig) (*Client, error) {
	return newClient(verify.Production, cfg, ProductionAPI, ProductionWeb)
}

// NewTest returns a client for MOI's test environment, or for a look-alike on this
// machine, which may do without TLS.
func NewTest(cfg ClientConfig) (*Client, error) {
	return newClient(verify.Test, cfg, TestAPI, TestWeb)
}

func newClient(env verify.Environment, cfg ClientConfig, api, web string) (*Client, error) {
	if !serviceForm.MatchString(cfg.ServiceID) {
		return nil, errors.New("fido: ClientConfig.ServiceID is not up to 100 letters, digits and hyphens")
	}
	if cfg.Key.aead == nil {
		return nil, errors.New("fido: ClientConfig.Key is required; see ParseKey")
	}
	c := &Client{environment: env, service: cfg.ServiceID, key: cfg.Key, api: api, web: web, now: cfg.Now}
	for _, base := range []struct {
		given string
		kept  *string
	}{{cfg.API, &c.api}, {cfg.Web, &c.web}} {
		if base.given == "" {
			continue
		}
		if err := checkBase(env, base.given); err != nil {
			return nil, err
		}
		*base.kept = strings.TrimSuffix(base.given, "/")
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.http = new(http.Client)
	if cfg.HTTPClient != nil {
		*c.http = *cfg.HTTPClient
	}
	c.http.Timeout = cmp.Or(c.http.Timeout, DefaultTimeout)
	// The body has an ID number in it, and goes nowhere else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http.Jar = nil
	return c, nil
}

// checkBase keeps the environments apart: what citizens approve in one must not be
// asked for in the other.
func checkBase(env verify.Environment, base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("fido: address %q does not have the form https://host", base)
	}
	loopback := line.IsLoopback(u.Host)
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return fmt.Errorf("fido: address %q is not https", base)
	}
	origin := "https://" + strings.ToLower(u.Hostname())
	switch {
	case env == verify.Production && (loopback || origin == TestAPI || origin == TestWeb):
		return fmt.Errorf("fido: address %q is not of the production environment", base)
	case env == verify.Test && (origin == ProductionAPI || origin == ProductionWeb):
		return fmt.Errorf("fido: address %q is of the production environment", base)
	}
	return nil
}

// Environment returns the environment that the client was made for.
func (c *Client) Environment() verify.Environment { return c.environment }

// An envelope is what every answer comes in.
type envelope struct {
	Code   wireCode        `json:"error_code"`
	Result json.RawMessage `json:"result"`
}

// A wireCode is an error_code: a string, or in some deployments a number, of which
// the decimal text counts. Empty if absent.
type wireCode string

// UnmarshalJSON reads a string or a whole number.
func (c *wireCode) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*c = wireCode(text)
		return nil
	}
	var number int64
	if err := json.Unmarshal(data, &number); err != nil {
		return errors.New("fido: error_code is neither a string nor a whole number")
	}
	*c = wireCode(fmt.Sprint(number))
	return nil
}

// call makes a request and reads the result of a successful answer.
func (c *Client) call(ctx context.Context, api, path string, body, result any) error {
	return inCall(api, c.roundTrip(ctx, path, body, result))
}

func (c *Client) roundTrip(ctx context.Context, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return ourFault("the request cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+"/moise/sp/"+path, bytes.NewReader(encoded))
	if err != nil {
		return ourFault("the address of the API cannot be used")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	answer, err := fetch.Body(c.http, req, maxAnswer)
	if err != nil {
		return transport(err)
	}
	return parseEnvelope(answer, result)
}

// parseEnvelope reads an answer. What is not an envelope came from something
// between us and MOI, and is no answer. The messages of encoding/json are not
// passed on: they repeat values.
func parseEnvelope(answer []byte, result any) error {
	var e envelope
	if err := json.Unmarshal(answer, &e); err != nil || e.Code == "" {
		return transport(errors.New("the body is not an answer of the API"))
	}
	if e.Code != succeeded {
		return codeError(string(e.Code))
	}
	if err := json.Unmarshal(e.Result, result); err != nil {
		return badAnswer("the result is not of the expected form")
	}
	return nil
}

// checkSum authenticates an answer by its idp_checksum over fields whose form has
// been checked.
func (c *Client) checkSum(sum string, fields ...string) error {
	if !c.key.verify(sum, fields...) {
		return &Error{Class: ClassChecksum, Detail: "the idp_checksum is not one over this answer"}
	}
	return nil
}

// A DeviceStatus says what a person has registered with MOI.
type DeviceStatus struct {
	Bound   bool // a phone is registered
	CanSign bool // and has a certificate that signs
}

// DeviceStatus asks what a person has registered (SP-API-LF-01). The answer is
// about a person, so it is for the service and not for whoever typed a number: limit
// how often it is asked, as [Flow.DeviceStatus] does.
func (c *Client) DeviceStatus(ctx context.Context, idNumber string) (DeviceStatus, error) {
	const api = "SP-API-LF-01"
	if err := checkIDNumber(idNumber); err != nil {
		return DeviceStatus{}, inCall(api, err)
	}
	transaction := newTransactionID()
	var result struct {
		Bound    string `json:"is_fido"`
		CanSign  string `json:"is_mcert_sign"`
		Checksum string `json:"idp_checksum"`
	}
	err := c.call(ctx, api, "checkDeviceStatus", wireRequest{
		TransactionID: transaction,
		ServiceID:     c.service,
		Checksum:      c.key.checksum(transaction, c.service, idNumber),
		IDNumber:      idNumber,
	}, &result)
	if err != nil {
		return DeviceStatus{}, err
	}
	yesOrNo := []string{"Y", "N"}
	if !slices.Contains(yesOrNo, result.Bound) || !slices.Contains(yesOrNo, result.CanSign) {
		return DeviceStatus{}, inCall(api, badAnswer("is_fido and is_mcert_sign are not Y or N"))
	}
	if err := c.checkSum(result.Checksum, transaction, succeeded, result.Bound, result.CanSign); err != nil {
		return DeviceStatus{}, inCall(api, err)
	}
	return DeviceStatus{Bound: result.Bound == "Y", CanSign: result.CanSign == "Y"}, nil
}
