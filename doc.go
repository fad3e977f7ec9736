// Package citizencert is the documentation of a relying-party SDK for citizen
// certificates: a government e-service imports its packages to let citizens sign
// in and sign filings with a certificate of Taiwan's MOICA (自然人憑證), and to
// prove later what was verified and why.
//
// Which package for what:
//
//   - verify a signed filing, a bare signature or a certificate: [verify]
//   - keep what a verdict rested on, and judge it again: [verify/evidence]
//   - the anchors, profiles and identities of Taiwan: [verify/moica]
//   - verify filings by the million, with a record of what came of each: [verify/batch]
//   - ask a responder for the status of a certificate: [ocspclient]
//   - fetch and read revocation lists: [crl]
//   - sign citizens in and keep their sessions: [signin]
//   - the page on which they sign in, with a card: [signin/hipki]
//   - the same with the phone: [signin/fido]
//   - test all of it without a card: [pkitest]
//
// Package verify declares the one interface it needs of the revocation packages
// and imports neither them nor net/http: a service wires the sources in.
//
// Start with the README and examples/quickstart, then the examples of package
// verify, then verify.go.
//
// [verify]: https://pkg.go.dev/github.com/citizencert/citizencert/verify
// [verify/evidence]: https://pkg.go.dev/github.com/citizencert/citizencert/verify/evidence
// [verify/moica]: https://pkg.go.dev/github.com/citizencert/citizencert/verify/moica
// [verify/batch]: https://pkg.go.dev/github.com/citizencert/citizencert/verify/batch
// [ocspclient]: https://pkg.go.dev/github.com/citizencert/citizencert/ocspclient
// [crl]: https://pkg.go.dev/github.com/citizencert/citizencert/crl
// [signin]: https://pkg.go.dev/github.com/citizencert/citizencert/signin
// [signin/hipki]: https://pkg.go.dev/github.com/citizencert/citizencert/signin/hipki
// [signin/fido]: https://pkg.go.dev/github.com/citizencert/citizencert/signin/fido
// [pkitest]: https://pkg.go.dev/github.com/citizencert/citizencert/pkitest
package citizencert
