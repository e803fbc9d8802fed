// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// TestBasicHash has the constants of the official tests of the keyed hash: the
// HMAC key 01 02, the message 01 02 03, and a partition behind it.
func TestBasicHash(t *testing.T) {
	key, err := padded([]byte{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	s := borrowScratch()
	defer s.giveBack()
	for _, c := range []struct {
		message   []byte
		partition byte
		want      string // the last digits
	}{
		{[]byte{1, 2, 3}, 0, "2793938b26e9527e"},
		{[]byte{1, 2, 3}, 1, "1d"},
		{[]byte{1, 2, 3}, 2, "ef"},
		{nil, 0, "80"},
	} {
		h, err := key.hash(s, c.message, c.partition)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendHex(nil, h, MaxLength+1)); !strings.HasSuffix(got, c.want) {
			t.Errorf("hash of %x in partition %d is %s, want …%s", c.message, c.partition, got, c.want)
		}
	}
}

// TestTruncation has the official constants for lengths of 1 to 8 bits, and the
// number of digits of every length.
func TestTruncation(t *testing.T) {
	const h = 0x01020304050607b7
	for i, want := range []string{"1", "3", "7", "7", "17", "37", "37", "b7"} {
		if got := string(appendHex(nil, h, i+1)); got != want {
			t.Errorf("%d bits: %s, want %s", i+1, got, want)
		}
	}
	for length := MinLength; length <= MaxLength; length++ {
		want := fmt.Sprintf("%0*x", (length+3)/4, uint64(0xfedcba9876543210)&(1<<length-1))
		if got := string(appendHex(nil, 0xfedcba9876543210, length)); got != want {
			t.Errorf("%d bits: %s, want %s", length, got, want)
		}
	}
}

// TestHashIsHMAC compares the two ways to hash with crypto/hmac, for values
// around the size of a block.
func TestHashIsHMAC(t *testing.T) {
	key := make([]byte, macKeyLength)
	_, _ = rand.Read(key)
	states, err := padded(key)
	if err != nil {
		t.Fatal(err)
	}
	s := borrowScratch()
	defer s.giveBack()
	for n := range 3 * sha512.BlockSize {
		value := bytes.Repeat([]byte{byte(n)}, n)
		for _, partition := range []byte{0, 1, 253} {
			mac := hmac.New(sha512.New384, key)
			mac.Write(value)
			if partition != 0 {
				mac.Write([]byte{partition})
			}
			want := binary.BigEndian.Uint64(mac.Sum(nil))
			for name, k := range map[string]*macKey{"states": &states, "crypto/hmac": {key: key}} {
				if got, err := k.hash(s, value, partition); err != nil || got != want {
					t.Fatalf("%s, %d bytes, partition %d: %x, %v; want %x", name, n, partition, got, err, want)
				}
			}
		}
	}
}

// TestKeysAreWiped: a key, and the memory of hashing, hold nothing after use.
func TestKeysAreWiped(t *testing.T) {
	k, err := padded(bytes.Repeat([]byte{7}, macKeyLength))
	if err != nil {
		t.Fatal(err)
	}
	k.key = []byte{1}
	inner, outer, key := k.inner, k.outer, k.key
	k.wipe()
	for name, b := range map[string][]byte{"inner": inner, "outer": outer, "key": key} {
		if len(b) == 0 || !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("%s state is not wiped", name)
		}
	}
	s := scratches.New().(*scratch)
	if k, err = padded(bytes.Repeat([]byte{7}, macKeyLength)); err != nil {
		t.Fatal(err)
	}
	s.value = append(s.value, strings.Repeat("secret", 30)...)
	if _, err := k.hash(s, s.value, 3); err != nil {
		t.Fatal(err)
	}
	value := s.value
	s.giveBack()
	if s.sum != [sha512.Size384]byte{} || !bytes.Equal(value, make([]byte, len(value))) || len(s.value) != 0 {
		t.Error("the memory of hashing is not wiped")
	}
	// Printing shows the unexported fields, so also what a digest still holds
	// beyond its count of pending bytes.
	unused := fmt.Sprintf("%+v", scratches.New().(*scratch).inner)
	for name, d := range map[string]digest{"inner": s.inner, "outer": s.outer} {
		if got := fmt.Sprintf("%+v", d); got != unused {
			t.Errorf("the %s digest is %s, not as new", name, got)
		}
	}
}

// TestScratchIsBounded: the memory of the longest value of an item is kept, and
// that of a longer one is not.
func TestScratchIsBounded(t *testing.T) {
	for n, kept := range map[int]bool{400 << 10: true, maxScratch: true, maxScratch + 1: false} {
		s := scratches.New().(*scratch)
		s.value = make([]byte, n)
		s.giveBack()
		if (s.value != nil) != kept {
			t.Errorf("%d bytes are kept: %v", n, s.value != nil)
		}
	}
}

// officialKey is the beacon key of the official tests.
var officialKey = []byte{1, 2, 3, 4, 5}

// TestOfficialConstants has the hashes of the official tests of standard beacons.
func TestOfficialConstants(t *testing.T) {
	for _, c := range []struct {
		name   string
		length int
		value  string
		want   string
	}{
		{"std2", 24, "1.23", "ac6f5d"},
		{"std2", 24, "abc", "51e1da"},
		{"std2", 24, "foo", "4379a7"},
		{"Name", 32, "MyName", "7d9bfa40"},
		{"Name", 32, "", "e0e88994"},
		{"Title", 32, "MyTitle", "e4feb833"},
		{"Title", 32, "", "af34f26f"},
		{"std4", 24, "abc", "0e9064"},
		{"std6", 26, "666", "2d99222"},
		{"NameTitleField", 28, "MyName__mytitle", "4c577d7"},
		{"partOnly", 23, "def", "405a51"},
		{"partOnly", 24, "abc", "928d9b"},
		{"setAttr", 24, "abc", "43c4d8"},
		{"setAttr", 24, "def", "2f3278"},
		{"setAttr", 24, "ghi", "f1972e"},
	} {
		s := mustNew(t, Config{Standard: []Standard{{Name: c.name, Length: c.length}}}, c.name+" encrypted")
		k := mustDerive(t, s, officialKey)
		if got, err := s.standard[c.name].Hash(k, 0, text(c.value)); err != nil || got != c.want {
			t.Errorf("beacon %s of %q: %s, %v; want %s", c.name, c.value, got, err, c.want)
		}
	}
}

// TestPartitionConstants has the values of the official partition tests: beacons
// of 32 bits under the beacon key of the test vectors, in partitions 0, 1 and 2.
func TestPartitionConstants(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("RJiXTa/rJf+CLHAVyE652v3uhKreOuYjV+a7SVOugow=")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, value string
		want        []string
	}{
		{"Attr1", "AAAA", []string{"a9b04aa2", "110115af", "8ac110bc"}},
		{"Attr2", "BBBB", []string{"6805aad6", "7898a595", "17546c11"}},
		{"Attr5", "EEEE", []string{"cf8aa256", "d458bbbe", "e0e3fa2c"}},
	} {
		s := mustNew(t, Config{MaxPartitions: 5, Standard: []Standard{{Name: c.name, Length: 32}}},
			c.name+" encrypted")
		k := mustDerive(t, s, key)
		for partition, want := range c.want {
			if got, err := s.standard[c.name].Hash(k, partition, text(c.value)); err != nil || got != want {
				t.Errorf("beacon %s of %q in partition %d: %s, %v; want %s", c.name, c.value, partition, got, err, want)
			}
		}
	}
}

// BenchmarkHash measures one beacon.
func BenchmarkHash(b *testing.B) {
	s := mustNew(b, Config{Standard: []Standard{{Name: "a", Length: 32}}}, "a encrypted")
	k := mustDerive(b, s, officialKey)
	for _, n := range []int{10, 100, 10_000} {
		v := text(strings.Repeat("x", n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.standard["a"].Hash(k, 0, v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(n, "-HMAC"), func(b *testing.B) {
			mac := hmac.New(sha512.New384, make([]byte, macKeyLength))
			value := []byte(strings.Repeat("x", n))
			var sum [sha512.Size384]byte
			for b.Loop() {
				mac.Reset()
				mac.Write(value)
				mac.Sum(sum[:0])
			}
		})
	}
}
