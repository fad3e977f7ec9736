package signin

import (
	"strconv"
	"testing"
)

// The cache holds a bounded number of tokens, the latest always among them, and
// tells tokens apart by every byte.
func TestTokenCache(t *testing.T) {
	var c tokenCache
	if c.get("") != nil {
		t.Error("an empty cache knows a token")
	}
	for i := range 3 * maxCachedTokens {
		c.add(strconv.Itoa(i), &claims{IssuedAt: int64(i)})
		if n := len(c.young) + len(c.old); n > maxCachedTokens {
			t.Fatalf("got %d tokens, want at most %d", n, maxCachedTokens)
		}
	}
	for i := 3*maxCachedTokens - maxCachedTokens/2; i < 3*maxCachedTokens; i++ {
		if got := c.get(strconv.Itoa(i)); got == nil || got.IssuedAt != int64(i) {
			t.Fatalf("token %d: got %v", i, got)
		}
	}
	if c.get("1") != nil || c.get(strconv.Itoa(3*maxCachedTokens-1)+" ") != nil {
		t.Error("the cache knows a token that it should not")
	}
}
