package dynamodb

import (
	"fmt"
	"regexp"
	"strings"
)

// constraints collects violations of the model's constraints on members, which
// AWS reports all at once and before anything else.
type constraints struct {
	found []string
	// name is the refusal of TableName, which AWS reports alone and before all
	// others.
	name error
}

func (c *constraints) add(value, path, rule string) {
	c.found = append(c.found, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, path, rule))
}

func (c *constraints) err() error {
	if c.name != nil {
		return c.name
	}
	switch n := len(c.found); n {
	case 0:
		return nil
	case 1:
		return errValidation("1 validation error detected: " + c.found[0])
	default:
		// AWS stops listing at ten.
		return errValidation(fmt.Sprintf("%d validation errors detected: %s", n, strings.Join(c.found[:min(n, 10)], "; ")))
	}
}

func (c *constraints) required(null bool, path string) bool {
	if null {
		c.add("null", path, "Member must not be null")
	}
	return !null
}

// enum checks an optional member.
func (c *constraints) enum(v *string, path string, allowed ...string) {
	if v == nil {
		return
	}
	for _, a := range allowed {
		if *v == a {
			return
		}
	}
	c.add("'"+*v+"'", path, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

// between checks an optional number; a negative high is no limit.
func (c *constraints) between(v *int64, path string, low, high int64) {
	switch {
	case v == nil:
	case *v < low:
		c.add(fmt.Sprintf("'%d'", *v), path, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case high >= 0 && *v > high:
		c.add(fmt.Sprintf("'%d'", *v), path, fmt.Sprintf("Member must have value less than or equal to %d", high))
	}
}

// length checks an optional text.
func (c *constraints) length(v *string, path string, low, high int) {
	switch {
	case v == nil:
	case len(*v) < low:
		c.add("'"+*v+"'", path, fmt.Sprintf("Member must have length greater than or equal to %d", low))
	case len(*v) > high:
		c.add("'"+*v+"'", path, fmt.Sprintf("Member must have length less than or equal to %d", high))
	}
}

var (
	nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	arnRule  = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]+)$`)
)

// resourceName checks the name of an index, or of a table where that is no target.
func (c *constraints) resourceName(v *string, path string) {
	if v == nil {
		return
	}
	if !nameRule.MatchString(*v) {
		c.add("'"+*v+"'", path, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	c.length(v, path, 3, 255)
}

// table checks a required table name or ARN.
func (c *constraints) table(v *string, path string) {
	if path == "tableName" && c.name == nil {
		switch {
		case v == nil:
			c.name = errValidation("The parameter 'TableName' is required but was not present in the request")
		case strings.HasPrefix(*v, "arn:"):
		case len(*v) < 3 || len(*v) > 255:
			c.name = errValidation("TableName must be at least 3 characters long and at most 255 characters long")
		}
		if c.name != nil {
			return
		}
	}
	if !c.required(v == nil, path) {
		return
	}
	if strings.HasPrefix(*v, "arn:") {
		if !arnRule.MatchString(*v) {
			c.add("'"+*v+"'", path, "Member must satisfy regular expression pattern: "+arnPattern)
		}
		return
	}
	c.resourceName(v, path)
}

const arnPattern = "arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+"
