// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// dump is everything that can be asked about a world, as text.
func (w *world) dump() string {
	w.t.Helper()
	var b strings.Builder
	add := func(region, operation string, in members) members {
		out, err := w.tryIn(region, root(here), operation, in)
		text, _ := json.Marshal(out)
		fmt.Fprintf(&b, "%s %s %v: %s %v\n", region, operation, in, text, err)
		return out
	}
	for _, r := range []string{region, "us-east-1"} {
		add(r, "ListAliases", nil)
		for _, k := range add(r, "ListKeys", nil)["Keys"].([]any) {
			in := members{"KeyId": k.(members)["KeyArn"]}
			for _, operation := range []string{"DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus",
				"ListKeyRotations", "ListGrants", "ListResourceTags"} {
				add(r, operation, in)
			}
		}
	}
	return b.String()
}

func TestRestart(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	arn := w.key(members{"MultiRegion": true, "Description": "d",
		"Tags":   []members{{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c", "TagValue": "d"}},
		"Policy": policyText(rootStatement(), statement("Allow", user.ARN, "kms:Decrypt"))})
	w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1", "Description": "replica"})
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": arn})
	w.doIn("us-east-1", root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": keyIDOf(arn)})
	mac := w.key(members{"KeySpec": "HMAC_512", "KeyUsage": "GENERATE_VERIFY_MAC"})
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 100})
	w.do(root(here), "RotateKeyOnDemand", members{"KeyId": arn})
	w.grantOn(arn, members{"GranteePrincipal": user.ARN, "RetiringPrincipal": root(here).ARN,
		"Operations": []string{"Decrypt", "CreateGrant"}, "Name": "n",
		"Constraints": members{"EncryptionContextSubset": members{"x": "y"}}})
	w.grantOn(arn, members{"GranteeServicePrincipal": dynamo, "RetiringServicePrincipal": dynamo,
		"Operations":  []string{"Decrypt"},
		"Constraints": members{"SourceArn": "arn:aws:dynamodb:" + region + ":" + here + ":table/x"}})
	doomed := w.key(nil)
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": doomed, "PendingWindowInDays": 12})
	w.do(root(here), "DisableKey", members{"KeyId": w.key(nil)})
	if _, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, "alias/aws/dynamodb"); err != nil {
		t.Fatal(err)
	}
	blob := w.encrypt(arn)
	tag := w.do(root(here), "GenerateMac",
		members{"KeyId": mac, "Message": []byte("m"), "MacAlgorithm": "HMAC_SHA_512"})["Mac"]
	before := w.dump()
	k, _ := w.kms.findByARN(arn)
	w.restart()
	if after := w.dump(); after != before {
		t.Errorf("before the restart\n%s\nafter\n%s", before, after)
	}
	if again, _ := w.kms.findByARN(arn); !reflect.DeepEqual(again.conditions, k.conditions) {
		t.Errorf("condition keys %v, before the restart %v", again.conditions, k.conditions)
	}
	w.opens(arn, blob)
	w.do(root(here), "VerifyMac",
		members{"KeyId": mac, "Message": []byte("m"), "Mac": tag, "MacAlgorithm": "HMAC_SHA_512"})
	// The deadlines are remembered as well.
	w.advance(12 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": doomed}, "NotFoundException", "")
	w.advance(88 * day)
	if got := w.rotations(arn); len(got) != 2 {
		t.Errorf("rotations %v", got)
	}
}

// TestDamagedStore: a record that does not make sense stops the start, rather
// than a key being lost in silence. The error names the record.
func TestDamagedStore(t *testing.T) {
	const (
		unreadable = ": unexpected end of JSON input"
		other      = "00000000-0000-4000-8000-000000000000"
		family     = `{"primary":"` + region + `","versions":[{"material":"` +
			`AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`
	)
	key := func(id string) string { return here + "/" + region + "/" + id }
	for name, c := range map[string]struct {
		bucket storage.Bucket
		name   string // empty: the record that is there
		value  string // empty: no record
		want   string
	}{
		"key":                     {keyBucket, "", "{", "kms: load keys: key " + here + "/"},
		"no key":                  {keyBucket, "", "", "kms: load key material: material " + here + "/"},
		"empty key":               {keyBucket, "", "null", "kms: load key " + here + "/"},
		"name of a key":           {keyBucket, "nonsense", "{}", "kms: load keys: key nonsense has a name of another form"},
		"no key of this id":       {keyBucket, key("nonsense"), "{}", "nonsense: the name does not belong to a key"},
		"no such account":         {keyBucket, "1/" + region + "/" + other, "{}", other + ": the name does not belong to a key"},
		"key without material":    {keyBucket, key(other), "{}", "kms: load key " + key(other) + ": there is no key material"},
		"material":                {familyBucket, "", "{", unreadable},
		"no versions":             {familyBucket, "", "{}", ": there is no material"},
		"null material":           {familyBucket, "", "null", ": there is no material"},
		"length of the material":  {familyBucket, "", `{"versions":[{"material":"AA=="}]}`, ": there is material of 1 bytes, not 32"},
		"material of no key":      {familyBucket, here + "/" + other, family, "kms: load key material: material " + here + "/" + other + " has no key"},
		"alias":                   {aliasBucket, "", "{", "kms: load aliases: alias " + key("alias/a") + unreadable},
		"alias of no key":         {aliasBucket, "", "{}", "kms: load aliases: alias " + key("alias/a") + " has no key"},
		"name of an alias":        {aliasBucket, "nonsense", "{}", "kms: load aliases: alias nonsense has a name of another form"},
		"alias of another key":    {aliasBucket, "", `{"target":"` + other + `"}`, key("alias/a") + " has no key"},
		"grant":                   {grantBucket, "", "{", unreadable},
		"null grant":              {grantBucket, "", "null", " has no key"},
		"grant of no key":         {grantBucket, "arn/id", `{"grant":{"ID":"id"}}`, "kms: load grants: grant arn/id has no key"},
		"grant by the key's name": {grantBucket, "KEY", `{"grant":{"ID":"id"}}`, " has no key"},
	} {
		w := newWorld(t)
		arn := w.key(nil)
		w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": arn})
		w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
		record := []byte(strings.Replace(c.name, "KEY", arn, 1))
		if c.name == "" {
			w.store.Range(c.bucket, func(key, _ []byte) error { record = key; return nil })
		}
		var tx storage.Tx
		if c.value == "" {
			tx.Delete(c.bucket, record)
		} else {
			tx.Put(c.bucket, record, []byte(c.value))
		}
		w.store.Submit(&tx).Wait()
		_, err := New(Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w, Principals: w})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestConcurrentUse is for the race detector: use, change and the clock at the
// same time.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	user := w.user(here, "user")
	w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
	blob := decoded(t, w.encrypt(arn))
	var all sync.WaitGroup
	run := func(n int, f func(i int) error) {
		all.Go(func() {
			for i := range n {
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 4 {
		run(50, func(int) error {
			_, err := w.kms.Decrypt(t.Context(), w.newCall(root(here), "x").Via("kms", "Decrypt", ""), arn, blob, nil)
			return err
		})
	}
	run(50, func(int) error {
		_, err := w.try(root(here), "CreateGrant",
			members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": []string{"Encrypt"}})
		return err
	})
	run(50, func(i int) error {
		_, err := w.try(root(here), "TagResource",
			members{"KeyId": arn, "Tags": []members{{"TagKey": fmt.Sprint(i % 7), "TagValue": "x"}}})
		return err
	})
	run(50, func(int) error { w.advance(10 * day); return nil })
	run(20, func(int) error {
		// Keys come and go beside the one in use.
		out, err := w.try(root(here), "CreateKey", nil)
		if err != nil {
			return err
		}
		id := out["KeyMetadata"].(members)["KeyId"]
		if _, err := w.try(root(here), "ScheduleKeyDeletion",
			members{"KeyId": id, "PendingWindowInDays": 7}); err != nil {
			return err
		}
		w.try(root(here), "Encrypt", members{"KeyId": id, "Plaintext": []byte("x")})
		return nil
	})
	all.Wait()
	w.advance(8 * day)
	if n := len(w.do(root(here), "ListKeys", nil)["Keys"].([]any)); n != 1 {
		t.Errorf("%d keys", n)
	}
	if n := len(w.listGrants(arn, members{"Limit": 100})); n != 50 {
		t.Errorf("%d grants", n)
	}
}
