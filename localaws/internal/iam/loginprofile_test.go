// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"bytes"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestSaltsAreFresh(t *testing.T) {
	var salts [][]byte
	for range fresh.Draws {
		salts = append(salts, newSalt())
	}
	fresh.Bytes(t, "salt", salts)
	s := &Service{}
	a, b := s.hashPassword("equal"), s.hashPassword("equal")
	if bytes.Equal(a.Salt, b.Salt) || bytes.Equal(a.Sum, b.Sum) || len(a.Salt) != hashSalt {
		t.Error("equal passwords have equal hashes")
	}
}
