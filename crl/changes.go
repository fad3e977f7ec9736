package crl

import (
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Change is what one list says of a certificate and the one before did not.
type Change struct {
	// IssuerKey is the subjectPublicKeyInfo, in DER, of the certificate's issuer.
	// With the serial number it names the certificate; the issuer's name would not.
	IssuerKey []byte

	// Serial is the serial number as the certificate has it: the contents of the
	// INTEGER, big-endian.
	Serial []byte

	// Status is Revoked, Suspended, or Good for a certificate whose suspension has
	// ended, or that has expired in it: such a one is no longer on the list.
	Status verify.Status

	RevokedAt      time.Time // revocationDate; zero if Status is Good
	InvalidityDate time.Time // RFC 5280, Section 5.3.2; zero if absent
	ReasonCode     int       // RFC 5280, Section 5.3.1; 0 if absent
	ThisUpdate     time.Time // of the list that says so
	URL            string    // of that list
}

// changesPerCall bounds what is held of a difference.
const changesPerCall = 1024

// Changes has listener told of what changes when a list takes the place of another
// one, of its CA key and distribution point: what has come, or come to be revoked for
// good, and which suspensions have ended. The first list from a place changes
// nothing, unless an earlier one is on disk: then the difference to that is told.
// A certificate that is on the list of its partition and on the complete one is told
// of twice. Of an indirect list, what it says of certificates of the issuer is told
// that it was fetched for; the keys of others that a certificateIssuer names are not
// known.
//
// While anybody listens, the lists of a certificate that the Store is asked about are
// fetched in the background even if another source has answered, and then refreshed
// like others.
//
// Calls come one after the other, with up to 1,024 changes each, from a goroutine
// that Close waits for: listener must not call Close. After stop no call begins.
func (s *Store) Changes(listener func([]Change)) (stop func()) {
	return s.changes.listen(listener)
}

// changes tells listeners of transitions between lists.
type changes struct {
	mu        sync.Mutex
	listeners map[*func([]Change)]struct{}
	pending   map[shelfKey]transition
	telling   bool
}

// A transition leads from one list to a later one, perhaps over others.
type transition struct {
	from *List
	to   *holding
}

func (c *changes) listen(listener func([]Change)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listeners == nil {
		c.listeners, c.pending = map[*func([]Change)]struct{}{}, map[shelfKey]transition{}
	}
	c.listeners[&listener] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.listeners, &listener)
	}
}

// note has listeners, if there are any, told of a transition. It does not wait.
func (c *changes) note(s *Store, key shelfKey, from *List, to *holding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.listeners) == 0 || s.closing.Err() != nil {
		return
	}
	if earlier, ok := c.pending[key]; ok {
		from = earlier.from
	}
	c.pending[key] = transition{from, to}
	if !c.telling {
		c.telling = true
		s.running.Go(func() { c.tell(s) })
	}
}

// tell tells of all transitions that are pending, and ends.
func (c *changes) tell(s *Store) {
	for {
		key, t, ok := c.next(s)
		if !ok {
			return
		}
		if err := t.diff(key, c.call); err != nil {
			s.log.Error("crl: changes between two lists not told", "url", key.url, "error", err)
		}
	}
}

func (c *changes) next(s *Store) (shelfKey, transition, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.closing.Err() == nil {
		for key, t := range c.pending {
			delete(c.pending, key)
			return key, t, true
		}
	}
	c.telling = false
	return shelfKey{}, transition{}, false
}

func (c *changes) call(batch []Change) {
	c.mu.Lock()
	var listeners []func([]Change)
	for l := range c.listeners {
		listeners = append(listeners, *l)
	}
	c.mu.Unlock()
	for _, l := range listeners {
		l(batch)
	}
}

// diff calls tell with what the later list says and the earlier one does not. It
// looks up the entries of each in the index of the other, and holds no copy of
// either.
func (t transition) diff(key shelfKey, tell func([]Change)) error {
	var batch []Change
	flush := func() {
		if len(batch) > 0 {
			tell(batch)
			batch = nil
		}
	}
	change := func(number serial, e entry) {
		report := verify.StatusReport{Says: verify.Good}
		if e.status() != verify.Unknown {
			e.describe(&report)
		}
		if batch = append(batch, Change{
			IssuerKey: t.to.query.Issuer.RawSubjectPublicKeyInfo, Serial: number.contents(),
			Status: report.Says, RevokedAt: report.RevokedAt, InvalidityDate: report.InvalidityDate, ReasonCode: report.ReasonCode,
			ThisUpdate: t.to.list.ThisUpdate, URL: key.url,
		}); len(batch) == changesPerCall {
			flush()
		}
	}
	if t.to.list.direct(t.to.query.Cert) {
		if err := t.appeared(change); err != nil {
			return err
		}
		if err := t.released(change); err != nil {
			return err
		}
	}
	t.foreign(change)
	flush()
	return nil
}

// appeared finds what is on the later list and was not on the earlier one, or not
// with that status.
func (t transition) appeared(change func(serial, entry)) error {
	return t.to.list.index.each(func(number serial, now entry) error {
		before, listed, err := t.from.index.lookup(number)
		if err == nil && now.status() != verify.Unknown && (!listed || before.status() != now.status()) {
			change(number, now)
		}
		return err
	})
}

// released finds the holds of the earlier list that the later one does not have any
// more. A revocation that is not there any more is no news: the certificate has
// expired. What a delta CRL does not have says nothing.
func (t transition) released(change func(serial, entry)) error {
	if t.to.list.DeltaBase != nil || !t.to.list.scope.equal(t.from.scope) {
		return nil
	}
	return t.from.index.each(func(number serial, before entry) error {
		if before.status() != verify.Suspended {
			return nil
		}
		now, listed, err := t.to.list.index.lookup(number)
		if err == nil && (!listed || now.status() == verify.Unknown) {
			change(number, entry{reason: reasonRemoveFromCRL})
		}
		return err
	})
}

// foreign finds the same among the entries under a certificateIssuer: those of the
// issuer that the list was fetched for, whose key is known.
func (t transition) foreign(change func(serial, entry)) {
	issuer := t.to.query.Cert.RawIssuer
	now, before := t.to.list.foreign, t.from.foreign
	nowGroups, beforeGroups := now.groupsOf(issuer), before.groupsOf(issuer)
	for contents := range now.serials(nowGroups) {
		e, _ := now.among(nowGroups, contents)
		was, listed := before.among(beforeGroups, contents)
		if e.status() != verify.Unknown && (!listed || was.status() != e.status()) {
			number, _ := serialOf([]byte(contents))
			change(number, e)
		}
	}
	if t.to.list.DeltaBase != nil || !t.to.list.scope.equal(t.from.scope) {
		return
	}
	for contents := range before.serials(beforeGroups) {
		was, _ := before.among(beforeGroups, contents)
		e, listed := now.among(nowGroups, contents)
		if was.status() == verify.Suspended && (!listed || e.status() == verify.Unknown) {
			number, _ := serialOf([]byte(contents))
			change(number, entry{reason: reasonRemoveFromCRL})
		}
	}
}

// serials iterates over the serial numbers in some groups, each once.
func (f *foreignEntries) serials(groups []int) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(groups) == 0 {
			return
		}
		for key := range f.entries {
			first := slices.IndexFunc(groups, func(group int) bool {
				_, ok := f.entries[foreignKey{group, key.serial}]
				return ok
			})
			if first >= 0 && groups[first] == key.group && !yield(key.serial) {
				return
			}
		}
	}
}
