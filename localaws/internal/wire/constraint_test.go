// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func text(s string) *string { return &s }

func number(n int64) *int64 { return &n }

// Every rule in AWS's words.
func TestRules(t *testing.T) {
	const least = "Member must have length greater than or equal to 1"
	const most = "Member must have length less than or equal to "
	never := func(string) bool { return false }
	for _, r := range []struct {
		value, rule string
		check       func(*Checks)
	}{
		{"null", "Member must not be null", func(c *Checks) { c.Required(true, "a") }},
		{"''", least, func(c *Checks) { c.Length(text(""), "a", 1, 2) }},
		{"'ää'", most + "3", func(c *Checks) { c.Length(text("ää"), "a", 1, 3) }},
		{"'äää'", most + "2", func(c *Checks) { c.Characters(text("äää"), "a", 1, 2) }},
		{"'0'", "Member must have value greater than or equal to 1", func(c *Checks) { c.Between(number(0), "a", 1, -1) }},
		{"'9'", "Member must have value less than or equal to 8", func(c *Checks) { c.Between(number(9), "a", 1, 8) }},
		{"'x'", "Member must satisfy enum value set: [B, C]", func(c *Checks) { c.Enum(text("x"), "a", "B", "C") }},
		{"'x'", "Member must satisfy regular expression pattern: [0-9]+", func(c *Checks) {
			c.Matches(text("x"), "a", never, "[0-9]+")
		}},
		{"'[]'", least, func(c *Checks) { c.Count(0, "X", "a", 1, 2) }},
		{"'[X, X, X]'", most + "2", func(c *Checks) { c.Count(3, "X", "a", 1, 2) }},
		{"", least, func(c *Checks) { c.Bytes([]byte{}, "a", 1, 2) }},
		{"", most + "2", func(c *Checks) { c.Bytes([]byte("abc"), "a", 1, 2) }},
		{"null", "Member must not be null", func(c *Checks) { c.Bytes(nil, "a", 1, 2) }},
		{"'{}'", "Map keys must satisfy constraint: [Member must have length less than or equal to 2, " + least + "]",
			func(c *Checks) {
				c.Violate("'{}'", "a", All("Map keys", MaxLength(2), MinLength(1)))
			}},
	} {
		want := "1 validation error detected: Value "
		if r.value != "" {
			want += r.value + " "
		}
		want += "at 'a' failed to satisfy constraint: " + r.rule
		var c Checks
		r.check(&c)
		var e *request.Error
		if err := c.Err(Validation); !errors.As(err, &e) || e.Message != want || e.Code != "ValidationException" {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var unnamed Checks
	if unnamed.Found() {
		t.Error("something was found before it was noted")
	}
	unnamed.ViolateUnnamed(NotNull)
	const alone = Detected + "Failed to satisfy constraint: Member must not be null"
	if err := unnamed.Err(Validation); err.(*request.Error).Message != alone || !unnamed.Found() {
		t.Errorf("a violation of a member without a name: %v", err)
	}
	var two Checks
	two.Required(true, "a")
	two.Required(true, "b")
	const rule = " failed to satisfy constraint: Member must not be null"
	want := "2 validation errors detected: Value null at 'a'" + rule + "; Value null at 'b'" + rule
	if err := two.Err(Validation); err.(*request.Error).Message != want {
		t.Errorf("two violations: %v", err)
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
	message := c.Err(Validation).(*request.Error).Message
	listed := strings.Count(message, "Value 'abc…' at")
	if !strings.HasPrefix(message, "12 validation errors detected: ") || listed != 10 {
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
	const prefix = "ValidationError: 1 validation error detected: Value "
	for value, rest := range map[string]string{"null": "null at 'a'", "": "at 'a'"} {
		want := prefix + rest + " failed to satisfy constraint: Member must have length less than or equal to 3"
		if err := Violated(value, "a", MaxLength(3)); err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
