package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

func text(s string) *string { return &s }

func number(n int64) *int64 { return &n }

// Every rule in AWS's words.
func TestRules(t *testing.T) {
	const one = "1 validation error detected: Value "
	for want, check := range map[string]func(*Checks){
		"": func(c *Checks) {},
		one + "null at 'a' failed to satisfy constraint: Member must not be null":                                func(c *Checks) { c.Required(true, "a") },
		one + "'' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1":       func(c *Checks) { c.Length(text(""), "a", 1, 2) },
		one + "'ää' at 'a' failed to satisfy constraint: Member must have length less than or equal to 3":        func(c *Checks) { c.Length(text("ää"), "a", 1, 3) },
		one + "'äää' at 'a' failed to satisfy constraint: Member must have length less than or equal to 2":       func(c *Checks) { c.Characters(text("äää"), "a", 1, 2) },
		one + "'0' at 'a' failed to satisfy constraint: Member must have value greater than or equal to 1":       func(c *Checks) { c.Between(number(0), "a", 1, -1) },
		one + "'9' at 'a' failed to satisfy constraint: Member must have value less than or equal to 8":          func(c *Checks) { c.Between(number(9), "a", 1, 8) },
		one + "'x' at 'a' failed to satisfy constraint: Member must satisfy enum value set: [B, C]":              func(c *Checks) { c.Enum(text("x"), "a", "B", "C") },
		one + "'x' at 'a' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+":  func(c *Checks) { c.Matches(text("x"), "a", func(string) bool { return false }, "[0-9]+") },
		one + "'[]' at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1":     func(c *Checks) { c.Count(0, "X", "a", 1, 2) },
		one + "'[X, X, X]' at 'a' failed to satisfy constraint: Member must have length less than or equal to 2": func(c *Checks) { c.Count(3, "X", "a", 1, 2) },
		one + "at 'a' failed to satisfy constraint: Member must have length greater than or equal to 1":          func(c *Checks) { c.Bytes([]byte{}, "a", 1, 2) },
		one + "at 'b' failed to satisfy constraint: Member must have length less than or equal to 2":             func(c *Checks) { c.Bytes([]byte("abc"), "b", 1, 2) },
		one + "null at 'b' failed to satisfy constraint: Member must not be null":                                func(c *Checks) { c.Bytes(nil, "b", 1, 2) },
		one + "'5' at 'a' failed to satisfy constraint: Member must have value between 1 and 4":                  func(c *Checks) { c.Violate(Number(5), "a", WithinRange(1, 4)) },
		one + "at 'a' failed to satisfy constraint: Member must have 2 to 4 characters of the pattern [a-z]*":    func(c *Checks) { c.ViolateUnseen("a", LengthMatching(2, 4, "[a-z]*")) },
		"2 validation errors detected: Value null at 'a' failed to satisfy constraint: Member must not be null; Value null at 'b' failed to satisfy constraint: Member must not be null": func(c *Checks) {
			c.Required(true, "a")
			c.Required(true, "b")
		},
	} {
		var c Checks
		check(&c)
		err := c.Err(Validation)
		if want == "" {
			if err != nil {
				t.Errorf("nothing was violated: %v", err)
			}
			continue
		}
		var e *call.Error
		if !errors.As(err, &e) || e.Message != want || e.Code != "ValidationException" {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What satisfies its rule, and what is missing and may be, is not noted.
func TestSatisfied(t *testing.T) {
	var c Checks
	c.Required(false, "a")
	for _, v := range []*string{nil, text("B")} {
		c.Length(v, "a", 1, 1)
		c.Characters(v, "a", 1, 1)
		c.Enum(v, "a", "B")
		c.Matches(v, "a", func(s string) bool { return s == "B" }, "B")
	}
	for _, v := range []*int64{nil, number(1), number(2)} {
		c.Between(v, "a", 1, 2)
	}
	c.Bytes([]byte("a"), "a", 1, 1)
	c.Count(1, "X", "a", 1, 1)
	if err := c.Err(Validation); err != nil {
		t.Error(err)
	}
}

// Ten violations are listed, all are counted, and an answer repeats no more of
// a bad text than Quote says.
func TestManyViolations(t *testing.T) {
	c := Checks{Quote: 4}
	for range 12 {
		c.Length(text("abcä"+strings.Repeat("x", 100)), "a", 0, 5)
	}
	message := c.Err(Validation).(*call.Error).Message
	if !strings.HasPrefix(message, "12 validation errors detected: ") || strings.Count(message, "Value 'abc…' at") != 10 {
		t.Error(message)
	}
}

// A refusal that stands alone is answered instead of the violations.
func TestAlone(t *testing.T) {
	var c Checks
	c.Required(true, "a")
	first := errors.New("first")
	c.Alone(first)
	c.Alone(errors.New("second"))
	if err := c.Err(Validation); err != first {
		t.Error(err)
	}
}

func TestViolated(t *testing.T) {
	if err := Violated("null", "a", NotNull); err.Error() != "ValidationError: 1 validation error detected: Value null at 'a' failed to satisfy constraint: Member must not be null" {
		t.Error(err)
	}
	if err := Violated("", "a", MaxLength(3)); err.Error() != "ValidationError: 1 validation error detected: Value at 'a' failed to satisfy constraint: Member must have length less than or equal to 3" {
		t.Error(err)
	}
}
