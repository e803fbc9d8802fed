// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Target is a table as a request names it.
type Target struct {
	wire.Place
	Name string
	ARN  string // as the request has it, if it named the table by ARN
}

// TableARN returns the ARN of the table with a name at p.
func TableARN(p wire.Place, name string) string {
	return "arn:aws:dynamodb:" + p.Region + ":" + p.Account + ":table/" + name
}
