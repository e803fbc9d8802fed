package kms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// maxBody bounds a request in bytes: the largest, a key policy at its limit
// with every character escaped, fits.
const maxBody = 1 << 20

// decode reads a request body. What is not JSON of the right shape is a
// SerializationException; unknown members are ignored, as on AWS.
func decode(body []byte, into any) error {
	if len(body) > maxBody {
		return &call.Error{Code: "SerializationException", Message: "The request is too large.", Status: 413}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return serialization(fmt.Sprintf("Unexpected %s for %s", kind.Value, kind.Field))
	}
	return serialization("The request is not valid JSON.")
}

func serialization(message string) error {
	return &call.Error{Code: "SerializationException", Message: message, Namespace: "com.amazon.coral.service"}
}

// Epoch is a time in AWS's JSON: seconds since 1970 with milliseconds.
type Epoch time.Time

// MarshalJSON writes a number.
func (e Epoch) MarshalJSON() ([]byte, error) {
	ms := time.Time(e).UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(nil, ms/1000, 10), nil
	}
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', 3, 64), nil
}

// validator collects what is wrong with the members of a request and words it
// as AWS does.
type validator struct {
	problems []string // the first few
	count    int
}

// maxProblems bounds what a request with a long list of bad values is told.
const maxProblems = 10

func (v *validator) problem(text string) {
	v.count++
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, text)
	}
}

func (v *validator) add(value, name, constraint string) {
	v.problem("Value " + value + " at '" + name + "' failed to satisfy constraint: " + constraint)
}

// addSecret is add for a value that is not repeated.
func (v *validator) addSecret(name, constraint string) {
	v.problem("Value at '" + name + "' failed to satisfy constraint: " + constraint)
}

// err returns the ValidationException for everything found.
func (v *validator) err() error {
	switch v.count {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", v.problems[0])
	}
	return validation("%d validation errors detected: %s", v.count, strings.Join(v.problems, "; "))
}

// required returns the text of a member that must be there with low to high
// characters.
func (v *validator) required(name string, p *string, low, high int) string {
	if p == nil {
		v.add("null", name, "Member must not be null")
		return ""
	}
	return v.optional(name, p, low, high)
}

// optional is required for a member that may be missing.
func (v *validator) optional(name string, p *string, low, high int) string {
	if p == nil {
		return ""
	}
	switch n := utf8.RuneCountInString(*p); {
	case n < low:
		v.add(quote(*p), name, "Member must have length greater than or equal to "+strconv.Itoa(low))
	case n > high:
		v.add(quote(*p), name, "Member must have length less than or equal to "+strconv.Itoa(high))
	}
	return *p
}

// keyID is the member that names a key.
func (v *validator) keyID(p *string) string { return v.required("keyId", p, 1, 2048) }

// bytes checks the length of a binary member, whose value is not repeated.
func (v *validator) bytes(name string, b []byte, low, high int) {
	switch {
	case b == nil:
		v.add("null", name, "Member must not be null")
	case len(b) < low:
		v.addSecret(name, "Member must have length greater than or equal to "+strconv.Itoa(low))
	case len(b) > high:
		v.addSecret(name, "Member must have length less than or equal to "+strconv.Itoa(high))
	}
}

// integer checks a number that may be missing.
func (v *validator) integer(name string, p *int, low, high, missing int) int {
	switch {
	case p == nil:
		return missing
	case *p < low:
		v.add("'"+strconv.Itoa(*p)+"'", name, "Member must have value greater than or equal to "+strconv.Itoa(low))
	case *p > high:
		v.add("'"+strconv.Itoa(*p)+"'", name, "Member must have value less than or equal to "+strconv.Itoa(high))
	}
	return *p
}

// enum checks a member that may be missing against its values.
func (v *validator) enum(name string, p *string, missing string, values ...string) string {
	if p == nil {
		return missing
	}
	if !slices.Contains(values, *p) {
		v.add(quote(*p), name, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
	}
	return *p
}

// quote limits what of a bad value is repeated.
func quote(s string) string {
	if len(s) > 256 {
		s = strings.ToValidUTF8(s[:256], "") + "…"
	}
	return "'" + s + "'"
}

// maxContext bounds an encryption context: the sum of its characters.
const maxContext = 8192

func (v *validator) encryptionContext(name string, context map[string]string) {
	n := 0
	for key, value := range context {
		n += len(key) + len(value)
	}
	if n > maxContext {
		v.addSecret(name, "Member must have length less than or equal to "+strconv.Itoa(maxContext))
	}
}

func (v *validator) grantTokens(tokens []string) {
	if len(tokens) > 10 {
		v.addSecret("grantTokens", "Member must have length less than or equal to 10")
	}
	for _, t := range tokens {
		v.optional("grantTokens", &t, 1, 8192)
	}
}
