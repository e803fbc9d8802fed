// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"sync"
)

// minCompressed is the size from which answers are compressed for clients that
// accept it. Below it the answer fits into few packets, and compressing takes
// longer than sending.
const minCompressed = 4 << 10

// minGzip is the size of an empty gzip file.
const minGzip = 20

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// inflate returns what the compressed body of a request holds, at most MaxBody
// bytes. Several gzip files behind one another are one body. Like AWS, it
// answers a damaged body with an internal failure.
//
// The end of a gzip file says how many bytes it holds: they are reserved before
// they are unpacked. What goes beyond is reserved as a body of unknown length.
func (d *Door) inflate(ctx context.Context, r *exchange, e *Endpoint) ([]byte, error) {
	damaged := e.internal("The request body is not what Content-Encoding says")
	source := bytes.NewReader(r.Body)
	hint := int64(smallBody)
	var z io.Reader
	if r.compressed == gzipped {
		if len(r.Body) < minGzip {
			return nil, damaged
		}
		hint = int64(binary.LittleEndian.Uint32(r.Body[len(r.Body)-4:]))
		reader := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(reader)
		if reader.Reset(source) != nil {
			return nil, damaged
		}
		z = reader
	} else {
		reader, err := zlib.NewReader(source)
		if err != nil {
			return nil, damaged
		}
		z = reader
	}
	if hint > e.MaxBody {
		return nil, e.tooLarge()
	}
	if err := d.reserve(ctx, r, hint); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(int(hint) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(z, hint+1))
	if err == nil && n > hint {
		if err := d.reserveMore(r, 2*e.MaxBody); err != nil { // the buffer grows in steps
			return nil, err
		}
		_, err = b.ReadFrom(io.LimitReader(z, e.MaxBody+1-n))
	}
	switch {
	case err != nil:
		return nil, damaged
	case int64(b.Len()) > e.MaxBody:
		return nil, e.tooLarge()
	case source.Len() != 0:
		return nil, damaged
	}
	return b.Bytes(), nil
}

// packers are the compressors of answers. Each takes most of a megabyte, so
// there are no more than processors to run them.
type packers chan packer

// packer has a compressor for each encoding, nil before it was needed.
type packer map[encoding]compressor

type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

func newPackers() packers {
	p := make(packers, min(runtime.GOMAXPROCS(0), 8))
	for range cap(p) {
		p <- packer{}
	}
	return p
}

// compress replaces the body of a by its compressed form if that is smaller.
func (p packers) compress(a *answer, as encoding) {
	all := <-p
	defer func() { p <- all }()
	var b bytes.Buffer
	b.Grow(len(a.body) / 4)
	z := all[as]
	switch {
	case z != nil:
		z.Reset(&b)
	case as == gzipped:
		z, _ = gzip.NewWriterLevel(&b, gzip.BestSpeed) // a valid level
	default:
		z, _ = zlib.NewWriterLevel(&b, zlib.BestSpeed)
	}
	all[as] = z
	_, err := z.Write(a.body)
	if err == nil {
		err = z.Close()
	}
	if err == nil && b.Len() < len(a.body) {
		a.body, a.compressed = b.Bytes(), as
	}
}
