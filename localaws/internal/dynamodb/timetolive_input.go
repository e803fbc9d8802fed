package dynamodb

import "github.com/ddbseal/ddbseal/localaws/internal/wire"

type timeToLiveInput struct {
	tableInput
	TimeToLiveSpecification *struct {
		Enabled       *bool
		AttributeName *string
	}
}

func (in *timeToLiveInput) Check(c *wire.Checks) {
	in.tableInput.Check(c)
	if t := in.TimeToLiveSpecification; c.Required(t == nil, "timeToLiveSpecification") {
		c.Required(t.Enabled == nil, "timeToLiveSpecification.enabled")
		if c.Required(t.AttributeName == nil, "timeToLiveSpecification.attributeName") {
			c.Length(t.AttributeName, "timeToLiveSpecification.attributeName", 1, 255)
		}
	}
}
