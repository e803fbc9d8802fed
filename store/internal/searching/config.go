// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// Merge returns the configuration of a table whose type declares the beacons own
// by tags, and whose other beacons are in c. The standard beacons are in order
// of their names, so that the types of one table have one fingerprint. It is nil
// if there are no beacons. The error is the reason.
func Merge(own []beacon.Standard, typeName string, c *beacon.Config) (*beacon.Config, error) {
	if c == nil {
		if len(own) > 0 {
			return nil, fmt.Errorf("beacon %q of %s needs a key: set Keys of ClientSide.Search", own[0].Name, typeName)
		}
		return nil, nil
	}
	out := *c
	out.Standard = nil
	sources := map[string]string{}
	for _, from := range []struct {
		beacons []beacon.Standard
		source  string
	}{{own, "the tags of " + typeName}, {c.Standard, "ClientSide.Search"}} {
		for _, b := range from.beacons {
			i := slices.IndexFunc(out.Standard, func(o beacon.Standard) bool { return o.Name == b.Name })
			if i < 0 {
				out.Standard = append(out.Standard, b)
				sources[b.Name] = from.source
				continue
			}
			if difference := differ(out.Standard[i], b, c); difference != "" {
				return nil, fmt.Errorf("beacon %q has %s in %s and in %s: a beacon is the same in all types of a table",
					b.Name, difference, sources[b.Name], from.source)
			}
		}
	}
	if len(out.Standard) == 0 {
		return nil, errors.New("ClientSide.Search has no standard beacon, and no tag declares one")
	}
	slices.SortFunc(out.Standard, func(a, b beacon.Standard) int { return strings.Compare(a.Name, b.Name) })
	return &out, nil
}

// differ says how two declarations of one beacon differ.
func differ(a, b beacon.Standard, c *beacon.Config) string {
	location := func(s beacon.Standard) string { return cmp.Or(s.Location, s.Name) }
	partitions := func(s beacon.Standard) int {
		return cmp.Or(s.Partitions, cmp.Or(c.DefaultPartitions, max(c.MaxPartitions, 1)))
	}
	switch {
	case a.Length != b.Length:
		return fmt.Sprintf("the lengths %d and %d", a.Length, b.Length)
	case location(a) != location(b):
		return fmt.Sprintf("the locations %q and %q", location(a), location(b))
	case a.Style != b.Style || a.Other != b.Other:
		return fmt.Sprintf("the styles %s and %s", style(a), style(b))
	case partitions(a) != partitions(b):
		return fmt.Sprintf("%d and %d partitions", partitions(a), partitions(b))
	}
	return ""
}

func style(s beacon.Standard) string {
	if s.Other == "" {
		return s.Style.String()
	}
	return fmt.Sprintf("%s(%s)", s.Style, s.Other)
}
