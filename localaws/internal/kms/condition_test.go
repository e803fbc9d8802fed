// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/ciphertext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// TestKeyConditions: the condition keys of a key are those of its kind, and no
// key is there without a value.
func TestKeyConditions(t *testing.T) {
	w := newWorld(t)
	single, tagged := w.key(nil), w.key(members{"Tags": []members{{"TagKey": "Stage", "TagValue": "Test"}}})
	multi, mac := w.key(members{"MultiRegion": true}), w.key(hmacKey("HMAC_256"))
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/app", "TargetKeyId": tagged})
	w.do(root(here), "ReplicateKey", members{"KeyId": multi, "ReplicaRegion": "us-east-1"})
	replica := strings.Replace(multi, region, "us-east-1", 1)
	common := policy.Context{"kms:keyorigin": {"AWS_KMS"}, "kms:keyspec": {"SYMMETRIC_DEFAULT"},
		"kms:keyusage": {"ENCRYPT_DECRYPT"}, "kms:multiregion": {"false"}}
	with := func(more policy.Context) policy.Context {
		c := policy.Context{}
		for _, all := range []policy.Context{common, more} {
			for k, v := range all {
				c[k] = v
			}
		}
		return c
	}
	for arn, want := range map[string]policy.Context{
		single:  common,
		tagged:  with(policy.Context{"kms:resourcealiases": {"alias/app"}, "aws:resourcetag/stage": {"Test"}}),
		multi:   with(policy.Context{"kms:multiregion": {"true"}, "kms:multiregionkeytype": {"PRIMARY"}}),
		replica: with(policy.Context{"kms:multiregion": {"true"}, "kms:multiregionkeytype": {"REPLICA"}}),
		mac:     with(policy.Context{"kms:keyspec": {"HMAC_256"}, "kms:keyusage": {"GENERATE_VERIFY_MAC"}}),
	} {
		k, ok := w.kms.findByARN(arn)
		if !ok {
			t.Fatal(arn)
		}
		if got := k.conditions.with(nil, ""); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", arn, got, want)
		}
		got := k.conditions.with(policy.Context{"kms:x": {"y"}}, "alias/app")
		if len(got) != len(want)+2 || !slices.Equal(got["kms:requestalias"], []string{"alias/app"}) ||
			!slices.Equal(got["kms:x"], []string{"y"}) {
			t.Errorf("%s: %v", arn, got)
		}
	}
}

// TestRequestConditions: the condition keys of a request are those of the key and
// those that its members say, in the Region where it takes effect.
func TestRequestConditions(t *testing.T) {
	const there = "us-east-1"
	w := newWorld(t)
	single := w.key(nil)
	multi := w.key(members{"MultiRegion": true})
	replica := strings.Replace(multi, region, there, 1)
	type question struct {
		action, resource, region string
		context                  policy.Context
	}
	var asked []question
	w.asked = func(c *request.Call, k request.Check) {
		asked = append(asked, question{k.Action, k.Resource, c.Region, maps.Clone(k.Context)})
	}
	with := func(all ...policy.Context) policy.Context {
		c := policy.Context{"kms:keyorigin": {"AWS_KMS"}, "kms:keyspec": {"SYMMETRIC_DEFAULT"},
			"kms:keyusage": {"ENCRYPT_DECRYPT"}, "kms:multiregion": {"false"}}
		for _, more := range all {
			maps.Copy(c, more)
		}
		return c
	}
	// The former names of these keys are there for the keys that are made.
	made := policy.Context{"kms:customermasterkeyspec": {"SYMMETRIC_DEFAULT"},
		"kms:customermasterkeyusage": {"ENCRYPT_DECRYPT"}, "kms:bypasspolicylockoutsafetycheck": {"false"}}
	primary := policy.Context{"kms:multiregion": {"true"}, "kms:multiregionkeytype": {"PRIMARY"}}
	second := policy.Context{"kms:multiregion": {"true"}, "kms:multiregionkeytype": {"REPLICA"}}
	tagged := policy.Context{"aws:requesttag/team": {"blue"}, "aws:tagkeys": {"Team"}}
	replicated := policy.Context{"kms:replicaregion": {there}, "kms:primaryregion": {region},
		"kms:bypasspolicylockoutsafetycheck": {"false"}}
	updated := policy.Context{"kms:primaryregion": {there}}
	for _, c := range []struct {
		operation string
		in        members
		want      []question
	}{
		{"CreateKey", nil, []question{{"kms:CreateKey", "*", region, with(made)}}},
		{"CreateKey", members{"MultiRegion": true, "Tags": tagsWith("Team", "blue")}, []question{
			{"kms:CreateKey", "*", region, with(made, primary, tagged)},
			{"kms:TagResource", "arn:aws:kms:" + region + ":" + here + ":key/", region, with(made, primary, tagged)}}},
		{"CreateKey", members{"Policy": policyText(rootStatement())}, []question{
			{"kms:CreateKey", "*", region, with(made)},
			{"kms:PutKeyPolicy", "arn:aws:kms:" + region + ":" + here + ":key/", region,
				with(policy.Context{"kms:bypasspolicylockoutsafetycheck": {"false"}})}}},
		{"UntagResource", members{"KeyId": single, "TagKeys": []string{"a", "b"}}, []question{
			{"kms:UntagResource", single, region, with(policy.Context{"aws:tagkeys": {"a", "b"}})}}},
		{"UntagResource", members{"KeyId": single, "TagKeys": []string{}}, []question{
			{"kms:UntagResource", single, region, with()}}},
		{"EnableKeyRotation", members{"KeyId": single}, []question{
			{"kms:EnableKeyRotation", single, region, with(policy.Context{"kms:rotationperiodindays": {"365"}})}}},
		{"ReplicateKey", members{"KeyId": multi, "ReplicaRegion": there, "Tags": tagsWith("Team", "blue"),
			"Policy": policyText(rootStatement())}, []question{
			{"kms:ReplicateKey", multi, region, with(primary, policy.Context{"kms:replicaregion": {there}})},
			{"kms:CreateKey", "*", there, with(second, replicated, tagged)},
			{"kms:TagResource", replica, there, with(second, replicated, tagged)},
			{"kms:PutKeyPolicy", replica, there, with(second, policy.Context{"aws:resourcetag/team": {"blue"},
				"kms:bypasspolicylockoutsafetycheck": {"false"}})}}},
		{"UpdatePrimaryRegion", members{"KeyId": multi, "PrimaryRegion": there}, []question{
			{"kms:UpdatePrimaryRegion", multi, region, with(primary, updated)},
			{"kms:UpdatePrimaryRegion", replica, there, with(second, updated,
				policy.Context{"aws:resourcetag/team": {"blue"}})}}},
		// The roles have changed at once.
		{"ListGrants", members{"KeyId": multi}, []question{
			{"kms:ListGrants", multi, region, with(second, policy.Context{"kms:grantisforawsresource": {"false"}})}}},
	} {
		asked = nil
		w.do(root(here), c.operation, c.in)
		if len(asked) != len(c.want) {
			t.Fatalf("%s %v: asked %v", c.operation, c.in, asked)
		}
		for i, want := range c.want {
			got := asked[i]
			if got.action != want.action || !strings.HasPrefix(got.resource, want.resource) ||
				got.region != want.region {
				t.Errorf("%s %v: asked about %s on %s in %s, want %s on %s in %s", c.operation, c.in, got.action,
					got.resource, got.region, want.action, want.resource, want.region)
			}
			if !reflect.DeepEqual(got.context, want.context) {
				t.Errorf("%s %v: %s under %v, want %v", c.operation, c.in, got.action, got.context, want.context)
			}
		}
	}
	asked = nil
	w.doIn(there, root(here), "ListGrants", members{"KeyId": replica})
	if got := asked[0].context["kms:multiregionkeytype"]; !slices.Equal(got, []string{"PRIMARY"}) {
		t.Errorf("the new primary is a %v", got)
	}
}

// TestReEncryptConditions: whether source and destination are one key.
func TestReEncryptConditions(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	for _, same := range []string{"true", "false"} {
		allow := statement("Allow", user.ARN, "kms:ReEncrypt*")
		allow["Condition"] = members{"Bool": members{"kms:ReEncryptOnSameKey": same}}
		text := policyText(rootStatement(), allow)
		one, two := w.key(members{"Policy": text}), w.key(members{"Policy": text})
		blob := w.do(root(here), "Encrypt", members{"KeyId": one, "Plaintext": []byte("x")})["CiphertextBlob"]
		for destination, allowed := range map[string]bool{one: same == "true", two: same == "false"} {
			_, err := w.try(user, "ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": destination})
			if allowed && err != nil {
				t.Errorf("same key %s: %v", same, err)
			} else if !allowed {
				checkError(t, err, "AccessDeniedException", "kms:ReEncryptFrom")
			}
		}
	}
}

// TestReEncryptRefusals: both keys must be able to, and the ciphertext must open.
func TestReEncryptRefusals(t *testing.T) {
	w := newWorld(t)
	from, to, mac := w.key(nil), w.key(nil), w.key(hmacKey("HMAC_256"))
	blob := decoded(t, w.do(root(here), "Encrypt", members{"KeyId": from, "Plaintext": []byte("x")})["CiphertextBlob"])
	changed := bytes.Clone(blob)
	changed[len(changed)-1]++
	for name, c := range map[string]struct {
		in   members
		code string
	}{
		"changed ciphertext": {members{"CiphertextBlob": changed, "DestinationKeyId": to}, "InvalidCiphertextException"},
		"no ciphertext":      {members{"CiphertextBlob": []byte("x"), "DestinationKeyId": to}, "InvalidCiphertextException"},
		"another source":     {members{"CiphertextBlob": blob, "SourceKeyId": to, "DestinationKeyId": to}, "IncorrectKeyException"},
		"another context":    {members{"CiphertextBlob": blob, "SourceEncryptionContext": members{"a": "1"}, "DestinationKeyId": to}, "InvalidCiphertextException"},
		"no destination":     {members{"CiphertextBlob": blob, "DestinationKeyId": "alias/none"}, "NotFoundException"},
		"no source":          {members{"CiphertextBlob": blob, "SourceKeyId": "alias/none", "DestinationKeyId": to}, "NotFoundException"},
		"MAC destination":    {members{"CiphertextBlob": blob, "DestinationKeyId": mac}, "InvalidKeyUsageException"},
		"MAC source":         {members{"CiphertextBlob": blob, "SourceKeyId": mac, "DestinationKeyId": to}, "IncorrectKeyException"},
		"broken source name": {members{"CiphertextBlob": []byte("x"), "SourceKeyId": "alias/none", "DestinationKeyId": to}, "NotFoundException"},
	} {
		_, err := w.try(root(here), "ReEncrypt", c.in)
		checkError(t, err, c.code, "")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	w.do(root(here), "DisableKey", members{"KeyId": to})
	w.fails(root(here), "ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": to}, "DisabledException", to)
	w.do(root(here), "DisableKey", members{"KeyId": from})
	w.fails(root(here), "ReEncrypt", members{"CiphertextBlob": blob, "DestinationKeyId": from}, "DisabledException",
		from)
}

// TestConsumersSeeErrors: a service of this server gets the same refusals as the
// wire, and files each.
func TestConsumersSeeErrors(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	call := func(p policy.Principal, operation string) *request.Call {
		return w.newCall(p, "x").Via("kms", operation, dynamo)
	}
	stranger := w.user(here, "stranger")
	_, err := w.kms.Encrypt(t.Context(), call(stranger, "Encrypt"), arn, []byte("x"), nil)
	checkError(t, err, "AccessDeniedException", "kms:Encrypt")
	_, err = w.kms.Encrypt(t.Context(), call(root(here), "Encrypt"), arn, nil, nil)
	checkError(t, err, "ValidationException", "plaintext")
	blob, err := w.kms.Encrypt(t.Context(), call(root(here), "Encrypt"), arn, []byte("x"), map[string]string{"a": "1"})
	if err != nil {
		t.Fatal(err)
	}
	w.fails(root(here), "Decrypt", members{"CiphertextBlob": blob}, "InvalidCiphertextException", "")
	w.do(root(here), "Decrypt", members{"CiphertextBlob": blob, "EncryptionContext": members{"a": "1"}})
	_, err = w.kms.GenerateDataKey(t.Context(), call(root(here), "GenerateDataKey"), arn, nil, 1025)
	checkError(t, err, "ValidationException", "numberOfBytes")
	_, err = w.kms.GenerateDataKey(t.Context(), call(root(here), "GenerateDataKey"), "alias/none", nil, 32)
	checkError(t, err, "NotFoundException", "")
	_, err = w.kms.DescribeKey(t.Context(), call(stranger, "DescribeKey"), arn)
	checkError(t, err, "AccessDeniedException", "kms:DescribeKey")
	c := call(root(here), "CreateGrant")
	c.ForAWSResource = true
	for _, r := range []GrantRequest{
		{KeyID: arn, Grantee: dynamo, Operations: []string{"Decrypt"}},
		{KeyID: arn, Grantee: dynamo, Operations: []string{"Decrypt"}, EncryptionContextEquals: map[string]string{"a": "1"}},
		{KeyID: arn, Grantee: dynamo, Operations: []string{"Decrypt"}, EncryptionContextSubset: map[string]string{"a": "1"}, Retiring: dynamo, Name: "n"},
	} {
		id, err := w.kms.CreateGrant(t.Context(), c, r)
		if err != nil {
			t.Fatal(err)
		}
		g := w.kms.grant(arn, id)
		if g.Grantee != dynamo || g.RetiringPrincipal != r.Retiring || g.Name != r.Name || g.granteeService ||
			!reflect.DeepEqual(g.EncryptionContextEquals, r.EncryptionContextEquals) ||
			!reflect.DeepEqual(g.EncryptionContextSubset, r.EncryptionContextSubset) {
			t.Errorf("%+v became %+v", r, g)
		}
	}
	for name, grantee := range map[string]string{"no service": "dynamodb", "no ARN": "AIDA1",
		"unknown": "arn:aws:iam::" + here + ":user/missing"} {
		_, err := w.kms.CreateGrant(t.Context(), c,
			GrantRequest{KeyID: arn, Grantee: grantee, Operations: []string{"Decrypt"}})
		checkError(t, err, "InvalidArnException", "")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if err := w.kms.RetireGrant(t.Context(), call(root(here), "RetireGrant"), arn, "none"); err == nil {
		t.Error("a grant that is not there was retired")
	}
}

// TestManagedKeyIsWhole: a managed key has its alias as a condition, rotates after
// a year, and is found again.
func TestManagedKeyIsWhole(t *testing.T) {
	w := newWorld(t)
	arn, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, dynamodbAlias)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, dynamodbAlias); err != nil || again != arn {
		t.Errorf("%s, then %s, %v", arn, again, err)
	}
	k, _ := w.kms.findByARN(arn)
	if got := k.conditions.with(nil, "")["kms:resourcealiases"]; !slices.Equal(got, []string{dynamodbAlias}) {
		t.Errorf("aliases %q", got)
	}
	if got := k.family.load().rotation.next; !got.Equal(w.clock().Add(365 * day)) {
		t.Errorf("rotates at %v", got)
	}
	for _, name := range [][3]string{{here, "nowhere", dynamodbAlias}, {here, "us-east-x", dynamodbAlias},
		{"12", region, dynamodbAlias}, {here, region, "alias/dynamodb"}} {
		if _, err := w.kms.EnsureAWSManagedKey(t.Context(), name[0], name[1], name[2]); err == nil {
			t.Errorf("%q was made", name)
		}
	}
}

// TestContextBytes: the serialization of an encryption context, on which the
// ciphertexts of old data directories depend.
func TestContextBytes(t *testing.T) {
	got := ciphertext.AppendContext([]byte("x"), map[string]string{"b": "", "a": "12", "": "e"})
	want := "x" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01e" + "\x00\x00\x00\x01a" + "\x00\x00\x00\x0212" +
		"\x00\x00\x00\x01b" + "\x00\x00\x00\x00"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWaitingPrimary: a primary that waits for its replicas says how long its own
// waiting period will be.
func TestWaitingPrimary(t *testing.T) {
	w := newWorld(t)
	arn := w.key(members{"MultiRegion": true})
	for _, replicated := range []bool{false, true} {
		if replicated {
			w.do(root(here), "ReplicateKey", members{"KeyId": arn, "ReplicaRegion": "us-east-1"})
		}
		w.do(root(here), "ScheduleKeyDeletion", members{"KeyId": arn, "PendingWindowInDays": 8})
		state, window, dateless := "PendingDeletion", any(nil), false
		if replicated {
			state, window, dateless = "PendingReplicaDeletion", any(8.0), true
		}
		if m := w.describe(arn); m["KeyState"] != state || m["PendingDeletionWindowInDays"] != window ||
			(m["DeletionDate"] == nil) != dateless || m["MultiRegionConfiguration"] == nil {
			t.Errorf("replicated %t: %v", replicated, m)
		}
		w.do(root(here), "CancelKeyDeletion", members{"KeyId": arn})
		w.do(root(here), "EnableKey", members{"KeyId": arn})
	}
	if m := w.describe(w.key(nil)); m["MultiRegionConfiguration"] != nil || m["PendingDeletionWindowInDays"] != nil {
		t.Errorf("a single-Region key: %v", m)
	}
}

// TestReEncryptContexts: the permission for the source is asked with the source's
// encryption context, that for the destination with the destination's.
func TestReEncryptContexts(t *testing.T) {
	w := newWorld(t)
	user := w.user(here, "user")
	only := func(action, value string) members {
		s := statement("Allow", user.ARN, action)
		s["Condition"] = members{"StringEquals": members{"kms:EncryptionContext:dept": value}}
		return s
	}
	arn := w.key(members{"Policy": policyText(rootStatement(), only("kms:ReEncryptFrom", "it"),
		only("kms:ReEncryptTo", "hr"))})
	for _, c := range []struct{ from, to, denied string }{
		{"it", "hr", ""}, {"it", "it", "kms:ReEncryptTo"}, {"hr", "hr", "kms:ReEncryptFrom"}, {"hr", "it", "kms:ReEncryptFrom"}, {"", "hr", "kms:ReEncryptFrom"}, {"it", "", "kms:ReEncryptTo"},
	} {
		context := func(dept string) members {
			if dept == "" {
				return nil
			}
			return members{"dept": dept}
		}
		blob := w.do(root(here), "Encrypt",
			members{"KeyId": arn, "Plaintext": []byte("x"), "EncryptionContext": context(c.from)})["CiphertextBlob"]
		_, err := w.try(user, "ReEncrypt",
			members{"CiphertextBlob": blob, "SourceEncryptionContext": context(c.from), "DestinationKeyId": arn,
				"DestinationEncryptionContext": context(c.to)})
		if c.denied == "" && err != nil {
			t.Errorf("%+v: %v", c, err)
		} else if c.denied != "" {
			checkError(t, err, "AccessDeniedException", c.denied)
		}
	}
}
