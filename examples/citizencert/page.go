package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

//go:embed page.html
var pageText string

// A page is the report of a batch for people, in both languages.
type page struct {
	*batch.Report
	Source   string
	Verdicts []count
	Reasons  []count
	Issuers  []count
	Algos    []count
	Plot     plot
	Rate     int64
}

// A count is a line of a table.
type count struct {
	Name, Zh, En string
	N            int64
	Percent      float64 // of all filings
}

// verdictTexts and reasonTexts are what package batch has no sentences for.
var verdictTexts = map[batch.Verdict][2]string{
	batch.Valid:     {"有效", "valid"},
	batch.Refused:   {"未通過", "refused"},
	batch.Undecided: {"未能判定，可重試", "undecided, can be retried"},
	batch.Failed:    {"無法處理", "could not be judged"},
}

var reasonTexts = map[verify.Reason][2]string{
	batch.ReasonReceiptMissing: {"來源未載明收件時間。", "The source does not say when it was received."},
	batch.ReasonSignerMismatch: {"簽章人不是預期的申報人。", "Another person than the expected has signed."},
	batch.ReasonUnreadable:     {"檔案無法開啟或讀取。", "A file could not be opened or read."},
	batch.ReasonDeadline:       {"處理時間超過上限。", "It took longer than is allowed."},
	batch.ReasonShard:          {"所屬分段在其他主機上未能處理完成，可重試。", "Its shard came to no end on other machines; it can be retried."},
	batch.ReasonPanic:          {"處理時發生程式錯誤。", "The program failed on it."},
}

// writePage writes the report as one file that needs no other.
func writePage(path, source string, r *batch.Report) error {
	text, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := text.Execute(&b, newPage(source, r)); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

func newPage(source string, r *batch.Report) *page {
	s := &r.Summary
	p := &page{Report: r, Source: source, Plot: newPlot(r.Throughput)}
	if n := len(r.Throughput); n > 0 && r.Seconds > 0 {
		p.Rate = int64(math.Round(float64(r.Throughput[n-1].Filings) / r.Seconds))
	}
	row := func(name, zh, en string, n int64) count {
		return count{name, zh, en, n, 100 * float64(n) / float64(max(s.Filings, 1))}
	}
	for _, v := range []batch.Verdict{batch.Valid, batch.Refused, batch.Undecided, batch.Failed} {
		p.Verdicts = append(p.Verdicts, row(string(v), verdictTexts[v][0], verdictTexts[v][1], s.Verdicts[v]))
	}
	for _, reason := range sortedByCount(s.Reasons) {
		zh, en := reason.Sentence("zh-TW"), reason.Sentence("en")
		if own, ok := reasonTexts[reason]; ok {
			zh, en = own[0], own[1]
		}
		p.Reasons = append(p.Reasons, row(string(reason), zh, en, s.Reasons[reason]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Issuers)) {
		p.Issuers = append(p.Issuers, row(name, "", "", s.Issuers[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Algorithms)) {
		p.Algos = append(p.Algos, row(name, "", "", s.Algorithms[name]))
	}
	return p
}

// The plot's area, in the units of its SVG.
const (
	plotLeft, plotRight = 70, 700
	plotTop, plotBottom = 12, 180
)

// A plot is throughput over time.
type plot struct {
	Line, Area string // points of an SVG polyline and polygon
	X, Y       []tick
}

type tick struct {
	At   float64
	Text string
}

func newPlot(samples []batch.Sample) plot {
	var p plot
	if len(samples) < 2 || samples[len(samples)-1].Seconds == 0 {
		return p
	}
	end, most := samples[len(samples)-1].Seconds, 0.0
	rates := make([]float64, len(samples))
	for i := 1; i < len(samples); i++ {
		if d := samples[i].Seconds - samples[i-1].Seconds; d > 0 {
			rates[i] = float64(samples[i].Filings-samples[i-1].Filings) / d
		}
		most = max(most, rates[i])
	}
	top := niceAbove(most)
	x := func(seconds float64) float64 { return plotLeft + (plotRight-plotLeft)*seconds/end }
	y := func(rate float64) float64 { return plotBottom - (plotBottom-plotTop)*rate/top }
	var line strings.Builder
	for i := 1; i < len(samples); i++ { // a rate holds from one sample to the next
		fmt.Fprintf(&line, "%.1f,%.1f %.1f,%.1f ", x(samples[i-1].Seconds), y(rates[i]), x(samples[i].Seconds), y(rates[i]))
	}
	p.Line = strings.TrimSpace(line.String())
	p.Area = fmt.Sprintf("%d,%d %s %d,%d", plotLeft, plotBottom, p.Line, plotRight, plotBottom)
	for i := range 5 {
		p.Y = append(p.Y, tick{y(top * float64(i) / 4), fmt.Sprintf("%.4g", top*float64(i)/4)})
		p.X = append(p.X, tick{x(end * float64(i) / 4), fmt.Sprintf("%.3g s", end*float64(i)/4)})
	}
	return p
}

// niceAbove returns a round number that is not below x and divides by four.
func niceAbove(x float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(max(x, 1))))
	for _, n := range []float64{1, 2, 4, 6, 8, 10} {
		if n*step >= x {
			return n * step
		}
	}
	return 10 * step
}
