// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestSerializedContext(t *testing.T) {
	got, err := EncryptionContext{"b": "2", "a": "", "é": "3"}.AppendSerialized(nil)
	want := "\x00\x03\x00\x01a\x00\x00\x00\x01b\x00\x012\x00\x02\xc3\xa9\x00\x013"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = EncryptionContext(nil).AppendSerialized([]byte("x")); err != nil || string(got) != "x\x00\x00" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Keys and values fill their length fields, and no more; a context that no
// reader accepts is refused.
func TestSerializedContextAtItsLimits(t *testing.T) {
	const most = math.MaxUint16
	long := strings.Repeat("x", most+1)
	for name, c := range map[string]struct {
		context EncryptionContext
		takes   bool
	}{
		"key": {EncryptionContext{long[:most]: ""}, true}, "key, more": {EncryptionContext{long: ""}, false},
		"value": {EncryptionContext{"k": long[:most]}, true}, "value, more": {EncryptionContext{"k": long}, false},
		"empty key": {EncryptionContext{"": "v"}, false}, "key not UTF-8": {EncryptionContext{"\xff": "v"}, false},
		"value not UTF-8": {EncryptionContext{"k": "\xff"}, false}, "empty value": {EncryptionContext{"k": ""}, true},
	} {
		b, err := c.context.AppendSerialized([]byte("before"))
		if (err == nil) != c.takes || err != nil && (!errors.Is(err, ErrConfiguration) || b != nil) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	pairs := make(EncryptionContext, most+1)
	for i := range most {
		pairs[strconv.Itoa(i)] = ""
	}
	if b, err := pairs.AppendSerialized(nil); err != nil || b[0] != 0xFF || b[1] != 0xFF {
		t.Errorf("%d pairs: %v", most, err)
	}
	pairs["one more"] = ""
	if _, err := pairs.AppendSerialized(nil); !errors.Is(err, ErrConfiguration) {
		t.Errorf("%d pairs: %v", most+1, err)
	}
}
