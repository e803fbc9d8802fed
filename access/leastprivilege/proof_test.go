// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import (
	"strings"
	"testing"
)

// TestSuperfluous: For does not return a policy with an element that is not needed,
// too narrow, or too wide.
func TestSuperfluous(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/1"
	for name, c := range map[string]struct {
		edit func(w *writing)
		says string
	}{
		"as it is": {edit: func(*writing) {}},
		"an action": {edit: func(w *writing) {
			s := &w.out.Identity.Statements[0]
			s.Action = append(s.Action, "dynamodb:DeleteTable")
		}, says: "dynamodb:DeleteTable in statement Table of identity policy is not needed"},
		"a resource": {edit: func(w *writing) {
			s := &w.out.Identity.Statements[0]
			s.Resource = append(s.Resource, s.Resource[0]+"2")
		}, says: "table/Orders2 in statement Table of identity policy is not needed"},
		"a statement": {edit: func(w *writing) {
			k := &w.out.Keys[0]
			k.Statements = append(k.Statements, k.Statements[0])
		}, says: "is not needed"},
		"a condition": {edit: func(w *writing) {
			w.out.Keys[0].Statements[0].Condition["Bool"] = map[string][]string{"aws:ViaAWSService": {"true"}}
		}, says: "the policies do not allow kms:Decrypt"},
		"a condition that always holds": {edit: func(w *writing) {
			w.out.Keys[0].Statements[0].Condition["Null"] = map[string][]string{"kms:ViaService": {"false"}}
		}, says: "kms:ViaService in statement TableKey"},
		"too wide": {edit: func(w *writing) { w.out.Keys[0].Statements[0].Condition = nil },
			says: "the policies allow kms:Decrypt"},
		"too narrow": {edit: func(w *writing) { w.out.Identity.Statements = nil },
			says: "the policies do not allow dynamodb:GetItem"},
	} {
		table := Table{Place: Place{ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/Orders", KeyARN: key}}
		w, err := newWriting(&table, &Options{Principal: "arn:aws:iam::111122223333:user/a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.add(Reader); err != nil {
			t.Fatal(err)
		}
		w.statements()
		c.edit(w)
		err = w.prove()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
