// SPDX-License-Identifier: Apache-2.0

// Package localawstest gives each Go test an AWS of its own: KMS, DynamoDB,
// IAM, STS and CloudTrail in-process, with every request authorized by IAM
// policies, key policies and grants.
//
//	aws := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
//		Keys:  []localawstest.Key{{Name: "notes"}},
//		Users: []localawstest.User{{Name: "alice", Attach: []string{"AmazonDynamoDBFullAccess"}}},
//	}))
//	client := dynamodb.NewFromConfig(aws.User("alice"))
//	_, err := client.GetItem(ctx, …)
//	localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy")
//
// When the test ends, New's cleanup checks what must hold for every server: it
// failed nowhere inside, no encrypted table lost its key unless somebody
// scheduled the deletion, and no secret is in the audit.
//
// PolicyTest tests one's own key policies: a policy, principals, and calls with
// the expected outcome.
//
// Functions of this package fail the test they are given instead of returning
// errors. They must be called from the test's own goroutine.
package localawstest
