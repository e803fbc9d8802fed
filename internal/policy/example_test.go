// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"

	"github.com/ddbseal/ddbseal/internal/policy"
)

func ExampleEvaluate() {
	keyPolicy, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
		 "Action": "kms:*", "Resource": "*"},
		{"Sid": "Allow use of the key", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"},
		 "Action": "kms:Decrypt", "Resource": "*",
		 "Condition": {"StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}}}]}`), policy.KeyPolicy)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := policy.Request{
		Principal: policy.Principal{Type: policy.User, AccountID: "111122223333",
			ARN: "arn:aws:iam::111122223333:user/alice"},
		Action:            "kms:Decrypt",
		Resource:          "arn:aws:kms:eu-central-1:111122223333:key/1",
		ResourceAccountID: "111122223333",
		Context:           policy.Context{},
	}
	policies := policy.Policies{Resource: keyPolicy, ResourceMode: policy.ModeKeyPolicy}
	fmt.Println(policy.Evaluate(request, policies).Explain())

	request.Context.Set("kms:ViaService", "dynamodb.eu-central-1.amazonaws.com")
	fmt.Println(policy.Evaluate(request, policies).Allowed)
	// Output:
	// User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/1 because no identity-based policy allows the kms:Decrypt action
	// resource-based policy, statement 1 (Enable IAM User Permissions): Allow applies to the account: identity-based policies must allow too
	// resource-based policy, statement 2 (Allow use of the key): Allow does not apply: condition did not match; StringEquals kms:ViaService not held: condition key not supplied
	// true
}
