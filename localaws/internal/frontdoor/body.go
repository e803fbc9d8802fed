// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"context"
	"io"
)

// read reads the body, at most limit bytes.
func (d *Door) read(ctx context.Context, r *exchange, limit int64) (err error) {
	if r.source == nil || r.length == 0 {
		return nil
	}
	if r.length > 0 || !r.connected {
		r.Body, err = readBody(r.source, r.length, limit)
		return err
	}
	// Most bodies of unknown length are small.
	small := min(smallBody, limit)
	start, err := io.ReadAll(io.LimitReader(r.source, small+1))
	switch {
	case err != nil:
		return err
	case int64(len(start)) > limit:
		return errTooLarge
	case int64(len(start)) <= small:
		r.Body = start
		return nil
	}
	if err := d.reserve(ctx, r, 2*limit); err != nil { // the buffer grows in steps
		return err
	}
	r.Body, err = readBody(io.MultiReader(bytes.NewReader(start), r.source), -1, limit)
	return err
}

// readBody reads a body of a known length, which must not be above limit, or of
// an unknown one, which is negative.
func readBody(r io.Reader, length, limit int64) ([]byte, error) {
	if length >= 0 {
		b := make([]byte, length)
		_, err := io.ReadFull(r, b)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return b, err
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
