// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

func TestSupplied(t *testing.T) {
	for key, want := range map[string]bool{
		"aws:PrincipalTag/Team": true, "aws:principaltag/": false, "aws:PrincipalTag": false,
		"kms:EncryptionContext:a": true, "kms:EncryptionContext:": false,
		"KMS:viaservice": true, "aws:PrincipalOrgID": false, "aws:RequestTag/x": true, "aws:RequestTag/": false,
		"": false,
	} {
		if policy.Supplied(key) != want {
			t.Errorf("%q: %t", key, !want)
		}
	}
}

// TestSuppliedKeys lists the condition keys that the embedded AWS supplies, and
// which of them are sets.
func TestSuppliedKeys(t *testing.T) {
	const single = `aws:CalledViaFirst aws:CalledViaLast aws:CurrentTime aws:EpochTime aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn
		aws:PrincipalIsAWSService aws:PrincipalServiceName aws:PrincipalType aws:RequestedRegion aws:ResourceAccount aws:SecureTransport aws:SourceAccount
		aws:SourceArn aws:SourceIp aws:TokenIssueTime aws:UserAgent aws:userid aws:username aws:ViaAWSService dynamodb:EnclosingOperation dynamodb:ReturnValues
		dynamodb:Select iam:PermissionsBoundary iam:PolicyARN kms:BypassPolicyLockoutSafetyCheck kms:CallerAccount kms:CustomerMasterKeySpec
		kms:CustomerMasterKeyUsage kms:EncryptionAlgorithm kms:GrantConstraintType kms:GranteePrincipal kms:GrantIsForAWSResource kms:KeyOrigin kms:KeySpec
		kms:KeyUsage kms:MacAlgorithm kms:MultiRegion kms:MultiRegionKeyType kms:PrimaryRegion kms:ReEncryptOnSameKey kms:ReplicaRegion kms:RequestAlias
		kms:RetiringPrincipal kms:RotationPeriodInDays kms:ScheduleKeyDeletionPendingWindowInDays kms:ViaService sts:ExternalId sts:RoleSessionName
		aws:PrincipalTag/a aws:RequestTag/a aws:ResourceTag/a iam:ResourceTag/a kms:EncryptionContext:a`
	const sets = "aws:CalledVia aws:TagKeys dynamodb:Attributes dynamodb:LeadingKeys " +
		"dynamodb:FirstPartitionKeyValues dynamodb:SecondPartitionKeyValues dynamodb:ThirdPartitionKeyValues " +
		"dynamodb:FourthPartitionKeyValues kms:EncryptionContextKeys " +
		"kms:GrantOperations kms:ResourceAliases sts:TransitiveTagKeys"
	// sets that it does not supply
	const others = "aws:PrincipalServiceNamesList aws:PrincipalOrgPaths aws:ResourceOrgPaths"
	var cases []conditionCase
	for _, list := range []struct {
		keys          string
		supplied, set bool
	}{{single, true, false}, {sets, true, true}, {others, false, true}} {
		for _, key := range strings.Fields(list.keys) {
			if policy.Supplied(key) != list.supplied || policy.Supplied(strings.ToUpper(key)) != list.supplied {
				t.Errorf("%s: supplied %t", key, !list.supplied)
			}
			cases = append(cases,
				conditionCase{name: key, condition: `{"StringEquals":{"` + key + `":"v"}}`, context: with(key, "v"),
					holds: !list.set},
				conditionCase{name: "one of " + key, condition: `{"ForAnyValue:StringEquals":{"` + key + `":"v"}}`,
					context: with(key, "v"), holds: true})
		}
	}
	runConditions(t, cases)
}

// TestResourceAccount: the key aws:ResourceAccount is the owner of the resource,
// who may be another account than the caller's, and absent if there is no
// resource.
func TestResourceAccount(t *testing.T) {
	for _, c := range []struct{ resource, owner, want string }{
		{key, other, other}, {key, account, account}, {key, "", account}, {"*", other, other}, {"", other, other}, {"*", "", ""}, {"", "", ""},
	} {
		for value, holds := range map[string]bool{account: c.want == account, other: c.want == other, "": false} {
			d := parse(t,
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"`+
					value+`"}}}`, policy.Identity)
			got := policy.Evaluate(policy.Request{Principal: alice, Action: "a:b", Resource: c.resource,
				ResourceAccountID: c.owner},
				policy.Policies{Identity: []policy.Attached{{Document: d}}})
			reason := got.Reasons()[0].Conditions[0]
			if reason.Held != holds || reason.Absent != (c.want == "") {
				t.Errorf("resource %q of %q, wanted %q: %s", c.resource, c.owner, value, reason)
			}
		}
	}
	run(t, []testCase{
		{name: "another account's key for a policy on the own account", who: eve, owner: account, key: keyFor(eve.ARN),
			want: "identity",
			identity: []string{
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"` +
					other + `"}}}`}},
		{name: "another account's key for a policy on that account", who: eve, owner: account, key: keyFor(eve.ARN),
			identity: []string{
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"` +
					account + `"}}}`}},
		{name: "a deny outside of the own account", who: eve, owner: account, key: keyFor(eve.ARN),
			want: "deny identity",
			identity: []string{adminAccess +
				`,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`}},
	})
}

// TestDerivedKeysAbsent: a key that does not follow from the request is absent,
// which Null asks.
func TestDerivedKeysAbsent(t *testing.T) {
	absent := func(key string) string { return `{"Null":{"` + key + `":"true"}}` }
	pairs := map[string]string{"table": "Orders"}
	cases := []conditionCase{
		{name: "pair of another name", condition: absent("kms:EncryptionContext:tenant"), pairs: pairs},
		// 22 characters, as many as kms:EncryptionContext: has, and the name of a pair.
		{name: "another key that ends in the name of a pair", condition: absent("aws:RequestTag/abcdefgtable"), pairs: pairs},
		{name: "name of another case only", condition: absent("kms:EncryptionContext:tablé"), pairs: map[string]string{"TABLE": "x"}},
		{name: "keys of an empty context", condition: absent("kms:EncryptionContextKeys"), pairs: map[string]string{}},
		{name: "pair of an empty context", condition: absent("kms:EncryptionContext:table"), pairs: map[string]string{}},
	}
	for i := range cases {
		cases[i].holds = true
	}
	cases = append(cases, conditionCase{name: "pair with an empty name",
		condition: `{"StringEquals":{"kms:EncryptionContext:":"x"}}`,
		pairs:     map[string]string{"": "x"}, holds: true})
	runConditions(t, cases)
	nobody := policy.Request{Action: "a:b", Context: policy.Context{}}
	d := parse(t,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalType":"true","aws:PrincipalArn":"true","aws:userid":"true","aws:PrincipalAccount":"true"}}}`, policy.Identity)
	reason := policy.Evaluate(nobody, policy.Policies{Identity: []policy.Attached{{Document: d}}}).Reasons()[0]
	for _, c := range reason.Conditions {
		if !c.Absent {
			t.Errorf("the zero Principal has %s", c)
		}
	}
}

// TestEncryptionContextNames: of pairs whose names differ in case only, the first
// in byte order answers, every time, and kms:EncryptionContextKeys is in order.
func TestEncryptionContextNames(t *testing.T) {
	pairs := map[string]string{"AB": "1", "Ab": "2", "aB": "3", "b": "4", "c": "5", "d": "6"}
	d := parse(t,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:ab":"1"},"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"x"}}}`, policy.Identity)
	for range 50 {
		conditions := policy.Evaluate(policy.Request{Principal: alice, Action: "a:b", EncryptionContext: pairs},
			policy.Policies{Identity: []policy.Attached{{Document: d}}}).Reasons()[0].Conditions
		if !slices.Equal(conditions[0].Got, []string{"1"}) ||
			!slices.Equal(conditions[1].Got, []string{"AB", "Ab", "aB", "b", "c", "d"}) {
			t.Fatalf("%q", conditions)
		}
	}
}

// TestKeyValuesStayPrivate: the reasons of a decision repeat no value of an item's
// key, whichever condition key it stands in.
func TestKeyValuesStayPrivate(t *testing.T) {
	for _, key := range []string{"dynamodb:LeadingKeys", "dynamodb:FirstPartitionKeyValues",
		"dynamodb:SecondPartitionKeyValues", "dynamodb:ThirdPartitionKeyValues", "dynamodb:FourthPartitionKeyValues"} {
		c := testCase{identity: []string{`{"Effect":"Allow","Action":"dynamodb:Query","Resource":"*",` +
			`"Condition":{"ForAllValues:StringEquals":{"` + key + `":"secret-of-policy"}}}`},
			context: policy.Context{strings.ToLower(key): {"secret-of-item"}}}
		r, p := c.build(t)
		d := policy.Evaluate(r, p)
		if text := d.Explain(); d.Allowed || strings.Contains(text, "secret-of") || !strings.Contains(text, key) {
			t.Errorf("%s: allowed %t:\n%s", key, d.Allowed, text)
		}
	}
}
