package store

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// FuzzCursor: a cursor comes from outside. It is refused or gives a key that
// makes a cursor again.
func FuzzCursor(f *testing.F) {
	good, err := cursorOf(envelope.Item{"id": &types.AttributeValueMemberS{Value: "x"},
		"n": &types.AttributeValueMemberN{Value: "1"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add("")
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := Cursor(text).key()
		if err != nil {
			if !errors.Is(err, ErrConfiguration) {
				t.Error(err)
			}
			return
		}
		again, err := cursorOf(key)
		if err != nil || (again == "") != (text == "") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
