// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/keypolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

func TestReplicas(t *testing.T) {
	w := newWorld(t)
	const there = "us-east-1"
	single := w.key(nil)
	w.fails(root(here), "ReplicateKey", members{"KeyId": single, "ReplicaRegion": there},
		"UnsupportedOperationException", single)
	arn := w.key(members{"MultiRegion": true, "Description": "primary"})
	id := keyIDOf(arn)
	if !strings.HasPrefix(id, "mrk-") || len(id) != 36 {
		t.Fatalf("id %s", id)
	}
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/p", "TargetKeyId": arn})
	blob := w.encrypt(arn)
	out := w.do(root(here), "ReplicateKey",
		members{"KeyId": arn, "ReplicaRegion": there, "Tags": []members{{"TagKey": "a", "TagValue": "b"}}})
	replica := strings.Replace(arn, region, there, 1)
	m := out["ReplicaKeyMetadata"].(members)
	c := m["MultiRegionConfiguration"].(members)
	if m["Arn"] != replica || m["KeyId"] != id || c["MultiRegionKeyType"] != "REPLICA" ||
		c["PrimaryKey"].(members)["Arn"] != arn || c["ReplicaKeys"].([]any)[0].(members)["Arn"] != replica ||
		m["Description"] != "" {
		t.Errorf("replica %v", m)
	}
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there}, "AlreadyExistsException", "")
	w.fails(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "nowhere"}, "ValidationException",
		"replicaRegion")
	w.failsIn(there, root(here), "ReplicateKey", members{"KeyId": id, "ReplicaRegion": "us-west-2"},
		"UnsupportedOperationException", "")
	w.failsIn(there, root(here), "DescribeKey", members{"KeyId": "alias/p"}, "NotFoundException", "")
	// Each opens what the other sealed.
	opened := w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": blob})
	if string(decoded(t, opened["Plaintext"])) != "old" || opened["KeyId"] != replica {
		t.Errorf("the replica answered %v", opened)
	}
	back := w.doIn(there, root(here), "Encrypt", members{"KeyId": id, "Plaintext": []byte("old")})["CiphertextBlob"]
	w.opens(arn, back)
	// Rotation is the primary's, and reaches the replica.
	w.failsIn(there, root(here), "RotateKeyOnDemand", members{"KeyId": id}, "UnsupportedOperationException", "replica")
	w.do(root(here), "RotateKeyOnDemand", members{"KeyId": id})
	w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": w.encrypt(arn)})
	// Roles change.
	w.do(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": there})
	w.restart()
	if got := w.describe(arn)["MultiRegionConfiguration"].(members)["MultiRegionKeyType"]; got != "REPLICA" {
		t.Errorf("the old primary is %v", got)
	}
	w.doIn(there, root(here), "RotateKeyOnDemand", members{"KeyId": id})
	w.fails(root(here), "UpdatePrimaryRegion", members{"KeyId": arn, "PrimaryRegion": there},
		"UnsupportedOperationException", "")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": there},
		"ValidationException", "already")
	w.failsIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": "us-west-2"},
		"NotFoundException", "us-west-2")
	w.doIn(there, root(here), "UpdatePrimaryRegion", members{"KeyId": id, "PrimaryRegion": region})

	// The primary outlives its replica.
	pending := w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 10})
	if pending["KeyState"] != "PendingReplicaDeletion" || pending["DeletionDate"] != nil {
		t.Errorf("ScheduleKeyDeletion answered %v", pending)
	}
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "KMSInvalidStateException",
		"pending replica deletion")
	w.advance(100 * day)
	w.doIn(there, root(here), "Decrypt", members{"CiphertextBlob": blob})
	w.doIn(there, root(here), "ScheduleKeyDeletion", members{"KeyId": id, "PendingWindowInDays": 7})
	w.advance(8 * day)
	if m := w.describe(arn); m["KeyState"] != "PendingDeletion" ||
		m["DeletionDate"] != float64(w.clock().Add(9*day).Unix()) {
		t.Errorf("primary after its replica: %v", m)
	}
	w.advance(9 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if n := w.records(familyBucket); n != 1 {
		t.Errorf("material of %d keys is left", n)
	}
}

// TestReplicaDeletionAtOnce: both deadlines have passed when the service looks.
func TestReplicaDeletionAtOnce(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	for _, r := range []string{"us-east-1", "us-west-2"} {
		w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": r})
		w.doIn(r, root(here), "ScheduleKeyDeletion", members{"KeyId": keyIDOf(arn), "PendingWindowInDays": 7})
	}
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 7})
	w.restart()
	w.advance(14 * day)
	w.fails(root(here), "DescribeKey", members{"KeyId": arn}, "NotFoundException", "")
	if w.records(familyBucket) != 0 || w.records(keyBucket) != 0 || len(w.kms.keys) != 0 {
		t.Errorf("%d keys are left, %d of them in the store with material of %d", len(w.kms.keys),
			w.records(keyBucket), w.records(familyBucket))
	}
}

// TestReplicaIsOfItsOwn: a replica has the description, tags, policy and date of
// its request, and the answer has all of them.
func TestReplicaIsOfItsOwn(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true, "Description": "primary", "Tags": tagsWith("of", "primary")})
	w.advance(day)
	text := policyText(rootStatement(), statement("Allow", root(abroad).ARN, "kms:Decrypt"))
	replicas := []struct {
		there, description, policy string
		tags                       []any
		in                         members
	}{
		{"us-west-2", "replica", text, []any{members{"TagKey": "of", "TagValue": "replica"}},
			members{"Description": "replica", "Policy": text, "Tags": tagsWith("of", "replica")}},
		{"us-east-1", "", keypolicy.Default(here), []any{}, members{}},
	}
	for _, r := range replicas {
		r.in["KeyId"], r.in["ReplicaRegion"] = arn, r.there
		out := w.do(root(here), "ReplicateKey", r.in)
		if m := out["ReplicaKeyMetadata"].(members); m["Description"] != r.description ||
			m["CreationDate"] != float64(w.clock().Unix()) || m["MultiRegion"] != true {
			t.Errorf("metadata %v", m)
		}
		if out["ReplicaPolicy"] != r.policy || !reflect.DeepEqual(out["ReplicaTags"], r.tags) {
			t.Errorf("%s answers the policy %v and the tags %v", r.there, out["ReplicaPolicy"], out["ReplicaTags"])
		}
	}
	for range 2 {
		for _, r := range replicas {
			replica := members{"KeyId": keyIDOf(arn)}
			if got := w.doIn(r.there, root(here), "GetKeyPolicy", replica)["Policy"]; got != r.policy {
				t.Errorf("%s has the policy %v", r.there, got)
			}
			if got := w.doIn(r.there, root(here), "ListResourceTags", replica)["Tags"]; !reflect.DeepEqual(got,
				r.tags) {
				t.Errorf("%s has the tags %v", r.there, got)
			}
		}
		// The Regions are in order, however they came.
		c := w.describe(arn)["MultiRegionConfiguration"].(members)["ReplicaKeys"].([]any)
		if len(c) != 2 || c[0].(members)["Region"] != "us-east-1" || c[1].(members)["Region"] != "us-west-2" {
			t.Errorf("replicas %v", c)
		}
		w.restart()
	}
	alone := w.describe(w.key(members{"MultiRegion": true}))["MultiRegionConfiguration"].(members)
	if list, ok := alone["ReplicaKeys"].([]any); !ok || len(list) != 0 {
		t.Errorf("without replicas: %v", alone)
	}
}

// TestReplicateRefusals: a replica needs an enabled primary, a policy that does
// not lock its creator out, and the permissions of a key that is made.
func TestReplicateRefusals(t *testing.T) {
	const there = "us-east-1"
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	replica := strings.Replace(arn, region, there, 1)
	in := func(more members) members {
		all := members{"KeyId": arn, "ReplicaRegion": there}
		maps.Copy(all, more)
		return all
	}
	user := w.user(here, "user", "kms:ReplicateKey")
	w.fails(user, "ReplicateKey", in(nil), "AccessDeniedException", "kms:CreateKey on resource: *")
	user = w.user(here, "user", "kms:ReplicateKey", "kms:CreateKey")
	w.fails(user, "ReplicateKey", in(members{"Tags": tagsWith("a", "b")}), "AccessDeniedException",
		"kms:TagResource on resource: "+replica)
	w.fails(user, "ReplicateKey", in(members{"Policy": policyText(rootStatement())}),
		"MalformedPolicyDocumentException",
		"The new key policy will not allow you to update the key policy in the future.")
	w.fails(user, "ReplicateKey", in(members{"Policy": "{}"}), "MalformedPolicyDocumentException",
		"Syntax errors in policy.")
	w.fails(user, "ReplicateKey", in(members{"Policy": policyText(statement("Allow", root(here).ARN+"x", "kms:*"))}),
		"MalformedPolicyDocumentException", "invalid principals")
	w.do(root(here), "DisableKey", members{"KeyId": arn})
	w.fails(user, "ReplicateKey", in(nil), "DisabledException", arn+" is disabled.")
	w.do(root(here), "EnableKey", members{"KeyId": arn})
	p := w.kms.partition(wire.Place{Account: here, Region: there})
	k, _ := w.kms.findByARN(arn)
	for i := range maxKeys {
		p.keys[fmt.Sprint(i)] = k
	}
	w.fails(user, "ReplicateKey", in(nil), "LimitExceededException", "10000")
	clear(p.keys)
	w.failsIn(there, root(here), "DescribeKey", members{"KeyId": replica}, "NotFoundException", "")
	// A policy is good under the condition keys of the replica that will be.
	own := statement("Allow", user.ARN, "kms:*")
	own["Condition"] = members{"StringEquals": members{"kms:MultiRegionKeyType": "REPLICA"}}
	w.do(user, "ReplicateKey", in(members{"Policy": policyText(own)}))
	w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-west-1",
		"Policy": policyText(statement("Allow", user.ARN, "kms:*")), "BypassPolicyLockoutSafetyCheck": true})
}

// TestUpdatePrimaryRefusals: both keys must stay, and let the caller.
func TestUpdatePrimaryRefusals(t *testing.T) {
	const there = "us-east-1"
	w := newWorld(t)
	user := w.user(here, "user", "kms:UpdatePrimaryRegion")
	arn := w.key(members{"MultiRegion": true})
	replica := strings.Replace(arn, region, there, 1)
	w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": there, "Policy": policyText(rootStatement(),
		statement("Deny", user.ARN, "kms:UpdatePrimaryRegion"))})
	in := members{"KeyId": arn, "PrimaryRegion": there}
	w.fails(user, "UpdatePrimaryRegion", in, "AccessDeniedException", replica)
	w.doIn(there, root(here), "PutKeyPolicy", members{"KeyId": replica, "Policy": policyText(rootStatement())})
	w.doIn(there, root(here), "ScheduleKeyDeletion", members{"KeyId": replica})
	w.fails(user, "UpdatePrimaryRegion", in, "KMSInvalidStateException", replica+" is pending deletion.")
	w.doIn(there, root(here), "CancelKeyDeletion", members{"KeyId": replica})
	w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn})
	w.fails(user, "UpdatePrimaryRegion", in, "KMSInvalidStateException", arn+" is pending replica deletion.")
	w.do(root(here), "CancelKeyDeletion", members{"KeyId": arn})
	w.do(user, "UpdatePrimaryRegion", in)
}
