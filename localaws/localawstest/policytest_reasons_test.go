// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"strings"
	"testing"
)

// TestPolicyTestReasons: an outcome that is not the expected one is explained
// statement by statement.
func TestPolicyTestReasons(t *testing.T) {
	p := PolicyTest{
		KeyPolicy: `{"Statement": [
			{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:root"}, "Action": "kms:*", "Resource": "*"},
			{"Sid": "Readers", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:user/reader"}, "Action": "kms:Decrypt", "Resource": "*",
			 "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": "report"}}}]}`,
		Seed: Seed{Users: []User{{Name: "reader"}}},
	}
	reader := PolicyCase{As: "user/reader", Action: "kms:Decrypt"}
	reports := map[string]string{"purpose": "report"}
	for name, c := range map[string]struct {
		PolicyCase
		want []string
	}{
		"denied": {reader, []string{"want it allowed", "Root", "Readers", "condition"}},
		"allowed": {PolicyCase{As: reader.As, Action: reader.Action, EncryptionContext: reports, Denies: reader.Action},
			[]string{"want a denial", "Root", "Readers", "applies"}},
		"another reason": {PolicyCase{As: reader.As, Action: reader.Action, Denies: reader.Action, Because: "explicit deny"},
			[]string{"not because of explicit deny", "Readers"}},
		"root allowed": {PolicyCase{As: "root", Action: "kms:Encrypt", Denies: "kms:Encrypt"},
			[]string{"want a denial", "Root"}},
	} {
		got := p.judge(t, c.PolicyCase)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %s", name, want, got)
			}
		}
		if strings.Contains(got, denyingSid) || strings.Count(got, "\n") != 2 {
			t.Errorf("%s: not a line for each statement: %s", name, got)
		}
	}
	reader.EncryptionContext = reports
	if got := p.judge(t, reader); got != "" {
		t.Error(got)
	}
}
