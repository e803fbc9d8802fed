// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// vectorsFolder is the folder of the shared test vectors, "" when there is none.
func vectorsFolder(t *testing.T) string {
	t.Helper()
	dir, named := os.LookupEnv("DDBSEAL_VECTORS")
	if !named {
		dir = filepath.Join("..", "..", "..", "..", "shared", "vectors")
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !named {
		return ""
	} else if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWycheproof(t *testing.T) {
	dir := vectorsFolder(t)
	if dir == "" {
		t.Skip("no shared test vectors beside this repository; TestDifferential and TestEncodings have cases of " +
			"their own")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "wycheproof", "ecdsa_secp384r1_sha384_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			PublicKey struct{ Uncompressed string }
			SHA       string
			Tests     []struct {
				TcID             int
				Comment          string
				Msg, Sig, Result string
			}
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	eachPath(t, func(t *testing.T) {
		ran, accepted := 0, 0
		for _, g := range file.TestGroups {
			u := decodeHex(t, g.PublicKey.Uncompressed)
			if len(u) != 1+2*size || u[0] != 4 || g.SHA != "SHA-384" {
				t.Fatalf("group with hash %q and a key of %d bytes", g.SHA, len(u))
			}
			k, err := ParseCompressed(append([]byte{2 + u[len(u)-1]&1}, u[1:1+size]...))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range g.Tests {
				hash := sha512.Sum384(decodeHex(t, c.Msg))
				want := c.Result == "valid"
				if !want && c.Result != "invalid" {
					t.Fatalf("case %d: result %q", c.TcID, c.Result)
				}
				if got := k.Verify(hash[:], decodeHex(t, c.Sig)); got != want {
					t.Errorf("case %d (%s): %v, want %v", c.TcID, c.Comment, got, want)
				}
				ran++
				if want {
					accepted++
				}
			}
		}
		if ran == 0 || ran != file.NumberOfTests || accepted == 0 || accepted == ran {
			t.Fatalf("%d of %d cases ran, %d to be accepted", ran, file.NumberOfTests, accepted)
		}
	})
}

func decodeHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
