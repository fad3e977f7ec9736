package batch

import (
	"bytes"
	"fmt"
	"io"
	"iter"
)

// A Divided source can be read from any place, so that each of several machines
// reads the part that it judges.
type Divided interface {
	Source

	// Len is how many filings the source has.
	Len() int64

	// From yields the filings from a place on, the same that Items yields there. It
	// may be called concurrently. The parts of an item can be opened until the source
	// is closed.
	From(place int64) iter.Seq2[Item, error]
}

// From yields the filings from a place on. In a tar archive they are found by
// reading the headers before them: a shard of a large one is dear to reach.
func (s *FileSource) From(place int64) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		begin, skip := s.index.find(place)
		for item, err := range s.items(begin) {
			if skip--; skip >= 0 && err == nil {
				continue
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// A mark is a place in a manifest: how many bytes and lines are before it.
type mark struct {
	bytes int64
	lines int
}

// seek moves a manifest that has just been opened to the mark.
func (m mark) seek(manifest io.Reader) (err error) {
	if s, ok := manifest.(io.Seeker); ok {
		_, err = s.Seek(m.bytes, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, manifest, m.bytes)
	}
	return err
}

// An index says where the filings of a manifest are.
type index struct {
	count  int64
	shards []mark // of every ShardSize-th filing, from the first
	end    mark
}

// add takes the next line.
func (x *index) add(line []byte) {
	if len(bytes.TrimSpace(line)) > 0 {
		if x.count%ShardSize == 0 {
			x.shards = append(x.shards, x.end)
		}
		x.count++
	}
	x.end.bytes += int64(len(line))
	x.end.lines++
}

// sequential has reading begin at the first filing, wherever it is to go.
func (x *index) sequential() { x.shards = x.shards[:min(1, len(x.shards))] }

// find returns where to begin for a place, and how many filings to pass over.
func (x *index) find(place int64) (begin mark, skip int64) {
	if place < 0 || place >= x.count {
		return x.end, 0
	}
	shard := min(place/ShardSize, int64(len(x.shards))-1)
	return x.shards[shard], place - shard*ShardSize
}

// Items yields the filings of the shard.
func (ref *ShardRef) Items(src Divided) iter.Seq2[Item, error] {
	if ref.Generation > 0 {
		return ref.itemsOfPlaces(src)
	}
	return func(yield func(Item, error) bool) {
		left := ShardSize
		for item, err := range src.From(ref.place(0)) {
			if left--; !yield(item, err) || err != nil || left == 0 {
				return
			}
		}
	}
}

// itemsOfPlaces yields the filings at the places, which ascend. Where the next is far
// away, reading begins there anew.
func (ref *ShardRef) itemsOfPlaces(src Divided) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for left := ref.Places; len(left) > 0; {
			at := left[0]
			missing := true
			for item, err := range src.From(at) {
				missing = false
				if err != nil {
					yield(Item{}, err)
					return
				}
				if at == left[0] {
					if !yield(item, nil) {
						return
					}
					left = left[1:]
				}
				if at++; len(left) == 0 || left[0]-at > ShardSize {
					break
				}
			}
			if missing {
				yield(Item{}, &ChangedError{fmt.Sprintf("the source, which has no filing %d any more,", at)})
				return
			}
		}
	}
}
