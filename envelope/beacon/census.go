// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// Limits of a [Census]. Its memory is a few megabytes whatever the table.
const (
	// censusSample is the most distinct values that are counted one by one.
	// Beyond it a sample of half of them, a quarter and so on is.
	censusSample = 1 << 17
	// censusFrequent is the most candidates for the most frequent values.
	censusFrequent = 1 << 10
	// FrequentValues is the maximum length of [Population.Frequent] that a
	// Census returns.
	FrequentValues = 10
)

// Census counts the values that a beacon is or would be computed from, to choose
// its length. It needs no beacon key and keeps no value: a value is a hash under a
// random key of this Census. Its memory is bounded. It is not safe for concurrent
// use.
type Census struct {
	value func(Item) (types.AttributeValue, error)
	set   bool
	key   [sha256.Size]byte
	buf   []byte

	values, absent int64
	// counts has the values whose hash ends with level zero bits. The level rises
	// when there are too many. Each has been counted since it first occurred.
	sample int
	counts map[uint64]int64
	level  uint
	// frequent has candidates for the most frequent values, with lower bounds
	// (Misra and Gries, 1982): a value with more than 1/(censusFrequent+1) of all
	// is among them.
	frequent map[uint64]int64
}

// NewCensus returns a Census of the values at a document path such as a.b[3].c.
// If set is true, it counts the elements of sets, as for a beacon with style
// [AsSet]. Errors: materials.ErrConfiguration.
func NewCensus(location string, set bool) (*Census, error) {
	l, err := parseLocation(location)
	if err != nil {
		return nil, configuration("%w", err)
	}
	return newCensus(func(item Item) (types.AttributeValue, error) { return l.find(item), nil }, set), nil
}

// Census returns a Census of the values of the beacon, which may be values of a
// virtual field.
func (b *StandardBeacon) Census() *Census { return newCensus(b.Value, b.style.set()) }

func newCensus(value func(Item) (types.AttributeValue, error), set bool) *Census {
	c := &Census{value: value, set: set, sample: censusSample, counts: map[uint64]int64{}, frequent: map[uint64]int64{}}
	_, _ = rand.Read(c.key[:]) // never fails: it ends the program instead
	return c
}

// Add counts the value of a plaintext item. It does not count an item whose
// beacon cannot be computed, and returns an error that matches [ErrItem].
func (c *Census) Add(item Item) error {
	v, err := c.value(item)
	if err != nil {
		return err
	}
	if v == nil {
		c.absent++
		return nil
	}
	if !c.set {
		h, err := c.hash(v)
		if err == nil {
			c.count(h)
		}
		return err
	}
	if _, err := c.hash(v); err != nil { // the set as a whole must be one
		return err
	}
	var elements []types.AttributeValue
	switch v := v.(type) {
	case *types.AttributeValueMemberSS:
		for _, e := range v.Value {
			elements = append(elements, &types.AttributeValueMemberS{Value: e})
		}
	case *types.AttributeValueMemberNS:
		for _, e := range v.Value {
			elements = append(elements, &types.AttributeValueMemberN{Value: e})
		}
	case *types.AttributeValueMemberBS:
		for _, e := range v.Value {
			elements = append(elements, &types.AttributeValueMemberB{Value: e})
		}
	default:
		id, _ := format.TypeOf(v) // hash has accepted it
		return itemError("elements of sets are counted, and a value of type %v is not a set", id)
	}
	for _, e := range elements {
		h, err := c.hash(e)
		if err != nil {
			return err
		}
		c.count(h)
	}
	return nil
}

// hash is equal for values that have the same beacon whatever its length.
func (c *Census) hash(v types.AttributeValue) (uint64, error) {
	size, err := format.SizeBound(v)
	if err != nil {
		return 0, itemError("%w", err)
	}
	c.buf = append(slices.Grow(c.buf[:0], len(c.key)+size), c.key[:]...) // it stays in place, and is wiped there
	buf, err := format.AppendValue(c.buf, v)
	defer func() { clear(c.buf[:cap(c.buf)]) }()
	if err != nil {
		return 0, itemError("%w", err)
	}
	sum := sha256.Sum256(buf)
	return binary.BigEndian.Uint64(sum[:]), nil
}

func (c *Census) count(h uint64) {
	c.values++
	if h&(1<<c.level-1) == 0 {
		c.counts[h]++
	}
	for len(c.counts) > c.sample {
		c.level++
		for h := range c.counts {
			if h&(1<<c.level-1) != 0 {
				delete(c.counts, h)
			}
		}
	}
	if _, has := c.frequent[h]; has || len(c.frequent) < censusFrequent {
		c.frequent[h]++
		return
	}
	for h, n := range c.frequent { // paid for by the additions before
		if n == 1 {
			delete(c.frequent, h)
		} else {
			c.frequent[h] = n - 1
		}
	}
}

// Population returns what was counted. It is exact for up to 131,072 distinct
// values.
func (c *Census) Population() Population {
	p := Population{Distinct: int64(len(c.counts)) << c.level, Values: c.values, Absent: c.absent,
		Estimated: c.level > 0}
	counts := c.counts
	if p.Estimated {
		counts = c.frequent
		p.Distinct = min(p.Distinct, p.Values)
	}
	for _, n := range counts {
		p.Frequent = append(p.Frequent, n)
		if len(p.Frequent) > 2*FrequentValues {
			p.Frequent = mostFrequent(p.Frequent)
		}
	}
	p.Frequent = mostFrequent(p.Frequent)
	return p
}

// mostFrequent returns the greatest numbers in descending order.
func mostFrequent(counts []int64) []int64 {
	slices.SortFunc(counts, func(a, b int64) int { return cmp.Compare(b, a) })
	return counts[:min(len(counts), FrequentValues)]
}
