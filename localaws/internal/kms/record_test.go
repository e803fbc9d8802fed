package kms

import (
	"encoding/json"
	"errors"
	"fmt"
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
	w.restart()
	if after := w.dump(); after != before {
		t.Errorf("before the restart\n%s\nafter\n%s", before, after)
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
// than a key being lost in silence.
func TestDamagedStore(t *testing.T) {
	fill := func(t *testing.T) *world {
		w := newWorld(t)
		arn := w.key(nil)
		w.do(root(here), "CreateAlias", members{"AliasName": "alias/a", "TargetKeyId": arn})
		w.grantOn(arn, members{"GranteePrincipal": root(here).ARN, "Operations": []string{"Decrypt"}})
		return w
	}
	for _, b := range []storage.Bucket{keyBucket, familyBucket, aliasBucket, grantBucket} {
		for _, value := range []string{"", "{", "null", `{"versions":[{"material":"AA=="}]}`} {
			w := fill(t)
			var name []byte
			w.store.Range(b, func(key, _ []byte) error { name = key; return nil })
			var tx storage.Tx
			tx.Put(b, name, []byte(value))
			w.store.Submit(&tx).Wait()
			if _, err := New(Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w,
				Principals: w}); err == nil {
				t.Errorf("%q in %s is accepted", value, b.Name)
			}
		}
		w := fill(t)
		var tx storage.Tx
		tx.Put(b, []byte("nonsense"), []byte("{}"))
		w.store.Submit(&tx).Wait()
		if _, err := New(Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w, Principals: w}); err == nil {
			t.Errorf("a record named nonsense in %s is accepted", b.Name)
		}
	}
}

// full is a store that takes nothing.
type full struct{ storage.Memory }

var errFull = errors.New("disk full")

func (full) Submit(*storage.Tx) storage.Pending { return full{} }

func (full) Wait() error { return errFull }

// TestFullDisk: nothing is acknowledged that is not on disk.
func TestFullDisk(t *testing.T) {
	w := newWorld(t)
	w.store = full{}
	w.restart()
	if _, err := w.try(root(here), "CreateKey", nil); !errors.Is(err, errFull) {
		t.Errorf("CreateKey: %v", err)
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
