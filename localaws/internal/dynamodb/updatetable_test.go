// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// keyChanges are the requests that use the key of the table "secret": every
// change of its encryption to another key, and of its time to live.
func keyChanges(other string) map[string]struct {
	operation string
	in        members
} {
	change := func(spec members) members { return members{"TableName": "secret", "SSESpecification": spec} }
	type call = struct {
		operation string
		in        members
	}
	return map[string]call{
		"another key":     {"UpdateTable", change(members{"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": other})},
		"the managed key": {"UpdateTable", change(members{"Enabled": true})},
		"the owned key":   {"UpdateTable", change(members{"Enabled": false})},
		"time to live": {"UpdateTimeToLive", members{"TableName": "secret",
			"TimeToLiveSpecification": members{"Enabled": true, "AttributeName": "until"}}},
	}
}

// TestKeyChangesAskTheCaller: a caller who cannot read the items cannot take the
// key off the table either. A refused change leaves nothing and does not count.
func TestKeyChangesAskTheCaller(t *testing.T) {
	w := newWorld(t)
	old, other := w.keys.newKey("old"), w.keys.newKey("other")
	w.table("secret", "", customKey(old))
	w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("a"), "v": str("kept")}})
	before, grants := fmt.Sprint(w.described("secret")), fmt.Sprint(w.keys.grants)
	w.keys.denied["eve"] = true
	for range 5 { // more than the changes of a day
		for name, c := range keyChanges(other) {
			w.keys.calls = nil
			_, err := w.try("eve", c.operation, c.in)
			checkError(t, name, err, "AccessDeniedException",
				"KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: "+
					"User: arn:aws:iam::111122223333:user/eve is not authorized to perform: kms:Decrypt (Service: "+
					"AWSKMS; Status Code: 400; "+
					"Error Code: AccessDeniedException; Request ID: c0ffee00-0000-4000-8000-000000000001; Proxy: null)")
			if want := "Decrypt arn:aws:iam::111122223333:user/eve via dynamodb.us-east-1.amazonaws.com " +
				old; !slices.Equal(w.keys.calls, []string{want}) {
				t.Errorf("%s: KMS was asked %v, want %s", name, w.keys.calls, want)
			}
		}
	}
	if got := fmt.Sprint(w.described("secret")); got != before || fmt.Sprint(w.keys.grants) != grants {
		t.Errorf("refused changes left %s and %v", got, w.keys.grants)
	}
	// Four changes are allowed in a day, so none of the refused ones counted.
	for _, target := range []string{"another key", "the managed key", "another key", "the managed key"} {
		w.do("UpdateTable", keyChanges(other)[target].in)
	}
	w.fails("UpdateTable", keyChanges(other)["the owned key"].in, "LimitExceededException", "")
}

// TestKeyChangesNeedTheKey: under a disabled key every change is refused in the
// request, whatever the new key is, and needs no grant of DynamoDB's.
func TestKeyChangesNeedTheKey(t *testing.T) {
	w := newWorld(t)
	old, other := w.keys.newKey("old"), w.keys.newKey("other")
	w.table("secret", "", customKey(old))
	w.keys.set(old, "Disabled")
	for name, c := range keyChanges(other) {
		_, err := w.try("admin", c.operation, c.in)
		checkError(t, name, err, "ValidationException",
			"KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: "+old+" is disabled. (…")
	}
	w.keys.set(old, "Enabled")
	w.keys.mu.Lock()
	clear(w.keys.grants)
	w.keys.mu.Unlock()
	w.do("UpdateTable", keyChanges(other)["another key"].in)
}

// TestKeyChangeFromTheOwnedKey: the AWS owned key is DynamoDB's own, so only
// the new key is asked about.
func TestKeyChangeFromTheOwnedKey(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", nil)
	changes := keyChanges(w.keys.newKey("other"))
	w.keys.denied["eve"] = true
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		c := changes[name]
		if name == "the owned key" {
			continue // it has that key
		}
		w.keys.calls = nil
		_, err := w.try("eve", c.operation, c.in)
		if name == "time to live" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else {
			checkError(t, name, err, "AccessDeniedException", "")
		}
		if strings.Contains(fmt.Sprint(w.keys.calls), "Decrypt") {
			t.Errorf("%s: KMS was asked %v", name, w.keys.calls)
		}
	}
}

// TestSpecificationsOfEncryption: an empty one says nothing, SSEType alone
// enables, and of several changes at once the encryption is refused first.
func TestSpecificationsOfEncryption(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", members{"SSESpecification": members{}})
	if d := w.described("secret")["SSEDescription"]; d != nil {
		t.Errorf("an empty specification encrypts under %v", d)
	}
	update := func(more members) members {
		in := members{"TableName": "secret"}
		maps.Copy(in, more)
		return in
	}
	w.do("UpdateTable", update(members{"SSESpecification": members{"SSEType": "KMS"}}))
	managed := func() {
		t.Helper()
		d, _ := w.described("secret")["SSEDescription"].(members)
		if arn := fmt.Sprint(d["KMSMasterKeyArn"]); !strings.HasSuffix(arn, "key/aws-managed") {
			t.Errorf("described as %v", d)
		}
	}
	managed()
	empty := update(members{"SSESpecification": members{}})
	w.fails("UpdateTable", empty, "ValidationException", "At least one of …")
	empty["DeletionProtectionEnabled"] = true
	w.do("UpdateTable", empty)
	managed()
	const alone = badParam + "%s modification must be the only operation in the request"
	both := update(members{"DeletionProtectionEnabled": false, "TableClass": "STANDARD_INFREQUENT_ACCESS"})
	w.fails("UpdateTable", both, "ValidationException", fmt.Sprintf(alone, "TableClass"))
	both["SSESpecification"] = members{"Enabled": false}
	w.fails("UpdateTable", both, "ValidationException", fmt.Sprintf(alone, "Server-Side Encryption"))
	for name, c := range map[string]struct {
		spec members
		text string
	}{
		"type but off":    {members{"Enabled": false, "SSEType": "KMS"}, "SSEType can not be specified if Enabled is false"},
		"key but off":     {members{"Enabled": false, "KMSMasterKeyId": "x"}, "KMSMasterKeyId can not be specified if Enabled is false"},
		"unknown type":    {members{"SSEType": "AES256"}, "SSEType AES256 is not supported"},
		"key and no type": {members{"Enabled": true, "KMSMasterKeyId": "x"}, "SSEType KMS is required if KMSMasterKeyId is specified"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.fails("UpdateTable", update(members{"SSESpecification": c.spec}), "ValidationException", badParam+c.text)
		})
	}
}
