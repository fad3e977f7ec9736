package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// How often progress is shown: to a person, and to a log.
const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 5 * time.Second
)

// A progress shows how far a batch has come: a bar on a terminal, and otherwise a
// line of JSON every few seconds.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil if w is no terminal
	every time.Duration

	total, first, place, judged int64
	refused                     map[verify.Reason]int64
	began, shown                time.Time
}

func newProgress(w io.Writer, total int64) *progress {
	now := time.Now()
	p := &progress{w: w, every: lineEvery, total: total, refused: make(map[verify.Reason]int64), began: now, shown: now}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.every = barEvery
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24), progressbar.OptionShowCount(),
			progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionEnableColorCodes(false))
	}
	return p
}

// add notes a result. Results come in the order of the source.
func (p *progress) add(res *batch.Result) {
	if p.judged == 0 {
		p.first = res.Index
	}
	p.judged++
	p.place = res.Index + 1
	if res.Reason != "" {
		p.refused[res.Reason]++
	}
	if now := time.Now(); now.Sub(p.shown) >= p.every {
		p.shown = now
		p.show(now)
	}
}

// addShard notes a shard that was judged elsewhere.
func (p *progress) addShard(shard *batch.JudgedShard) {
	begin := shard.Shard * batch.ShardSize
	if shard.Generation > 0 && len(shard.Places) > 0 {
		begin = shard.Places[0]
	}
	if p.judged == 0 {
		p.first = begin
	}
	p.judged += shard.Head.Filings
	p.place = begin + shard.Head.Filings
	for reason, n := range shard.Summary.Reasons {
		p.refused[reason] += n
	}
	if now := time.Now(); now.Sub(p.shown) >= p.every {
		p.shown = now
		p.show(now)
	}
}

// end shows where it ended.
func (p *progress) end() {
	if p.judged == 0 {
		return
	}
	p.show(time.Now())
	if p.bar != nil {
		fmt.Fprintln(p.w)
	}
}

func (p *progress) show(now time.Time) {
	elapsed := now.Sub(p.began).Seconds()
	rate := float64(p.judged) / max(elapsed, 1e-9)
	remaining := time.Duration(float64(p.total-p.place) / (float64(p.place-p.first) / max(elapsed, 1e-9)) * float64(time.Second))
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%.0f/s, %s left%s", rate, remaining.Round(time.Second), p.refusals()))
		p.bar.Set64(p.place)
		return
	}
	json.NewEncoder(p.w).Encode(struct {
		Place     int64                   `json:"place"`
		Total     int64                   `json:"total"`
		PerSecond float64                 `json:"perSecond"`
		Remaining float64                 `json:"remainingSeconds"`
		Refused   map[verify.Reason]int64 `json:"refused"`
	}{p.place, p.total, float64(int64(rate)), float64(int64(remaining.Seconds())), p.refused})
}

// refusals are the three most frequent reasons, with their counts.
func (p *progress) refusals() string {
	var b strings.Builder
	for _, reason := range sortedByCount(p.refused)[:min(3, len(p.refused))] {
		fmt.Fprintf(&b, ", %s %d", reason, p.refused[reason])
	}
	return b.String()
}
