package materials

import (
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
