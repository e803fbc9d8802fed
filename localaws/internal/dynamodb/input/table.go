// SPDX-License-Identifier: Apache-2.0

package input

import (
	"regexp"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Table is the part of a request that names a table. Some requests have nothing
// else.
type Table struct {
	TableName *string

	at schema.Target // set by Prepare
}

// Check implements [wire.Checker].
func (in *Table) Check(c *wire.Checks) { checkTable(c, in.TableName, "tableName") }

// Prepare finds the table that the name means.
func (in *Table) Prepare(c *request.Call) (err error) {
	in.at, err = Locate(c, *in.TableName)
	return err
}

// Target returns the table that the prepared request names.
func (in *Table) Target() schema.Target { return in.at }

// maxTableNames is the longest page of ListTables.
const maxTableNames = 100

// ListTables is a ListTables request.
type ListTables struct {
	ExclusiveStartTableName *string
	Limit                   *int64
}

// Check implements [wire.Checker].
func (in *ListTables) Check(c *wire.Checks) {
	checkResource(c, in.ExclusiveStartTableName, "exclusiveStartTableName")
	c.Between(in.Limit, "limit", 1, maxTableNames)
}

// PageSize returns how many names an answer may hold.
func (in *ListTables) PageSize() int {
	if in.Limit != nil {
		return int(*in.Limit)
	}
	return maxTableNames
}

const (
	maxResource = 255 // characters of the name of a table or index
	namePattern = "[a-zA-Z0-9_.-]+"
	arnPattern  = "arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+"
)

var (
	nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	arnRule  = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]+)$`)
)

// checkResource checks the name of an index, or of a table where an ARN is not
// allowed.
func checkResource(c *wire.Checks, v *string, path string) {
	c.Matches(v, path, nameRule.MatchString, namePattern)
	c.Length(v, path, 3, maxResource)
}

// checkTable checks a required table name or ARN.
func checkTable(c *wire.Checks, v *string, path string) {
	checkTableIn(refusal.LayerOf(c.Operation), c, v, path)
}

// checkTableIn is checkTable in a layer. The words of 2026 name an empty name
// alone and before all other violations.
func checkTableIn(l refusal.Layer, c *wire.Checks, v *string, path string) {
	shortest := 3
	if path == "tableName" {
		shortest = l.ShortestTable()
	}
	switch {
	case !c.Required(v == nil, path):
	case *v == "" && path == "tableName" && l.Is2026():
		c.Alone(refusal.Validation(wire.Detected + wire.Unseen("TableName", wire.MinLength(shortest))))
	case strings.HasPrefix(*v, "arn:"):
		c.Matches(v, path, arnRule.MatchString, arnPattern)
	case *v == "":
		c.Length(v, path, shortest, maxResource)
	default:
		c.Matches(v, path, nameRule.MatchString, namePattern)
		c.Length(v, path, shortest, maxResource)
	}
}

// Locate resolves the name or ARN of a table, which passed the constraints, as c
// sees it. It returns a ResourceNotFoundException for an ARN of another region.
func Locate(c *request.Call, nameOrARN string) (schema.Target, error) {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		p := wire.PlaceOf(c)
		return schema.Target{Place: p, Name: nameOrARN, ARN: schema.TableARN(p, nameOrARN)}, nil
	}
	m := arnRule.FindStringSubmatch(nameOrARN)
	if m == nil {
		return schema.Target{}, refusal.Validation("Invalid table ARN: " + nameOrARN)
	}
	if m[1] != c.Region {
		// A table is only reachable through its own region's endpoint.
		return schema.Target{}, refusal.NoTable()
	}
	return schema.Target{Place: wire.Place{Account: m[2], Region: m[1]}, Name: m[3], ARN: nameOrARN}, nil
}
