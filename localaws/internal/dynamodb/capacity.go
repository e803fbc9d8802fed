// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"maps"
	"slices"
	"strconv"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
)

const (
	readUnit  = 4096 // bytes of a strongly consistent read
	writeUnit = 1024
	// scanPartitions is how many partitions a new table has on AWS. A Scan of a
	// whole table reads at least one unit of each.
	scanPartitions = 4
)

// units rounds a size up; even nothing costs one.
func units(bytes, unit int) float64 { return float64(max(1, (bytes+unit-1)/unit)) }

// readUnits is the price of reading bytes.
func readUnits(bytes int, consistent bool) float64 {
	if u := units(bytes, readUnit); consistent {
		return u
	} else {
		return u / 2
	}
}

// capacity adds up what one table's part of a request consumed.
type capacity struct {
	name          string // as the request named the table
	table         float64
	local, global map[string]float64
	// transaction makes the sums appear as read or write units too.
	transaction string
}

func (c *capacity) addIndex(name string, local bool, u float64) {
	m := &c.global
	if local {
		m = &c.local
	}
	if *m == nil {
		*m = map[string]float64{}
	}
	(*m)[name] += u
}

// addWrite counts an applied change, times factor.
func (c *capacity) addWrite(ch *change, factor float64) {
	old, e := ch.old, ch.next
	size := 0
	if old != nil {
		size = old.Size
	}
	if e != nil {
		size = max(size, e.Size)
	}
	c.table += factor * units(size, writeUnit)
	for n, set := range [][]*schema.Index{ch.Def.Local, ch.Def.Global} {
		for _, i := range set {
			if u := writeUnits(i, &ch.Def.Key, old, e); u > 0 {
				c.addIndex(i.Name, n == 0, factor*u)
			}
		}
	}
}

// writeUnits is what a change costs in an index: nothing when its projection
// does not change, two writes when its key does.
func writeUnits(i *schema.Index, primary *schema.Key, old, e *table.Entry) float64 {
	size := func(e *table.Entry) int { return i.Size(primary, e.Item, e.Size) }
	var oldKey, newKey string
	var had, has bool
	if old != nil {
		oldKey, had = i.Key.Indexed(old.Item, old.Key)
	}
	if e != nil {
		newKey, has = i.Key.Indexed(e.Item, e.Key)
	}
	switch {
	case !had && !has:
		return 0
	case !had:
		return units(size(e), writeUnit)
	case !has:
		return units(size(old), writeUnit)
	case oldKey != newKey:
		return units(size(old), writeUnit) + units(size(e), writeUnit)
	case schema.EqualItems(i.Project(primary, old.Item), i.Project(primary, e.Item)):
		return 0
	}
	return units(max(size(old), size(e)), writeUnit)
}

func (c *capacity) total() float64 {
	sum := c.table
	for _, m := range []map[string]float64{c.local, c.global} {
		for _, u := range m {
			sum += u
		}
	}
	return sum
}

// append writes a ConsumedCapacity.
func (c *capacity) append(dst []byte, indexes bool) []byte {
	dst = schema.AppendText(append(dst, `{"TableName":`...), c.name)
	dst = append(dst, ',')
	dst = appendUnits(dst, "CapacityUnits", c.total())
	if c.transaction != "" {
		dst = appendUnits(append(dst, ','), c.transaction, c.total())
	}
	if indexes {
		part := func(u float64) {
			dst = append(dst, '{')
			dst = appendUnits(dst, "CapacityUnits", u)
			if c.transaction != "" {
				dst = appendUnits(append(dst, ','), c.transaction, u)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, `,"Table":`...)
		part(c.table)
		for _, set := range []struct {
			name string
			m    map[string]float64
		}{{"LocalSecondaryIndexes", c.local}, {"GlobalSecondaryIndexes", c.global}} {
			if len(set.m) == 0 {
				continue
			}
			dst = append(dst, `,"`+set.name+`":{`...)
			for n, name := range slices.Sorted(maps.Keys(set.m)) {
				if n > 0 {
					dst = append(dst, ',')
				}
				dst = append(schema.AppendText(dst, name), ':')
				part(set.m[name])
			}
			dst = append(dst, '}')
		}
	}
	return append(dst, '}')
}

func appendUnits(dst []byte, name string, u float64) []byte {
	dst = append(dst, `"`+name+`":`...)
	return strconv.AppendFloat(dst, u, 'f', -1, 64)
}
