package frontdoor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// minCompressed is the size from which answers are compressed for clients that
// accept gzip. Below it the answer fits into few packets, and compressing takes
// longer than sending.
const minCompressed = 4 << 10

// minGzip is the size of an empty gzip file.
const minGzip = 20

// checkEncoding notes whether the body is compressed, and refuses every other
// encoding.
func (r *exchange) checkEncoding(e *Endpoint) error {
	switch encoding := r.get("Content-Encoding"); {
	case encoding == "" || encoding == "identity" || encoding == "amz-1.0":
	case strings.EqualFold(encoding, "gzip") && r.length != 0:
		r.compressed = true
	default:
		return e.refusal("SerializationException", "Content-Encoding is not supported")
	}
	return nil
}

var readers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// inflate returns what the compressed body of a request holds, at most MaxBody
// bytes. The end of a gzip file says how many there are, so that they can be
// reserved; a body that says something else is refused.
func (d *Door) inflate(ctx context.Context, r *exchange, e *Endpoint) ([]byte, error) {
	malformed := e.refusal("SerializationException", "The request body is not one gzip file, as Content-Encoding says")
	if len(r.Body) < minGzip {
		return nil, malformed
	}
	size := int64(binary.LittleEndian.Uint32(r.Body[len(r.Body)-4:]))
	if size > e.MaxBody {
		return nil, e.tooLarge()
	}
	if err := d.reserve(ctx, r, size); err != nil {
		return nil, err
	}
	z := readers.Get().(*gzip.Reader)
	defer readers.Put(z)
	source := bytes.NewReader(r.Body)
	if z.Reset(source) != nil {
		return nil, malformed
	}
	z.Multistream(false)
	body, err := readBody(z, size, size)
	if err != nil {
		return nil, malformed
	}
	if n, err := z.Read(make([]byte, 1)); n != 0 || err != io.EOF || source.Len() != 0 {
		return nil, malformed
	}
	return body, nil
}

// acceptsGzip reports whether the values of Accept-Encoding name gzip.
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			weight, given := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
			if !given {
				return true
			}
			q, err := strconv.ParseFloat(weight, 64)
			return err == nil && q > 0
		}
	}
	return false
}

// packers are the compressors of answers. Each takes most of a megabyte, so
// there are no more than processors to run them.
type packers chan *gzip.Writer

func newPackers() packers {
	p := make(packers, min(runtime.GOMAXPROCS(0), 8))
	for range cap(p) {
		p <- nil
	}
	return p
}

// compress replaces the body of a by its compressed form if that is smaller.
func (p packers) compress(a *answer) {
	z := <-p
	defer func() { p <- z }()
	var b bytes.Buffer
	b.Grow(len(a.body) / 4)
	if z == nil {
		z, _ = gzip.NewWriterLevel(&b, gzip.BestSpeed) // a valid level
	} else {
		z.Reset(&b)
	}
	_, err := z.Write(a.body)
	if err == nil {
		err = z.Close()
	}
	if err == nil && b.Len() < len(a.body) {
		a.body, a.compressed = b.Bytes(), true
	}
}
