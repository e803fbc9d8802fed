package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestColours(t *testing.T) {
	if styleFor(&bytes.Buffer{}).on {
		t.Error("colours without a terminal")
	}
	if got := (style{true}).good("x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := (style{}).good("x"); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestConfirm(t *testing.T) {
	var narration bytes.Buffer
	s := streams{strings.NewReader("lab\n"), nil, &narration}
	if err := confirm(s, true, "Sure?", "lab"); err != nil {
		t.Error(err)
	}
	var usage usageError
	if err := confirm(s, false, "Sure?", "lab"); !errors.As(err, &usage) {
		t.Error("no terminal:", err)
	}
}
