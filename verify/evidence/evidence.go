// Package evidence keeps verdicts.
package evidence
