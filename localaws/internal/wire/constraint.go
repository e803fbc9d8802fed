// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Rule is a constraint of AWS's models in the words of its answers. The
// functions and constants that return one are the table of them all.
type Rule string

// NotNull is the rule of a member that must be there.
const NotNull Rule = "Member must not be null"

// MinLength is the rule of a text, list or map of at least n.
func MinLength(n int) Rule {
	return Rule("Member must have length greater than or equal to " + strconv.Itoa(n))
}

// MaxLength is the rule of a text, list or map of at most n.
func MaxLength(n int) Rule {
	return Rule("Member must have length less than or equal to " + strconv.Itoa(n))
}

// AtLeast is the rule of a number with a minimum.
func AtLeast(n int64) Rule {
	return Rule("Member must have value greater than or equal to " + strconv.FormatInt(n, 10))
}

// AtMost is the rule of a number with a maximum.
func AtMost(n int64) Rule {
	return Rule("Member must have value less than or equal to " + strconv.FormatInt(n, 10))
}

// All is the rule of which each is one rule: of the keys of a map if what is
// "Map keys", of its values, or of the members of a list.
func All(what string, rules ...Rule) Rule {
	texts := make([]string, len(rules))
	for i, r := range rules {
		texts[i] = string(r)
	}
	return Rule(what + " must satisfy constraint: [" + strings.Join(texts, ", ") + "]")
}

// OneOf is the rule of a text with a few values.
func OneOf(values ...string) Rule {
	return Rule("Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]")
}

// Matching is the rule of a text with a pattern.
func Matching(pattern string) Rule {
	return Rule("Member must satisfy regular expression pattern: " + pattern)
}

// Checks collects violations of the constraints on a request's members, which
// AWS reports all at once and before anything else. The zero Checks has found
// none.
type Checks struct {
	// Quote is how many bytes of a bad text an answer repeats; zero: all.
	Quote int
	// Operation is the operation whose request is checked: AWS's words differ
	// between operations.
	Operation string

	noted *violations // nil until there is one: most requests have none
}

type violations struct {
	found []string // the first few
	count int
	alone error
}

func (c *Checks) violations() *violations {
	if c.noted == nil {
		c.noted = new(violations)
	}
	return c.noted
}

// maxListed is how many violations AWS lists.
const maxListed = 10

func (c *Checks) note(text string) {
	v := c.violations()
	v.count++
	if len(v.found) < maxListed {
		v.found = append(v.found, text)
	}
}

// Violate notes that the member at path has a value against rule. value is as
// answers repeat it: null, or in quotes.
func (c *Checks) Violate(value, path string, rule Rule) {
	c.note("Value " + value + " at '" + path + "' failed to satisfy constraint: " + string(rule))
}

// ViolateUnseen is Violate for a value that no answer may repeat.
func (c *Checks) ViolateUnseen(path string, rule Rule) { c.note(Unseen(path, rule)) }

// ViolateUnnamed is Violate for a member that the answer does not name.
func (c *Checks) ViolateUnnamed(rule Rule) { c.note(Unnamed(rule)) }

// Unseen returns what a refusal says of the member at path that violates rule,
// without its value.
func Unseen(path string, rule Rule) string {
	return "Value at '" + path + "' failed to satisfy constraint: " + string(rule)
}

// Unnamed is [Unseen] without the name of the member.
func Unnamed(rule Rule) string { return "Failed to satisfy constraint: " + string(rule) }

// Detected begins the refusal of one violation.
const Detected = "1 validation error detected: "

// Found reports whether a violation was noted.
func (c *Checks) Found() bool { return c.noted != nil }

// violateText is Violate for a text.
func (c *Checks) violateText(text, path string, rule Rule) {
	if c.Quote > 0 && len(text) > c.Quote {
		text = strings.ToValidUTF8(text[:c.Quote], "") + "…"
	}
	c.Violate("'"+text+"'", path, rule)
}

// Alone notes a refusal that is answered instead of all violations. The first
// one counts.
func (c *Checks) Alone(err error) {
	if v := c.violations(); v.alone == nil {
		v.alone = err
	}
}

// Err returns the refusal of a request that violates constraints, made by
// refuse from AWS's sentence, and nil when nothing was found.
func (c *Checks) Err(refuse func(message string) *request.Error) error {
	v := c.noted
	switch {
	case v == nil:
		return nil
	case v.alone != nil:
		return v.alone
	case v.count == 1:
		return refuse(Detected + v.found[0])
	}
	return refuse(fmt.Sprintf("%d validation errors detected: %s", v.count, strings.Join(v.found, "; ")))
}

// Required checks that a member is there, and returns whether it is.
func (c *Checks) Required(missing bool, path string) bool {
	if missing {
		c.Violate("null", path, NotNull)
	}
	return !missing
}

// Enum checks a text that may be missing against its values.
func (c *Checks) Enum(v *string, path string, values ...string) {
	if v != nil && !slices.Contains(values, *v) {
		c.violateText(*v, path, OneOf(values...))
	}
}

// Between checks a number that may be missing. A negative high means that there is no limit.
func (c *Checks) Between(v *int64, path string, low, high int64) {
	switch {
	case v == nil:
	case *v < low:
		c.Violate(Number(*v), path, AtLeast(low))
	case high >= 0 && *v > high:
		c.Violate(Number(*v), path, AtMost(high))
	}
}

// Length checks the bytes of a text that may be missing.
func (c *Checks) Length(v *string, path string, low, high int) {
	if v != nil {
		c.length(*v, len(*v), path, low, high)
	}
}

// Characters checks the characters of a text that may be missing.
func (c *Checks) Characters(v *string, path string, low, high int) {
	if v != nil {
		c.length(*v, utf8.RuneCountInString(*v), path, low, high)
	}
}

func (c *Checks) length(text string, n int, path string, low, high int) {
	switch {
	case n < low:
		c.violateText(text, path, MinLength(low))
	case n > high:
		c.violateText(text, path, MaxLength(high))
	}
}

// Bytes checks a binary member, whose value no answer repeats.
func (c *Checks) Bytes(v []byte, path string, low, high int) {
	switch {
	case v == nil:
		c.Violate("null", path, NotNull)
	case len(v) < low:
		c.ViolateUnseen(path, MinLength(low))
	case len(v) > high:
		c.ViolateUnseen(path, MaxLength(high))
	}
}

// Count checks the length of a list or map of n members; shown is how an
// answer spells each of them.
func (c *Checks) Count(n int, shown, path string, low, high int) {
	switch {
	case n < low:
		c.Violate("'[]'", path, MinLength(low))
	case n > high:
		c.Violate("'["+strings.Repeat(shown+", ", n-1)+shown+"]'", path, MaxLength(high))
	}
}

// Matches checks a text that may be missing against a pattern, which matches
// reports.
func (c *Checks) Matches(v *string, path string, matches func(string) bool, pattern string) {
	if v != nil && !matches(*v) {
		c.violateText(*v, path, Matching(pattern))
	}
}

// Number is a number as answers repeat it.
func Number(n int64) string { return "'" + strconv.FormatInt(n, 10) + "'" }
