// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"strconv"
	"strings"
)

// encoding is how a body is compressed: the value of Content-Encoding, empty
// when it is not.
type encoding string

const (
	gzipped  encoding = "gzip"
	deflated encoding = "deflate" // zlib, RFC 1950
)

// checkEncoding notes how the body is compressed. An encoding that is neither
// of the two is an internal failure on AWS.
func (r *exchange) checkEncoding(e *Endpoint) error {
	switch name := encoding(strings.ToLower(r.get("Content-Encoding"))); name {
	case "", "identity", "amz-1.0":
	case gzipped, deflated:
		r.compressed = name
	default:
		return e.internal("Content-Encoding is neither gzip nor deflate")
	}
	return nil
}

// accepted returns the encoding that a client wants for a large answer. It
// reads Accept-Encoding as DynamoDB does, which differs from RFC 9110: the first
// header counts, identity says nothing, a weight is what follows the first "q="
// and is 1 if it is not a number, and of equal weights the first name wins, with
// the asterisk last.
func accepted(values []string) encoding {
	if len(values) == 0 {
		return ""
	}
	const absent = -1
	weights := [...]struct {
		name   encoding
		weight float64
		place  int
	}{{gzipped, absent, 0}, {deflated, absent, 0}}
	others, place := float64(absent), 0
	for part := range strings.SplitSeq(values[0], ",") {
		place++
		name, parameters, _ := strings.Cut(part, ";")
		name = strings.TrimSpace(name)
		w := weight(parameters)
		if name == "*" {
			others = max(others, w)
		}
		for i := range weights {
			if a := &weights[i]; strings.EqualFold(name, string(a.name)) && w > a.weight {
				a.weight, a.place = w, place
			}
		}
	}
	var best encoding
	most, first := 0.0, 0
	for _, a := range weights {
		if a.weight == absent {
			a.weight, a.place = others, place+1
		}
		if a.weight > most || a.weight == most && a.place < first {
			best, most, first = a.name, a.weight, a.place
		}
	}
	return best
}

// weight returns the weight of a coding between 0 and 1.
func weight(parameters string) float64 {
	_, text, found := strings.Cut(parameters, "q=")
	text, _, _ = strings.Cut(text, ";")
	w, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if !found || err != nil || w != w {
		return 1
	}
	return min(max(w, 0), 1)
}
