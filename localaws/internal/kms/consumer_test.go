// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

const dynamo = "dynamodb." + region + ".amazonaws.com"

// asTable goes the way of a table under a key: DescribeKey, CreateGrant and a
// data key made by the service.
func (w *world) asTable(creator policy.Principal, keyID string) (arn, grant string, key DataKey, err error) {
	front := w.newCall(creator, "CreateTable")
	m, err := w.kms.DescribeKey(w.t.Context(), front.Via("kms", "DescribeKey", dynamo), keyID)
	if err != nil {
		return "", "", key, err
	}
	c := front.Via("kms", "CreateGrant", dynamo)
	c.ForAWSResource = true
	grant, err = w.kms.CreateGrant(w.t.Context(), c, GrantRequest{
		KeyID: m.ARN, Grantee: dynamo, Retiring: dynamo, EncryptionContextSubset: tableContext,
		Operations: []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant",
			"DescribeKey"},
	})
	if err != nil {
		return m.ARN, "", key, err
	}
	key, err = w.kms.GenerateDataKey(w.t.Context(), asService(front, "GenerateDataKey", dynamo), m.ARN, tableContext,
		32)
	return m.ARN, grant, key, err
}

var tableContext = map[string]string{"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": here}

func TestTableUnderCustomerKey(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	creator := w.user(here, "creator", "kms:DescribeKey", "kms:CreateGrant")
	reader, stranger := w.user(here, "reader", "kms:Decrypt"), w.user(here, "stranger")
	w.events = nil
	_, grant, key, err := w.asTable(creator, arn)
	if err != nil {
		t.Fatal(err)
	}
	if len(key.Plaintext) != 32 || key.KeyARN != arn {
		t.Errorf("data key %v", key)
	}
	decrypt := func(p policy.Principal) ([]byte, error) {
		return w.kms.Decrypt(t.Context(), w.newCall(p, "GetItem").Via("kms", "Decrypt", dynamo), arn, key.Ciphertext,
			tableContext)
	}
	if got, err := decrypt(reader); err != nil || !bytes.Equal(got, key.Plaintext) {
		t.Errorf("the reader got %v", err)
	}
	_, err = decrypt(stranger)
	checkError(t, err, "AccessDeniedException",
		"kms:Decrypt on resource: "+arn+" because no identity-based policy allows")
	// Every call has its event, with what it was about unless it was denied.
	var names []string
	for _, e := range w.events {
		names = append(names, e.call.Operation)
	}
	if want := []string{"DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt", "Decrypt"}; !slices.Equal(names,
		want) {
		t.Fatalf("events %v, want %v", names, want)
	}
	allowed, denied := w.events[3], w.events[4]
	p, _ := allowed.call.Trail.RequestParameters.(*cryptoParameters)
	if allowed.err != nil || p == nil || p.EncryptionContext["aws:dynamodb:tableName"] != "orders" ||
		p.EncryptionAlgorithm != "SYMMETRIC_DEFAULT" ||
		len(allowed.call.Trail.Resources) != 1 ||
		allowed.call.Trail.Resources[0] != (request.Resource{ARN: arn, AccountID: here, Type: "AWS::KMS::Key"}) ||
		!allowed.o.ReadOnly || allowed.o.Data || allowed.call.ViaService != dynamo {
		t.Errorf("event %+v", allowed)
	}
	if denied.err == nil || denied.call.Trail.RequestParameters != nil || denied.call.Trail.Resources != nil {
		t.Errorf("event of the denial %+v", denied)
	}
	// The grant is of this table only, and for the service only.
	_, err = w.kms.GenerateDataKey(t.Context(), asService(w.newCall(creator, "x"), "GenerateDataKey", dynamo), arn,
		map[string]string{"aws:dynamodb:tableName": "other"}, 32)
	checkError(t, err, "AccessDeniedException", "")
	_, err = w.kms.GenerateDataKey(t.Context(),
		asService(w.newCall(creator, "x"), "GenerateDataKey", "s3.eu-central-1.amazonaws.com"), arn, tableContext, 32)
	checkError(t, err, "AccessDeniedException", "")
	g := w.listGrants(arn, nil)
	if len(g) != 1 || g[0]["GranteePrincipal"] != dynamo || g[0]["RetiringPrincipal"] != dynamo ||
		g[0]["GrantId"] != grant {
		t.Errorf("grants %v", g)
	}
	// A key that cannot be used says why.
	w.do(root(here), "DisableKey", members{"KeyId": arn})
	_, err = decrypt(reader)
	checkError(t, err, "DisabledException", arn+" is disabled.")
	if state, ok := w.kms.KeyState(arn); !ok || state != Disabled {
		t.Errorf("KeyState: %v %v", state, ok)
	}
	if err := w.kms.RetireGrant(t.Context(), asService(w.newCall(creator, "DeleteTable"), "RetireGrant", dynamo), arn,
		grant); err != nil {
		t.Error(err)
	}
	if g := w.listGrants(arn, nil); len(g) != 0 {
		t.Errorf("grants %v after the table", g)
	}
	if _, err := decrypt(stranger); err == nil {
		t.Error("a stranger got the key")
	}
	_, err = w.kms.Decrypt(t.Context(), w.newCall(reader, "x").Via("kms", "Decrypt", dynamo), arn+"0", key.Ciphertext,
		tableContext)
	checkError(t, err, "NotFoundException", "does not exist")
}

// TestTableNeedsBothPermissions: creating a table asks DescribeKey and
// CreateGrant of its creator.
func TestTableNeedsBothPermissions(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	_, _, _, err := w.asTable(w.user(here, "a", "kms:CreateGrant"), arn)
	checkError(t, err, "AccessDeniedException", "kms:DescribeKey")
	_, _, _, err = w.asTable(w.user(here, "b", "kms:DescribeKey"), arn)
	checkError(t, err, "AccessDeniedException", "kms:CreateGrant")
	// The console's fourth statement: only for a service's own resources.
	user := w.user(here, "user")
	fourth := statement("Allow", user.ARN, "kms:CreateGrant")
	fourth["Condition"] = members{"Bool": members{"kms:GrantIsForAWSResource": "true"}}
	w.do(root(here), "PutKeyPolicy",
		members{"KeyId": arn, "Policy": policyText(rootStatement(), fourth,
			statement("Allow", user.ARN, "kms:DescribeKey"))})
	if _, _, _, err := w.asTable(user, arn); err != nil {
		t.Error(err)
	}
	w.fails(user, "CreateGrant", members{"KeyId": arn, "GranteePrincipal": user.ARN, "Operations": []string{"Decrypt"}},
		"AccessDeniedException", "kms:CreateGrant")
}

func TestAWSManagedKey(t *testing.T) {
	w := newWorld(t)
	arn, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, "alias/aws/dynamodb")
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	if again, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, "alias/aws/dynamodb"); err != nil ||
		again != arn {
		t.Fatalf("a second key %s, %v", again, err)
	}
	for _, bad := range [][3]string{{here, region, "alias/mine"}, {"1", region, "alias/aws/x"},
		{here, "x", "alias/aws/x"}, {here, region, "alias/aws/"}} {
		if _, err := w.kms.EnsureAWSManagedKey(t.Context(), bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if m := w.describe("alias/aws/dynamodb"); m["Arn"] != arn || m["KeyManager"] != "AWS" {
		t.Errorf("metadata %v", m)
	}
	if s := w.do(root(here), "GetKeyRotationStatus", members{"KeyId": arn}); s["KeyRotationEnabled"] != true ||
		s["RotationPeriodInDays"] != 365.0 {
		t.Errorf("rotation %v", s)
	}
	// Every principal of the account may use it through DynamoDB, and none directly.
	user := w.user(here, "user")
	_, _, key, err := w.asTable(user, "alias/aws/dynamodb")
	if err != nil {
		t.Fatal(err)
	}
	via := w.newCall(user, "GetItem").Via("kms", "Decrypt", dynamo)
	if _, err := w.kms.Decrypt(t.Context(), via, arn, key.Ciphertext, tableContext); err != nil {
		t.Error(err)
	}
	_, err = w.kms.Decrypt(t.Context(),
		w.newCall(w.user(abroad, "x", "kms:*"), "GetItem").Via("kms", "Decrypt", dynamo), arn, key.Ciphertext,
		tableContext)
	checkError(t, err, "AccessDeniedException", "")
	for _, p := range []policy.Principal{root(here), w.user(here, "admin", "kms:*")} {
		w.fails(p, "Decrypt", members{"CiphertextBlob": key.Ciphertext, "EncryptionContext": tableContext},
			"AccessDeniedException", "because no resource-based policy allows the kms:Decrypt action")
		for operation, in := range map[string]members{
			"PutKeyPolicy": {"Policy": policyText(rootStatement()), "BypassPolicyLockoutSafetyCheck": true}, "ScheduleKeyDeletion": {}, "DisableKey": {}, "DisableKeyRotation": {},
			"UpdateKeyDescription": {"Description": "mine"}, "TagResource": {"Tags": []members{}}, "RotateKeyOnDemand": {},
		} {
			in["KeyId"] = arn
			w.fails(p, operation, in, "AccessDeniedException",
				"because no resource-based policy allows the kms:"+operation+" action")
		}
		w.fails(p, "CreateAlias", members{"AliasName": "alias/mine", "TargetKeyId": arn}, "AccessDeniedException", "")
	}
}

func TestResolveKey(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	w.do(root(here), "CreateAlias", members{"AliasName": "alias/x", "TargetKeyId": arn})
	c := w.newCall(w.user(here, "missing"), "CreateTable")
	for _, id := range []string{arn, keyIDOf(arn), "alias/x"} {
		if got, err := w.kms.ResolveKey(c, id); err != nil || got != arn {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
	_, err := w.kms.ResolveKey(c, "alias/y")
	checkError(t, err, "NotFoundException", "Alias arn:aws:kms:eu-central-1:111122223333:alias/y is not found.")
	blob, err := w.kms.Encrypt(t.Context(), w.newCall(root(here), "x").Via("kms", "Encrypt", dynamo), arn, []byte("x"),
		nil)
	if err != nil || len(blob) == 0 {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	w := newWorld(t)
	full := Config{Clock: w.clock, Store: w.store, Authorizer: w, Audit: w, Principals: w}
	for i := range 5 {
		c := full
		switch i {
		case 0:
			c.Clock = nil
		case 1:
			c.Store = nil
		case 2:
			c.Authorizer = nil
		case 3:
			c.Audit = nil
		case 4:
			c.Principals = nil
		}
		if _, err := New(c); err == nil {
			t.Errorf("configuration %d is incomplete and accepted", i)
		}
	}
}

// TestRetireAbandoned: what a killed process left of a service's own grants
// goes; those in use, another service's and a user's stay.
func TestRetireAbandoned(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	var ids []string
	for range 2 {
		_, id, _, err := w.asTable(root(here), arn)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	w.grantOn(arn, members{"GranteeServicePrincipal": dynamo, "RetiringServicePrincipal": dynamo,
		"Operations":  []string{"Decrypt"},
		"Constraints": members{"SourceArn": "arn:aws:dynamodb:" + region + ":" + here + ":table/x"}})
	w.restart()
	for _, service := range []string{"s3", "dynamodb"} {
		if err := w.kms.RetireAbandoned(service,
			func(key, id string) bool { return key == arn && id == ids[0] }); err != nil {
			t.Fatal(err)
		}
		if service == "s3" && len(w.listGrants(arn, nil)) != 3 {
			t.Error("grants of another service were retired")
		}
	}
	if w.kms.grant(arn, ids[0]) == nil || w.kms.grant(arn, ids[1]) != nil {
		t.Error("the wrong grant was retired")
	}
	w.restart()
	if g := w.listGrants(arn, nil); len(g) != 2 {
		t.Errorf("%d grants after a restart", len(g))
	}
}

// asService returns the call that an AWS service makes for itself, not for the
// caller of c, such as DynamoDB under the grant of a table. service is a
// service principal ("dynamodb.us-east-1.amazonaws.com"). SourceARN of the
// answer is for the caller to set: the resource for which the service acts.
func asService(c *request.Call, operation, service string) *request.Call {
	own := c.Via("kms", operation, "")
	own.Caller = request.Caller{Principal: policy.Principal{Type: policy.Service, ARN: service}}
	return own
}
