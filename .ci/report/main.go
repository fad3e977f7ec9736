// Command report reads the output of "go test -json", repeats what failed,
// counts skipped tests by their reason, and fails on a failure or on a reason
// that is not in the list below.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// expected are the reasons for which a test may be skipped, as the texts begin.
var expected = []string{
	"CITIZENCERT_REAL_PKI is not set",
	"CITIZENCERT_CONFORMANCE is not set",
	"openssl is not installed",
	"redis-server is not installed",
	"chromium is not installed",
	"AXE_CORE is not set",
	// Bounds that a store does not state; package storetest names them.
	"MaxChallenges is not set", "MaxDenials is not set", "MaxCertificates is not set",
}

// An event is a line of "go test -json".
type event struct {
	Action, Package, Test, Output string
}

// location is what "testing" puts before a message.
var location = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

func main() {
	passed, failed := 0, 0
	output := make(map[string][]string)
	skips := make(map[string]int)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				fmt.Print(summary(output[key]))
			}
			delete(output, key)
		case "skip":
			if e.Test != "" {
				skips[reason(output[key])]++
			}
			delete(output, key)
		case "fail", "build-fail":
			failed++
			fmt.Printf("FAIL %s\n%s", key, strings.Join(output[key], ""))
		}
	}
	os.Exit(conclude(passed, failed, skips))
}

// summary returns the line in which "go test" sums up a package.
func summary(output []string) string {
	for _, line := range slices.Backward(output) {
		if strings.HasPrefix(line, "ok ") {
			return line
		}
	}
	return ""
}

// reason returns the text with which a test was skipped.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if location.MatchString(line) {
			return strings.TrimSpace(location.ReplaceAllString(line, ""))
		}
	}
	return "no reason given"
}

func conclude(passed, failed int, skips map[string]int) int {
	unknown, skipped := 0, 0
	for _, why := range slices.Sorted(maps.Keys(skips)) {
		mark := ""
		if !slices.ContainsFunc(expected, func(prefix string) bool { return strings.HasPrefix(why, prefix) }) {
			mark = "  <- not a known reason"
			unknown++
		}
		skipped += skips[why]
		fmt.Printf("skipped %d: %s%s\n", skips[why], why, mark)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || unknown > 0 || passed == 0 {
		return 1
	}
	return 0
}
