// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// seeds are bodies that reach far into the operations; %s is a key.
var seeds = []string{
	`{}`, `[]`, `null`, `""`, `{`, `{"KeyId":null}`, `{"KeyId":{}}`, `{"KeyId":"KEY"}`,
	`{"KeyId":"alias/a","TargetKeyId":"KEY","AliasName":"alias/b"}`,
	`{"KeyId":"KEY","Plaintext":"eA==","EncryptionContext":{"a":"b","\u0000":""}}`,
	`{"CiphertextBlob":"AQA=","KeyId":"KEY","DestinationKeyId":"KEY","NumberOfBytes":7,"KeySpec":"AES_256"}`,
	`{"KeyId":"KEY","Policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"kms:*\",\"Resource\":\"*\"}]}","BypassPolicyLockoutSafetyCheck":true}`,
	`{"KeyId":"KEY","Operations":["Decrypt"],"GranteePrincipal":"arn:aws:iam::111122223333:root","Constraints":{"EncryptionContextSubset":{"a":"b"}},"Name":"x"}`,
	`{"KeyId":"KEY","GrantId":"x","GrantToken":"eHx4fHg=","GrantTokens":["eHx4fHg="],"Marker":"YQ","Limit":1}`,
	`{"KeyId":"KEY","Tags":[{"TagKey":"a","TagValue":"b"},null],"TagKeys":["a"],"PendingWindowInDays":7,"RotationPeriodInDays":90,"Description":"x"}`,
	`{"KeyId":"KEY","Message":"eA==","Mac":"eA==","MacAlgorithm":"HMAC_SHA_256","RetiringPrincipal":"arn:::::"}`,
	`{"MultiRegion":true,"ReplicaRegion":"us-east-1","PrimaryRegion":"us-east-1","KeyId":"KEY"}`,
	`{"KeySpec":"HMAC_256","KeyUsage":"GENERATE_VERIFY_MAC","Limit":1e99,"NumberOfBytes":-1}`,
}

// FuzzOperations sends any body to every operation. An answer must be JSON,
// and a refusal one of AWS's; the key that was there must go on working.
func FuzzOperations(f *testing.F) {
	names := operations.Names()
	for _, body := range seeds {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		arn := w.key(members{"MultiRegion": true})
		w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": arn})
		blob := w.encrypt(arn)
		body = replaceKey(body, arn)
		for _, name := range names {
			c := w.newCall(root(here), name)
			c.Body = slices.Clone(body)
			out, err := w.kms.Serve(t.Context(), c)
			if err != nil {
				if _, ok := err.(*request.Error); !ok {
					t.Fatalf("%s: %T %v", name, err, err)
				}
				continue
			}
			if len(out) > 0 && !json.Valid(out) {
				t.Fatalf("%s answered %q", name, out)
			}
			if _, err := json.Marshal(c.Trail); err != nil {
				t.Fatalf("%s: trail: %v", name, err)
			}
		}
		w.restart() // whatever was filed can be read
		if state, ok := w.kms.KeyState(arn); !ok {
			t.Fatal("the key is gone")
		} else if state == Enabled {
			k, _ := w.kms.findByARN(arn)
			b := decoded(t, blob)
			h, _ := ciphertext.Parse(b)
			if p, _, err := k.open(b, h, nil); err != nil || string(p) != "old" {
				t.Fatalf("the key opens no more: %v", err)
			}
		}
	})
}

func replaceKey(body []byte, arn string) []byte {
	const name = `"KEY"`
	for i := 0; i+len(name) <= len(body); i++ {
		if string(body[i:i+len(name)]) == name {
			return slices.Concat(body[:i], []byte(`"`+arn+`"`), replaceKey(body[i+len(name):], arn))
		}
	}
	return body
}

// FuzzCiphertext sends any ciphertext to Decrypt.
func FuzzCiphertext(f *testing.F) {
	w := newWorld(f)
	arn := w.key(nil)
	blob := decoded(f, w.encrypt(arn))
	f.Add(blob)
	f.Add(blob[:ciphertext.Overhead])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		c := w.newCall(root(here), "Decrypt")
		c.Body, _ = json.Marshal(members{"CiphertextBlob": ciphertext})
		if _, err := w.kms.Serve(t.Context(), c); err == nil && string(ciphertext) != string(blob) {
			t.Fatalf("%x was decrypted", ciphertext)
		}
	})
}
