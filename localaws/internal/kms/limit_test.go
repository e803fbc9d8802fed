// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestQuotas: hostile clients cannot fill the memory.
func TestQuotas(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	k, _ := w.kms.findByARN(arn)
	p := w.kms.places[k.Place]
	for i := range maxKeys - 2 {
		p.keys[fmt.Sprint(i)] = k
	}
	w.do(root(here), "CreateKey", nil)
	w.fails(root(here), "CreateKey", nil, "LimitExceededException", "10000")
	w.doIn("us-east-1", root(here), "CreateKey", nil)
	w.failsIn("nowhere/else", root(here), "CreateKey", nil, "ValidationException", "nowhere/else")
	for i := range maxKeysOfAll - len(w.kms.keys) - 1 {
		w.kms.keys[fmt.Sprint(i)] = k
	}
	w.doIn("us-east-1", root(here), "CreateKey", nil)
	w.failsIn("us-east-1", root(here), "CreateKey", nil, "LimitExceededException", "")
	w.failsIn("us-west-1", root(here), "DescribeKey", members{"KeyId": dynamodbAlias}, "LimitExceededException", "")
}

// To ask for DynamoDB's key makes it, but not for everybody: there is one in
// every Region, and no end of names of Regions.
func TestStrangersMakeNoManagedKeys(t *testing.T) {
	w := newWorld(t)
	stranger := w.user(here, "stranger")
	for i := range 10 {
		w.failsIn(fmt.Sprintf("us-east-%d", i), stranger, "DescribeKey", members{"KeyId": dynamodbAlias},
			"AccessDeniedException", "kms:DescribeKey")
	}
	if n := len(w.kms.keys); n != 0 {
		t.Errorf("%d keys were made", n)
	}
	w.doIn("us-east-1", w.user(here, "reader", "kms:DescribeKey"), "DescribeKey", members{"KeyId": dynamodbAlias})
}

func TestManyProblems(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	_, err := w.try(root(here), "CreateGrant",
		members{"KeyId": arn, "GranteePrincipal": root(here).ARN,
			"Operations": slices.Repeat([]string{strings.Repeat("x", 500)}, 1000)})
	checkError(t, err, "ValidationException", "1000 validation errors detected: Value '")
	if n := len(err.Error()); n > 20_000 {
		t.Errorf("a message of %d bytes", n)
	}
	_, err = w.try(root(here), "CreateKey", members{"Description": strings.Repeat("x", maxBody)})
	checkError(t, err, "SerializationException", "too large")
}

// TestTrailOfRefusals: what was denied leaves no parameters, what the key
// could not do leaves them.
func TestTrailOfRefusals(t *testing.T) {
	w := newWorld(t)
	arn := w.key(nil)
	blob := decoded(t, w.encrypt(arn))
	w.do(root(here), "DisableKey", members{"KeyId": arn})
	for _, c := range []struct {
		caller  string
		present bool
	}{{"root", true}, {"stranger", false}} {
		p := root(here)
		if c.caller == "stranger" {
			p = w.user(here, "stranger")
		}
		w.events = nil
		if _, err := w.kms.Decrypt(t.Context(), w.newCall(p, "GetItem").Via("kms", "Decrypt", dynamo), arn, blob,
			tableContext); err == nil {
			t.Fatal("a disabled key decrypts")
		}
		if trail := w.events[0].call.Trail; (trail.RequestParameters != nil) != c.present ||
			(trail.Resources != nil) != c.present {
			t.Errorf("%s: trail %+v", c.caller, trail)
		}
	}
}
