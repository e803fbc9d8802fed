package dynamodb

import (
	"regexp"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	namePattern = "[a-zA-Z0-9_.-]+"
	arnPattern  = "arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+"
)

var (
	nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	arnRule  = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]+)$`)
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
