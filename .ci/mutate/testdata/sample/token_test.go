package sample

import (
	"errors"
	"os"
	"testing"
)

func TestCheck(t *testing.T) {
	if err := Check(make([]byte, 3)); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
	if err := Check(make([]byte, 4)); err != nil {
		t.Error(err)
	}
}

func TestLoose(t *testing.T) {
	if Loose(1, false) || !Loose(100, false) {
		t.Error("wrong")
	}
}

func TestNonce(t *testing.T) {
	if len(Nonce()) != 8 {
		t.Error("wrong length")
	}
}

func TestLast(t *testing.T) {
	if Last([]int{1, 2, 3}) != 123 {
		t.Error("wrong sum")
	}
}

func TestJoined(t *testing.T) {
	if j := Joined("a", "b"); len(j) != 2 || j[0] != "a" || j[1] != "b" {
		t.Error(j)
	}
}

func TestKind(t *testing.T) {
	if Kind("a") != 1 || Kind("c") != 2 {
		t.Error("wrong kind")
	}
}

// TestUnchanged: the repository's file is not what is compiled, and stays.
func TestUnchanged(t *testing.T) {
	if text, err := os.ReadFile("token.go"); err != nil || len(text) == 0 {
		t.Error(err)
	}
}
