// SPDX-License-Identifier: Apache-2.0

package failure_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/failure"
	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

var names = failure.Names{Partition: "id", Sort: "at"}

func failed(err error) error {
	return fmt.Errorf("migration of t: %w", &store.ItemError{Table: "t", Key: store.Key{
		Partition: &types.AttributeValueMemberS{Value: "1\u202e"}, Sort: &types.AttributeValueMemberN{Value: "2"}},
		Err: err})
}

func TestOf(t *testing.T) {
	decrypt := &envelope.Error{Operation: "decrypt", Table: "t", Attribute: "name",
		Err: fmt.Errorf("%w: the footer\nis cut", envelope.ErrTampered)}
	item, ok := failure.Of(failed(decrypt), names)
	if !ok || item.Kind != failure.Damaged || item.Attribute != "name" || !errors.Is(item, envelope.ErrTampered) {
		t.Errorf("%t, %+v", ok, item)
	}
	const line = "item {\"at\":{\"N\":\"2\"},\"id\":{\"S\":\"1\u202e\"}} of t: attribute \"name\": damaged: " +
		"item does not verify: the footer is cut"
	if item.Error() != line {
		t.Errorf("%q", item.Error())
	}
	text, err := json.Marshal(item)
	if err != nil || strings.Contains(string(text), `"err"`) || !strings.Contains(string(text), `"kind":"damaged"`) {
		t.Errorf("%s, %v", text, err)
	}
	if _, ok := failure.Of(errors.New("no network"), names); ok {
		t.Error("an error that is about no item describes one")
	}
	missing, ok := failure.OfRead(store.ErrNotFound, "t", store.Key{Partition: "9"}, failure.Names{Partition: "id"})
	if got := missing.Error(); !ok || got != `item {"id":{"S":"9"}} of t: not found: item not found` {
		t.Error(got)
	}
}

// TestKinds: a key that is refused and an item that is damaged are told apart,
// also where both stand in one error.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{envelope.ErrKeyDenied, failure.Denied}, {errors.Join(envelope.ErrMaterials, envelope.ErrKeyDenied), failure.Denied},
		{errors.Join(envelope.ErrMaterials, &kmstypes.InvalidCiphertextException{}), failure.Damaged},
		{&kmstypes.DisabledException{}, failure.Other}, {&smithy.GenericAPIError{Code: "AccessDeniedException"}, failure.Denied},
		{envelope.ErrTampered, failure.Damaged}, {envelope.ErrNotEncrypted, failure.NotEncrypted},
		{envelope.ErrLegacyItem, failure.Unsupported}, {envelope.ErrMaterials, failure.NoKey},
		{store.ErrItemTooLarge, failure.Refused}, {store.ErrConflict, failure.Changing}, {errors.New("x"), failure.Other},
	} {
		if item, _ := failure.Of(failed(c.err), names); item.Kind != c.want {
			t.Errorf("%v is %q, want %q", c.err, item.Kind, c.want)
		}
	}
}
