// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"strconv"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// response builds the JSON object that answers an item call.
type response struct {
	b     []byte
	first bool
}

func newResponse(size int) *response {
	return &response{b: append(make([]byte, 0, size), '{'), first: true}
}

// member begins a member; its value is appended to b next.
func (r *response) member(name string) *response {
	if !r.first {
		r.b = append(r.b, ',')
	}
	r.first = false
	r.b = append(r.b, '"')
	r.b = append(r.b, name...)
	r.b = append(r.b, '"', ':')
	return r
}

func (r *response) item(it schema.Item) { r.b = schema.AppendItem(r.b, it) }

func (r *response) integer(n int) { r.b = strconv.AppendInt(r.b, int64(n), 10) }

func (r *response) bytes() []byte { return append(r.b, '}') }

func appendFloat(dst []byte, f float64) []byte {
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// write appends what f appends.
func (r *response) write(f func([]byte) []byte) { r.b = f(r.b) }

func (r *response) capacity(c *capacity, mode input.Consumed) {
	if !mode.Wanted() {
		return
	}
	r.member("ConsumedCapacity")
	r.b = c.append(r.b, mode.Indexes())
}

// capacities writes the ConsumedCapacity of several tables.
func (r *response) capacities(list []*capacity, mode input.Consumed) {
	if !mode.Wanted() {
		return
	}
	r.member("ConsumedCapacity")
	r.b = append(r.b, '[')
	for i, c := range list {
		if i > 0 {
			r.b = append(r.b, ',')
		}
		r.b = c.append(r.b, mode.Indexes())
	}
	r.b = append(r.b, ']')
}
