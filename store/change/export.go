// SPDX-License-Identifier: Apache-2.0

package change

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

const (
	// maxLine bounds a line: two images of 400 KB are below 3 MB in base64.
	maxLine = 4 << 20
	// chunkBytes ends a chunk of lines; up to three chunks are in memory.
	chunkBytes = 4 << 20
)

// DecodeExport reads one file of a full or incremental export to S3 in DynamoDB
// JSON, with or without gzip, and yields its lines in their order as [Decode]
// does. It reads ahead by at most two chunks of up to 256 lines or 4 MiB,
// whatever the file's length. A line of more than 4 MiB is an error.
//
// A [*RecordError] is about one line, whose number is its Index, and the
// iteration goes on. Any other error is the last element: an error of r, a
// truncated or damaged file, or the end of ctx. It matches [ErrFormat] for a
// file in Amazon Ion. If the iteration is stopped early, r is still read until
// the call of Read that is under way returns.
func DecodeExport[T any](ctx context.Context, t Table[T], r io.Reader) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		parts := make(chan part)
		go divide(ctx, r, parts)
		opened := make(chan openedPart[T])
		go func() {
			defer close(opened)
			for p := range parts {
				o := openedPart[T]{err: p.err, lines: p.lines}
				o.changes, o.errs = decodeAll(ctx, t, p.records, 0)
				select {
				case opened <- o:
				case <-ctx.Done():
					return
				}
			}
		}()
		lines := 0
		end := func(err error) {
			yield(Change[T]{}, fmt.Errorf("export of table %s, after line %d: %w", t.Name(), lines, err))
		}
		for o := range opened {
			if err := ctx.Err(); err != nil {
				end(err)
				return
			}
			for i := range o.changes {
				if !yield(o.changes[i], o.errs[i]) {
					return
				}
			}
			lines = o.lines
			if o.err != nil {
				end(o.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			end(err)
		}
	}
}

// part is a chunk of lines. An error comes after them, and ends the file.
type part struct {
	records []Record
	lines   int // read so far
	err     error
}

type openedPart[T any] struct {
	changes []Change[T]
	errs    []error
	lines   int
	err     error
}

// divide sends the lines of r in chunks, and closes the channel at the end.
func divide(ctx context.Context, r io.Reader, to chan<- part) {
	defer close(to)
	lines, err := newLines(r)
	if err != nil {
		select {
		case to <- part{err: err}:
		case <-ctx.Done():
		}
		return
	}
	for {
		p := lines.chunk(ctx)
		select {
		case to <- p:
		case <-ctx.Done():
			return
		}
		if lines.ended {
			return
		}
	}
}

// lines reads the lines of a file.
type lines struct {
	in     *bufio.Reader
	number int
	ended  bool
}

func newLines(r io.Reader) (*lines, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		in = bufio.NewReaderSize(unzipped, 64<<10)
	}
	if start, _ := in.Peek(8); ion(start) {
		return nil, &formatError{"Amazon Ion"}
	}
	return &lines{in: in}, nil
}

// chunk reads the next lines.
func (l *lines) chunk(ctx context.Context) part {
	var p part
	size := 0
	for len(p.records) < chunk && size < chunkBytes && ctx.Err() == nil {
		text, err := l.line()
		if len(text) > 0 || err == errLongLine {
			r := Line(text, l.number)
			if err == errLongLine {
				r.err, err = malformed("the line has more than %d bytes", maxLine), nil
			}
			p.records = append(p.records, r)
			size += len(text)
		}
		if err != nil {
			l.ended = true
			if !errors.Is(err, io.EOF) {
				// The line was cut off, so it is not one.
				if n := len(p.records); n > 0 && p.records[n-1].index == l.number && len(text) > 0 {
					p.records = p.records[:n-1]
				}
				p.err = fmt.Errorf("the file is truncated, damaged or cannot be read: %w", err)
			}
			break
		}
	}
	p.lines = l.number
	return p
}

var errLongLine = errors.New("line is too long")

// line returns the next line without its end, in memory of its own. The last
// line comes with io.EOF.
func (l *lines) line() ([]byte, error) {
	var text []byte
	long := false
	for {
		piece, err := l.in.ReadSlice('\n')
		if long = long || len(text)+len(piece) > maxLine; !long {
			text = append(text, piece...)
		} else {
			text = nil
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if long || len(piece) > 0 || len(text) > 0 || err == nil {
			l.number++
		}
		if long {
			if err != nil && err != io.EOF {
				return nil, err
			}
			return nil, errLongLine // the end, if it is one, comes with the next call
		}
		return bytes.TrimRight(text, "\r\n"), err
	}
}
