package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// target is a table as a request names it.
type target struct {
	wire.Place
	name string
	arn  string
}

func tableARN(p wire.Place, name string) string {
	return "arn:aws:dynamodb:" + p.Region + ":" + p.Account + ":table/" + name
}
