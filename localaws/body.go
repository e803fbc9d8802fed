package localaws

import (
	"bytes"
	"errors"
	"io"

	"github.com/ddbseal/ddbseal/localaws/internal/cloudtrail"
)

// maxUserAgent bounds the user agent in events.
const maxUserAgent = 1024

func bounded(userAgent string) string {
	return userAgent[:min(len(userAgent), maxUserAgent)]
}

var errTooLarge = errors.New("request body too large")

// admit refuses, before the body is read, what must not be read. nil: go on.
func (s *Server) admit(in *incoming, e *endpoint, length int64) *answer {
	if e == nil {
		return nil
	}
	var a answer
	switch encoding := in.get("Content-Encoding"); {
	case encoding != "" && encoding != "identity" && encoding != "amz-1.0":
		// A compressed request could be a thousand times its size, and no AWS
		// service here takes one.
		a = e.failure(cloudtrail.NewID(), e.refusal("SerializationException", "Content-Encoding is not supported"))
	case length > e.maxBody:
		a, _ = e.unreadable(errTooLarge)
	default:
		return nil
	}
	a.close = true // the body stays unread
	return &a
}

// unreadable answers a body that is too large; another error stays.
func (e *endpoint) unreadable(err error) (answer, error) {
	if !errors.Is(err, errTooLarge) {
		return answer{}, err
	}
	return e.failure(cloudtrail.NewID(), e.refusal("RequestEntityTooLargeException", "The request body exceeds the limit of this service")), nil
}

// readBody reads at most limit bytes. Memory grows with what arrives, not with
// what the client announced.
func readBody(r io.Reader, length, limit int64) ([]byte, error) {
	if r == nil || length == 0 {
		return nil, nil
	}
	const trusted = 64 << 10
	if length > 0 && length <= trusted {
		b := make([]byte, length)
		n, err := io.ReadFull(r, b)
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		return b[:n], err
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}
