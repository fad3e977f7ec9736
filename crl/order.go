package crl

import (
	"iter"
	"runtime"
	"sync"
)

// finish puts the entries in order. Of entries with one serial number one is left,
// with the worst reading; what a record of this table cannot hold of that goes to
// overflow, which is called by one goroutine at a time.
func (t *table) finish(overflow func(serial, entry)) {
	const load = 4 // entries in a bucket
	t.buckets = uint64(t.count/(load*len(t.partitions))) + 1
	t.slots = make([]uint32, len(t.partitions)*int(t.buckets+1))
	var mu sync.Mutex
	locked := func(number serial, e entry) {
		mu.Lock()
		defer mu.Unlock()
		overflow(number, e)
	}
	var workers sync.WaitGroup
	n := min(runtime.GOMAXPROCS(0), len(t.partitions))
	for first := range n {
		workers.Go(func() {
			o := &orderer{table: t, overflow: locked, starts: make([]uint32, t.buckets+1), ends: make([]uint32, t.buckets)}
			for i := first; i < len(t.partitions); i += n {
				o.order(i)
			}
		})
	}
	workers.Wait()
	t.collect()
}

// collect gives the pages their numbers.
func (t *table) collect() {
	t.count = 0
	for i := range t.partitions {
		p := &t.partitions[i]
		base := uint32(len(t.pages)) << slotBits
		slots := t.slots[i*int(t.buckets+1) : (i+1)*int(t.buckets+1)]
		for j := range slots {
			slots[j] += base
		}
		t.pages = append(t.pages, p.pages...)
		t.count += p.count
	}
	t.pageCount, t.partitions = len(t.pages), nil
}

// An orderer puts one partition after the other in order.
type orderer struct {
	table    *table
	overflow func(serial, entry)

	sorted       []byte   // the records of the partition
	bucketOf     []uint32 // by record, as it was staged
	starts, ends []uint32 // of the buckets in sorted, in records
}

func (o *orderer) order(i int) {
	t := o.table
	p := &t.partitions[i]
	if need := p.count * t.size; cap(o.sorted) < need {
		o.sorted = make([]byte, need)
		o.bucketOf = make([]uint32, 0, p.count)
	}
	o.count(p)
	o.place(p)
	o.store(p, t.slots[i*int(t.buckets+1):(i+1)*int(t.buckets+1)])
}

// count finds out where buckets begin.
func (o *orderer) count(p *partition) {
	t := o.table
	clear(o.starts)
	o.bucketOf = o.bucketOf[:0]
	for r := range p.records(&t.layout) {
		b := t.bucket(t.key.hash(t.serial(r)))
		o.bucketOf = append(o.bucketOf, uint32(b))
		o.starts[b+1]++
	}
	for b := range o.ends {
		o.starts[b+1] += o.starts[b]
		o.ends[b] = o.starts[b]
	}
}

// place distributes what is staged to its buckets, once for each serial number. As
// the key cannot be known when serial numbers are chosen, buckets stay short.
func (o *orderer) place(p *partition) {
	i := 0
	for r := range p.records(&o.table.layout) {
		b := o.bucketOf[i]
		i++
		if !o.merge(r, o.starts[b], o.ends[b]) {
			copy(o.at(o.ends[b]), r)
			o.ends[b]++
		}
	}
}

// records iterates over what is staged.
func (p *partition) records(l *layout) iter.Seq[record] {
	return func(yield func(record) bool) {
		left := p.count
		for _, page := range p.pages {
			for i := 0; i < l.perPage && left > 0; i++ {
				if !yield(page[i*l.size : (i+1)*l.size]) {
					return
				}
				left--
			}
		}
	}
}

func (o *orderer) at(i uint32) record {
	at := int(i) * o.table.size
	return o.sorted[at : at+o.table.size : at+o.table.size]
}

// merge reports whether the serial number is among the records between start and
// end, and gives the one it finds the worse reading of both.
func (o *orderer) merge(r record, start, end uint32) bool {
	t := o.table
	for i := start; i < end; i++ {
		held := o.at(i)
		if string(t.named(held)) != string(t.named(r)) {
			continue
		}
		number, e, f := t.serial(r), t.entry(held), t.entry(r)
		if both := e.merge(f); t.fits(number, both) {
			t.setEntry(held, both)
		} else {
			o.overflow(number, both)
		}
		return true
	}
	return false
}

// store writes the buckets back to the pages, without the gaps that duplicates
// have left, and gives back what is not needed.
func (o *orderer) store(p *partition, slots []uint32) {
	t := o.table
	p.count = 0
	page, i := 0, 0
	for b := range o.ends {
		slots[b] = uint32(page)<<slotBits | uint32(i)
		for left := o.bucket(b); len(left) > 0; {
			part := left[:min(len(left), (t.perPage-i)*t.size)]
			copy(p.pages[page][i*t.size:], part)
			left = left[len(part):]
			p.count += len(part) / t.size
			if i += len(part) / t.size; i == t.perPage {
				page, i = page+1, 0
			}
		}
	}
	slots[t.buckets] = uint32(page)<<slotBits | uint32(i)
	p.free = nil
	if p.pages = p.pages[:page+min(i, 1)]; i > 0 {
		p.pages[page] = append([]byte(nil), p.pages[page][:i*t.size]...)
	}
}

// bucket returns the records of a bucket.
func (o *orderer) bucket(b int) []byte {
	size := o.table.size
	return o.sorted[int(o.starts[b])*size : int(o.ends[b])*size]
}
