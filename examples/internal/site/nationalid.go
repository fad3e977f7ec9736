package site

import (
	"regexp"
	"strings"
)

// nationalID is the form of national ID and resident certificate numbers. Check
// digits are left to the register, and those of the invented citizens are wrong.
var nationalID = regexp.MustCompile(`^[A-Z][0-9]{9}$`)

// NationalID returns the number that a citizen has typed, as registers have it, or ""
// if it is none.
func NationalID(typed string) string {
	number := strings.ToUpper(strings.TrimSpace(typed))
	if !nationalID.MatchString(number) {
		return ""
	}
	return number
}
