// SPDX-License-Identifier: Apache-2.0

package itemkeys_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/itemkeys"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
)

const key = "arn:aws:kms:eu-west-1:111122223333:key/1"

func of(t *testing.T, keyring, more string) itemkeys.Keys {
	t.Helper()
	c, err := itemconfig.Read(strings.NewReader(`{"table": "logical", "partitionKey": "id",
		"attributeActions": {"id": "SIGN_ONLY"}, "keyring": ` + keyring + more + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return itemkeys.Of(c)
}

// TestOf: each type of keyring.
func TestOf(t *testing.T) {
	data := leastprivilege.Key{ARN: key, Kind: leastprivilege.DataKeys}
	store := leastprivilege.KeyStore{LogicalName: "keys", KMSKeyARN: key, BranchKeys: []string{"b"}}
	for keyring, want := range map[string]itemkeys.Keys{
		`{"type": "aws-kms", "keyId": "` + key + `"}`:     {Encryption: leastprivilege.Encryption{Keys: []leastprivilege.Key{data}}},
		`{"type": "aws-kms-mrk", "keyId": "` + key + `"}`: {Encryption: leastprivilege.Encryption{Keys: []leastprivilege.Key{data}}},
		`{"type": "aws-kms-rsa", "keyId": "` + key + `", "encryptionAlgorithm": "RSAES_OAEP_SHA_256", "publicKey": "x"}`: {
			Encryption: leastprivilege.Encryption{Keys: []leastprivilege.Key{{ARN: key, Kind: leastprivilege.RSA,
				PublicKey: true}}}},
		`{"type": "aws-kms-ecdh-discovery", "keyId": "` + key + `"}`: {Encryption: leastprivilege.Encryption{
			Keys: []leastprivilege.Key{{ARN: key, Kind: leastprivilege.Agreement}}}},
		`{"type": "aws-kms-discovery"}`:                      {Unnamed: []string{"aws-kms-discovery"}},
		`{"type": "raw-aes", "namespace": "n", "name": "k"}`: {Encryption: leastprivilege.Encryption{RawKeys: true}},
		`{"type": "hierarchical", "table": "keys", "kmsKeyId": "` + key + `", "branchKeyId": "b"}`: {
			Encryption:  leastprivilege.Encryption{Stores: []leastprivilege.KeyStore{store}},
			StoreTables: []string{"keys"}},
		`{"type": "multi", "generator": {"type": "aws-kms", "keyId": "` + key + `"}, "children": [
			{"type": "raw-aes"}, {"type": "aws-kms-discovery"}, {"type": "aws-kms-discovery"}]}`: {
			Encryption: leastprivilege.Encryption{Keys: []leastprivilege.Key{data}, RawKeys: true},
			Unnamed:    []string{"aws-kms-discovery"}},
	} {
		want.LogicalName = "logical"
		if got := of(t, keyring, ""); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%+v, want\n%+v", keyring, got, want)
		}
	}
}

// TestPlace: the tables of key stores are described, and the error names the table.
func TestPlace(t *testing.T) {
	k := of(t, `{"type": "hierarchical", "table": "keys", "kmsKeyId": "`+key+`"}`, `,
		"search": {"keySource": {"keyId": "b", "table": "beacons", "logicalName": "l", "kmsKeyId": "`+key+`"}}`)
	err := k.Place(func(table string) (leastprivilege.Place, error) { return leastprivilege.Place{ARN: table}, nil })
	if err != nil || k.Stores[0].ARN != "keys" || k.Beacons.ARN != "beacons" || k.Beacons.LogicalName != "l" ||
		k.Beacons.BranchKeys[0] != "b" {
		t.Errorf("%v, %+v, %+v", err, k.Stores, k.Beacons)
	}
	bad := errors.New("bad")
	err = k.Place(func(table string) (p leastprivilege.Place, err error) {
		if table == "beacons" {
			err = bad
		}
		return p, err
	})
	if !errors.Is(err, bad) || !strings.Contains(err.Error(), "key store beacons") {
		t.Error(err)
	}
}
