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
// When the test ends, a cleanup that New registers checks what must hold for
// every server: the server had no internal failure, no encrypted table lost its
// key unless a call scheduled the key's deletion, and the audit has no secret
// access key that this package created.
//
// PolicyTest tests your own key policies: it has a policy, principals, and
// calls with their expected outcomes.
//
// Functions of this package that take a testing.TB, and the methods of Server,
// fail the test instead of returning errors. Call them from the goroutine that
// runs the test.
package localawstest
