package line

import "bytes"

// Begins reports whether content begins like a statement line of any version, in
// UTF-8 or UTF-16LE, with or without byte order mark: it is a sign-in, a consent
// or a reference to a document, and never a document. The first HeadSize bytes of
// content are enough to tell.
func Begins(content []byte) bool {
	narrow := bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	wide := bytes.TrimPrefix(content, []byte("\xff\xfe"))
	return bytes.HasPrefix(narrow, []byte(Prefix)) || bytes.HasPrefix(wide, UTF16LE(Prefix))
}

// HeadSize is how much of a document [Begins] looks at, in bytes.
const HeadSize = 2 + 2*len(Prefix)

// UTF16LE encodes ASCII, which is all that a line may be.
func UTF16LE(ascii string) []byte {
	wide := make([]byte, 0, 2*len(ascii))
	for i := range len(ascii) {
		wide = append(wide, ascii[i], 0)
	}
	return wide
}
