// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/change"
)

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	ok(t, errors.Join(err, w.Close()))
	return b.Bytes()
}

// exported are the lines of a full export.
func exported(t testing.TB, e *envelope.ItemEncryptor, count int) string {
	t.Helper()
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "{\"Item\":%s}\n", sealed(t, e, plainPatient(aPatient(i))))
	}
	return b.String()
}

func TestDecodeExport(t *testing.T) {
	table := patients(t)
	const count = 700 // more than two chunks
	text := exported(t, table.Encryptor(), count)
	for name, in := range map[string][]byte{"plain": []byte(text), "gzip": zipped(t, text),
		"two members":      append(zipped(t, text[:1000]), zipped(t, text[1000:])...),
		"no last line":     []byte(strings.TrimSuffix(text, "\n")),
		"lines of Windows": []byte(strings.ReplaceAll(text, "\n", "\r\n"))} {
		i := 0
		for c, err := range change.DecodeExport(t.Context(), table, iotest.HalfReader(bytes.NewReader(in))) {
			if err != nil || c.Kind != change.Snapshot || *c.New != aPatient(i) || c.Old != nil || !c.At.IsZero() {
				t.Fatalf("%s: %d: %+v, %v", name, i, c, err)
			}
			if _, known := c.Changed(); known {
				t.Error("a snapshot knows what changed")
			}
			i++
		}
		if i != count {
			t.Errorf("%s: %d lines", name, i)
		}
	}
	for range change.DecodeExport(t.Context(), table, strings.NewReader(text)) {
		break // the reader is let go
	}
	for range change.DecodeExport(t.Context(), table, strings.NewReader("")) {
		t.Error("an empty file has a line")
	}
}

func TestDecodeIncrementalExport(t *testing.T) {
	table := patients(t)
	e := table.Encryptor()
	was, is := aPatient(1), aPatient(1)
	is.Visits = 9
	line := func(rest string) string {
		return `{"Metadata":{"WriteTimestampMicros":{"N":"1680109764000001"}},"Keys":` + keysOne + rest + "}\n"
	}
	old, new := `,"OldImage":`+sealed(t, e, plainPatient(was)), `,"NewImage":`+sealed(t, e, plainPatient(is))
	got := collect(change.DecodeExport(t.Context(), table,
		strings.NewReader(line(new)+line(old+new)+line(old)+line(""))))
	for i, want := range []struct {
		kind     change.Kind
		old, new *patient
		changed  string
	}{{change.Insert, nil, &is, "unknown"}, {change.Modify, &was, &is, "visits"},
		{change.Remove, &was, nil, "diagnosis id visits ward"}, {change.Remove, nil, nil, "unknown"}} {
		c := got.changes[i]
		names, known := c.Changed()
		changed := strings.Join(names, " ")
		if !known {
			changed = "unknown"
		}
		if got.errs[i] != nil || c.Kind != want.kind || !same(c.Old, want.old) || !same(c.New, want.new) ||
			changed != want.changed || !c.At.Equal(time.UnixMicro(1680109764000001)) || c.Key.Partition == nil {
			t.Errorf("line %d: %+v, changed %s, %v", i+1, c, changed, got.errs[i])
		}
	}
}

// TestDecodeExportBadLines: a bad line is named by its number, and the others
// come.
func TestDecodeExportBadLines(t *testing.T) {
	table := patients(t)
	good := exported(t, table.Encryptor(), 1)
	image := sealed(t, table.Encryptor(), plainPatient(aPatient(1)))
	meta := `"Metadata":{"WriteTimestampMicros":{"N":"1"}}`
	for _, c := range []struct {
		line string
		want error
	}{
		{"x", change.ErrRecord}, {"{}", change.ErrRecord}, {`{"Item":{}}`, change.ErrRecord},
		{`{"Item":null}`, change.ErrRecord},
		{`{"Item":` + image + `,"Keys":` + keysOne + `}`, change.ErrRecord},
		{`{"Item":` + image + `,"Later":1}`, change.ErrRecord},
		{`{"Item":{"pk":{"S":"a"}}}`, change.ErrRecord},
		{`{` + meta + `}`, change.ErrRecord},
		{`{"Metadata":{},"Keys":` + keysOne + `}`, change.ErrRecord},
		{`{"Metadata":{"WriteTimestampMicros":{"N":"x"}},"Keys":` + keysOne + `}`, change.ErrRecord},
		{`{` + meta + `,"Keys":{"id":{"S":"b"}},"NewImage":` + image + `}`, change.ErrRecord},
		{`{"Item":` + strings.Replace(image, "north", "south", 1) + `}`, envelope.ErrTampered},
		{strings.TrimSuffix(good, "\n")[:100], change.ErrRecord},
		{`{"Item":{"id":{"S":"` + strings.Repeat("a", 4<<20) + `"}}}`, change.ErrRecord},
		{"$ion_1_0 {Item:{}}", change.ErrFormat},
	} {
		got := collect(change.DecodeExport(t.Context(), table, strings.NewReader(good+"\n"+c.line+"\n"+good)))
		name := c.line[:min(len(c.line), 60)]
		if len(got.errs) != 3 || got.errs[0] != nil || got.errs[2] != nil {
			t.Errorf("%s: %v", name, got.errs)
			continue
		}
		var record *change.RecordError
		if !errors.Is(got.errs[1], c.want) || !errors.As(got.errs[1], &record) || record.Index != 3 {
			t.Errorf("%s: %v", name, got.errs[1])
		}
	}
}

// TestDecodeExportBadFiles: what ends a file early is the last element, and the
// lines before it come.
func TestDecodeExportBadFiles(t *testing.T) {
	table := patients(t)
	text := exported(t, table.Encryptor(), 300)
	packed := zipped(t, text)
	broken := errors.New("the disk is gone")
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for _, c := range []struct {
		name string
		in   io.Reader
		want error
		all  int // lines that come; -1: some
	}{
		{"cut gzip", bytes.NewReader(packed[:len(packed)/2]), io.ErrUnexpectedEOF, -1},
		{"cut gzip header", bytes.NewReader(packed[:5]), io.ErrUnexpectedEOF, 0},
		{"wrong checksum", bytes.NewReader(flipped), gzip.ErrChecksum, 300},
		{"read error", io.MultiReader(strings.NewReader(text[:len(text)-10]), iotest.ErrReader(broken)), broken, 299},
		{"ion", strings.NewReader("\xe0\x01\x00\xea\xee\x95"), change.ErrFormat, 0},
		{"zipped ion", bytes.NewReader(zipped(t, "$ion_1_0 {Item:{}}")), change.ErrFormat, 0},
	} {
		got := collect(change.DecodeExport(t.Context(), table, c.in))
		n := len(got.errs) - 1
		var record *change.RecordError
		if n < 0 || !errors.Is(got.errs[n], c.want) || errors.As(got.errs[n], &record) ||
			c.all >= 0 && n != c.all || c.all < 0 && (n == 0 || n >= 300) {
			t.Errorf("%s: %d elements, %v", c.name, n+1, got.errs[max(n, 0)])
			continue
		}
		for i, err := range got.errs[:n] {
			if err != nil {
				t.Errorf("%s: line %d: %v", c.name, i+1, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range change.DecodeExport(ctx, table, strings.NewReader(text)) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended context: %v", last)
	}
}

// endless is a file of one line over and over.
type endless struct {
	line string
	at   int
	left atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left.Load() <= 0 {
		return 0, io.EOF
	}
	n := copy(p, e.line[e.at:])
	if e.at += n; e.at == len(e.line) {
		e.at = 0
		e.left.Add(-1)
	}
	return n, nil
}

// TestDecodeExportMemory: a chunk bounds the memory, not the file.
func TestDecodeExportMemory(t *testing.T) {
	table := must(change.Items("patients", nil, "id", ""))(t)
	line := `{"Item":{"id":{"S":"` + strings.Repeat("a", 100<<10) + `"}}}` + "\n"
	const count = 600 // 60 MB
	in := &endless{line: line}
	in.left.Store(count)
	read := 0
	for _, err := range change.DecodeExport(t.Context(), table, in) {
		ok(t, err)
		read++
		if ahead := count - int(in.left.Load()) - read; read%100 == 0 && ahead > 3*(4<<20)/len(line)+10 {
			t.Fatalf("%d lines ahead", ahead)
		}
	}
	if read != count {
		t.Errorf("%d lines", read)
	}
}
