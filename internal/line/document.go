package line

import "bytes"

// ResemblesLine reports whether content begins like a statement line, in UTF-8 or
// UTF-16LE, with or without byte order mark. Such content is never a document.
// The first HeadSize bytes are enough to tell.
func ResemblesLine(content []byte) bool {
	narrow := bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	wide := bytes.TrimPrefix(content, []byte("\xff\xfe"))
	return bytes.HasPrefix(narrow, []byte(Prefix)) || bytes.HasPrefix(wide, widePrefix())
}

// HeadSize is how much of a document [ResemblesLine] looks at, in bytes.
const HeadSize = 2 + 2*len(Prefix)

// widePrefix is Prefix in UTF-16LE.
func widePrefix() []byte {
	wide := make([]byte, 0, 2*len(Prefix))
	for i := range len(Prefix) {
		wide = append(wide, Prefix[i], 0)
	}
	return wide
}
