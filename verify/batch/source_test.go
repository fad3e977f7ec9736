package batch_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// A member is a file of an archive.
type member struct {
	name string
	data []byte
}

// members are the files of a folder of filings, the manifest first and the others in
// its order.
func members(t *testing.T, folder string) []member {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "filing-*"))
	if err != nil {
		t.Fatal(err)
	}
	rank := map[string]int{".p7s": 0, ".txt": 1, ".cer": 2}
	slices.SortFunc(names, func(a, b string) int {
		stemA, stemB := strings.TrimSuffix(a, filepath.Ext(a)), strings.TrimSuffix(b, filepath.Ext(b))
		if c := strings.Compare(stemA, stemB); c != 0 {
			return c
		}
		return rank[filepath.Ext(a)] - rank[filepath.Ext(b)]
	})
	var all []member
	for _, name := range append([]string{filepath.Join(folder, batch.ManifestName)}, names...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{filepath.Base(name), data})
	}
	return all
}

func writeTar(t *testing.T, path string, all []member) {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range all {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		w.Write(m.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	batchtest.WriteFile(t, path, buf.Bytes())
}

func writeZip(t *testing.T, path string, all []member) {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range all {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(m.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	batchtest.WriteFile(t, path, buf.Bytes())
}

// judgeAll opens a source and returns the results of its filings.
func judgeAll(t *testing.T, w *world, path string) ([]batch.Result, error) {
	t.Helper()
	src, err := batch.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var results []batch.Result
	for res, err := range w.runner(t, nil).Results(t.Context(), src.Items(), batch.InputOrder) {
		if err != nil {
			return results, err
		}
		results = append(results, *res)
	}
	return results, nil
}

// The same filings give the same results wherever they are.
func TestOpen(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 80, Citizens: 4, ContentSize: 300, Seed: 2})
	folder := t.TempDir()
	expect := w.write(t, folder)
	all := members(t, folder)
	dir := t.TempDir()
	tarPath, zipPath := filepath.Join(dir, "filings.tar"), filepath.Join(dir, "filings.ZIP")
	writeTar(t, tarPath, all)
	shuffled := slices.Clone(all)
	slices.Reverse(shuffled)
	writeZip(t, zipPath, shuffled)
	for _, path := range []string{folder, filepath.Join(folder, batch.ManifestName), tarPath, zipPath} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			results, err := judgeAll(t, w, path)
			if err != nil {
				t.Fatal(err)
			}
			wantResults(t, results, expect)
		})
	}

	writeTar(t, tarPath, shuffled)
	if _, err := judgeAll(t, w, tarPath); err == nil || !strings.Contains(err.Error(), "in the order of its manifest") {
		t.Errorf("tar archive in another order: got %v", err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"):        "no such file",
		filepath.Join(dir, "filings.tar.gz"): "not compressed",
		t.TempDir():                          batch.ManifestName,
	} {
		if strings.HasSuffix(path, ".gz") {
			batchtest.WriteFile(t, path, nil)
		}
		if _, err := batch.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", filepath.Base(path), err, want)
		}
	}
}

// What a manifest says that it must not say costs the one filing.
func TestManifest(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	outside, folder := t.TempDir(), t.TempDir()
	w.write(t, outside)
	w.write(t, folder)
	if err := os.Symlink(filepath.Join(outside, "filing-0000000.p7s"), filepath.Join(folder, "out.p7s")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("filing-0000000.p7s", filepath.Join(folder, "in.p7s")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	const rest = `"content":"filing-0000000.txt","receivedAt":"` // and the time
	at := w.filings
	good, err := at.Filing(0)
	if err != nil {
		t.Fatal(err)
	}
	received := good.ReceivedAt.Format("2006-01-02T15:04:05Z07:00")
	for _, test := range []struct{ line, reason string }{
		{`{"signature":"filing-0000000.p7s",` + rest + received + `"}`, ""},
		{`{"signature":"in.p7s",` + rest + received + `"}`, ""},
		{`{"signature":"out.p7s",` + rest + received + `"}`, "unreadable"},
		{`{"signature":"../` + filepath.Base(outside) + `/filing-0000000.p7s",` + rest + received + `"}`, "malformed"},
		{`{"signature":"` + outside + `/filing-0000000.p7s",` + rest + received + `"}`, "malformed"},
		{`{"signature":"pipe",` + rest + received + `"}`, "unreadable"},
		{`{"signature":".",` + rest + received + `"}`, "unreadable"},
		{`{"signature":"missing",` + rest + received + `"}`, "unreadable"},
		{`{` + rest + received + `"}`, "malformed"},
		{`{"signature":"filing-0000000.p7s","content":"filing-0000000.txt"}`, "receipt-missing"},
		{`{"signature":"filing-0000000.p7s","content":"filing-0000000.txt","recievedAt":"` + received + `"}`, "malformed"},
		{`{"signature":"filing-0000000.p7s",` + rest + `yesterday"}`, "malformed"},
		{`{"signature":"filing-0000000.p7s","signer":"0000000000000000",` + rest + received + `"}`, "signer-mismatch"},
		{`{"signature":"filing-0000000.p7s","signer":"` + good.Holder + `",` + rest + received + `"}`, ""},
		{`{"signature":"filing-0000000.p7s","line":"citizencert:1/",` + rest + received + `"}`, "purpose"},
		{`not JSON`, "malformed"},
		{`{"signature":"filing-0000000.p7s",` + rest + received + `"} `, ""},
		{`{"signature":"filing-0000000.p7s",` + rest + received + `"}{"signature":"in.p7s",` + rest + received + `"}`, "malformed"},
		{`{"signature":"filing-0000000.p7s",` + rest + received + `"}]`, "malformed"},
	} {
		batchtest.WriteFile(t, filepath.Join(folder, batch.ManifestName), []byte("\n"+test.line+"\n"))
		results, err := judgeAll(t, w, folder)
		if err != nil || len(results) != 1 || string(results[0].Reason) != test.reason {
			t.Errorf("%s: got %v, %v, want %q", test.line, results, err, test.reason)
		}
	}
	batchtest.WriteFile(t, filepath.Join(folder, batch.ManifestName), bytes.Repeat([]byte("x"), 1<<20))
	if _, err := judgeAll(t, w, folder); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a line without end: got %v", err)
	}
}

// An archive cannot make more of itself than it is.
func TestArchiveBounds(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1, ContentSize: 300})
	path := filepath.Join(t.TempDir(), "bomb.zip")
	manifest := []byte(`{"signature":"bomb","receivedAt":"2026-05-31T15:59:59+08:00"}` + "\n" + `{"signature":"../up","receivedAt":"2026-05-31T15:59:59+08:00"}`)
	writeZip(t, path, []member{{batch.ManifestName, manifest}, {"bomb", make([]byte, 16<<20)}, {"../up", []byte("x")}})
	results, err := judgeAll(t, w, path)
	if err != nil {
		t.Fatal(err)
	}
	wantResults(t, results, []string{"malformed", "malformed"})
	if !strings.Contains(results[0].Message, "times as long") {
		t.Errorf("got %q", results[0].Message)
	}

	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	tw.WriteHeader(&tar.Header{Name: batch.ManifestName, Size: int64(len(manifest)), Mode: 0o600})
	tw.Write(manifest)
	tw.WriteHeader(&tar.Header{Name: "bomb", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	tw.Close()
	path = filepath.Join(t.TempDir(), "link.tar")
	batchtest.WriteFile(t, path, buf.Bytes())
	if results, err = judgeAll(t, w, path); err != nil {
		t.Fatal(err)
	}
	wantResults(t, results, []string{"malformed", "malformed"})

	many := filepath.Join(t.TempDir(), "many.zip")
	f, err := os.Create(many)
	if err != nil {
		t.Fatal(err)
	}
	zw := zip.NewWriter(f)
	for i := range 70_000 {
		zw.CreateHeader(&zip.FileHeader{Name: strings.Repeat("n", 200) + string(rune('0'+i%10)) + filepath.Base(many)})
	}
	zw.Close()
	f.Close()
	if _, err := batch.Open(many); err == nil || !strings.Contains(err.Error(), "directory of the archive") {
		t.Errorf("got %v", err)
	}
}

// Content of any size takes no memory to speak of: a message that is longer than what
// is read into memory is read as a stream.
func TestLargeMessage(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1, ContentSize: 8 << 20, Attached: 1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, expect := w.made(t)
	tampered := items[0]
	tampered.Signature = func() (io.ReadCloser, error) {
		r, err := items[0].Signature()
		if err != nil {
			return nil, err
		}
		return flipped{r, new(int)}, nil
	}
	var results []batch.Result
	for res, err := range w.runner(t, nil).Results(t.Context(), each([]batch.Item{items[0], tampered}, 2), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, append(expect, "digest-mismatch"))
	if results[0].Signature == "" {
		t.Error("the digest of the message is missing")
	}
}

// flipped changes an octet in the middle of what it reads.
type flipped struct {
	io.ReadCloser
	read *int
}

func (f flipped) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if at := 1<<20 - *f.read; 0 <= at && at < n {
		p[at] ^= 1
	}
	*f.read += n
	return n, err
}

// What is cut short could not be read, and may be retried; it is not judged as if
// that were all.
func TestCutShort(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	cut := func(p batch.Part, keep int64) batch.Part {
		return func() (io.ReadCloser, error) {
			r, err := p()
			if err != nil {
				return nil, err
			}
			return io.NopCloser(io.MultiReader(io.LimitReader(r, keep), iotest.ErrReader(io.ErrUnexpectedEOF))), nil
		}
	}
	signature, content, more := items[0], items[0], items[0]
	signature.Signature = cut(signature.Signature, 100)
	content.Content = cut(content.Content, 100)
	more.Content = cut(more.Content, 300) // all that was signed, and not all that there is
	var results []batch.Result
	for res, err := range w.runner(t, nil).Results(t.Context(), each([]batch.Item{items[0], signature, content, more}, 4), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, []string{"", "unreadable", "unreadable", "unreadable"})

	folder := t.TempDir()
	w.write(t, folder)
	all := members(t, folder)
	path := filepath.Join(t.TempDir(), "cut.tar")
	writeTar(t, path, all)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(data, all[len(all)-1].data)
	for end, reason := range map[int]string{last + 10: "unreadable", len(data): ""} {
		batchtest.WriteFile(t, path, data[:end])
		results, err := judgeAll(t, w, path)
		if err != nil {
			t.Fatal(err)
		}
		wantResults(t, results, []string{reason})
	}
}
