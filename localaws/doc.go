// SPDX-License-Identifier: Apache-2.0

// Package localaws is an embedded AWS for tests, lessons and offline work: KMS,
// DynamoDB, IAM, STS and CloudTrail in one Go process.
//
// Every request is verified (Signature Version 4), its caller is resolved
// (root, IAM user, session of a role), the call is authorized by IAM policies,
// the policies of keys and tables, and grants as AWS does it, and audited whether
// it succeeded or not. Data is encrypted at rest under the KMS key of its table.
//
//	srv, err := localaws.New(localaws.Options{})
//	defer srv.Close()
//	cfg := srv.Config(srv.RootCredentials())
//	client := kms.NewFromConfig(cfg)
//
// Config needs no socket. Listen serves the same over HTTP on the loopback
// interface, for other languages and the AWS CLI. In a Go test, use package
// localawstest.
//
// # Accounts, regions and time
//
// Requests are routed by X-Amz-Target and the scope of their signature, never
// by host name: one server has every region, and AddAccount makes further
// accounts. Options.Clock is the time that services see, so that a test can
// pass a deletion window in no time; the freshness of signatures is judged by
// Options.SigningClock, because clients sign with the machine's clock.
//
// # State on disk
//
// With Options.DataDir everything that was acknowledged survives the process,
// killed or not; of the audit, a killed process loses the last second. When the
// directory cannot be written, because the disk is full, say, every request is
// answered with an internal failure that says so, and Server.Err returns why.
// A request whose own change could not be written may be done later. The server
// tries again within a second and goes on by itself; Server.Wait returns when
// it cannot.
//
// # Differences from AWS
//
// Everything is consistent at once: a new access key, policy or grant works in
// the next call, and an event can be looked up as soon as its call was
// answered. Calls whose signature was refused are in Audit, marked
// Unauthenticated, while AWS logs none. Only the operations of the five
// services that the tests here use exist; any other answers
// UnknownOperationException, or InvalidAction for IAM and STS, to callers whose
// signature is right. DescribeEndpoints answers the address that was called.
//
// # Reference
//
// The API references of the five services say what a request means: [DynamoDB],
// [AWS KMS], [IAM], [AWS STS] and [CloudTrail].
//
// [DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference
// [AWS KMS]: https://docs.aws.amazon.com/kms/latest/APIReference
// [IAM]: https://docs.aws.amazon.com/IAM/latest/APIReference
// [AWS STS]: https://docs.aws.amazon.com/STS/latest/APIReference
// [CloudTrail]: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference
package localaws
