// SPDX-License-Identifier: Apache-2.0

// Package searching lets the queries and scans of a table use the values of
// encrypted attributes: it reads the beacons that tags declare, rewrites
// requests, and reads results page by page until enough items match.
package searching

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// Standard returns the standard beacon that a beacon tag declares for an
// attribute: "length=32", and perhaps "set", "part", "shared=NAME" and
// "partitions=N", separated by commas. The beacon has the name of the attribute.
// The error is the reason.
func Standard(attribute, tag string) (beacon.Standard, error) {
	out := beacon.Standard{Name: attribute}
	if strings.ContainsAny(attribute, ".[") {
		return out, fmt.Errorf("the attribute's name %q would be read as a document path: configure a virtual field "+
			"or rename the attribute", attribute)
	}
	given := map[string]bool{}
	for option := range strings.SplitSeq(tag, ",") {
		if tag == "" {
			break
		}
		key, value, valued := strings.Cut(strings.TrimSpace(option), "=")
		if given[key] {
			return out, fmt.Errorf("option %q is there twice", key)
		}
		given[key] = true
		switch {
		case valued && key == "length":
			n, err := strconv.Atoi(value)
			if err != nil || n < beacon.MinLength || n > beacon.MaxLength {
				return out, fmt.Errorf("the length is %q, not a number of bits from %d to %d", value,
					beacon.MinLength, beacon.MaxLength)
			}
			out.Length = n
		case valued && key == "partitions":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > beacon.MaxPartitions {
				return out, fmt.Errorf("the number of partitions is %q, not 1 to %d", value, beacon.MaxPartitions)
			}
			out.Partitions = n
		case valued && key == "shared" && value != "":
			out.Other = value
		case !valued && (key == "set" || key == "part"):
		default:
			return out, fmt.Errorf("unknown option %q: length=BITS, and perhaps set, part, shared=BEACON and "+
				"partitions=N, separated by commas", option)
		}
	}
	switch {
	case out.Length == 0:
		return out, fmt.Errorf(`it lacks the length in bits, %d to %d, such as beacon:"length=16"`, beacon.MinLength,
			beacon.MaxLength)
	case given["part"] && (given["set"] || given["shared"]):
		return out, errors.New("option part excludes set and shared")
	case given["part"]:
		out.Style = beacon.PartOnly
	case given["set"] && given["shared"]:
		out.Style = beacon.SharedSet
	case given["set"]:
		out.Style = beacon.AsSet
	case given["shared"]:
		out.Style = beacon.Shared
	}
	return out, nil
}
