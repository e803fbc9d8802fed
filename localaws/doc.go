// SPDX-License-Identifier: Apache-2.0

// Package localaws is an embedded AWS for tests, lessons and offline work: KMS,
// DynamoDB, IAM, STS and CloudTrail in one Go process.
//
// The server verifies the signature of every request (Signature Version 4),
// resolves its caller (root user, IAM user or session of a role), and authorizes
// the call as AWS does: by IAM policies, by the policies of keys and tables, and
// by grants. It audits every call, whether it succeeded or not. Data is encrypted
// at rest under the KMS key of its table.
//
//	srv, err := localaws.New(localaws.Options{})
//	defer srv.Close()
//	cfg := srv.Config(srv.RootCredentials())
//	client := kms.NewFromConfig(cfg)
//
// Clients with Server.Config need no socket. Server.Listen serves the same
// services over HTTP on the loopback interface, for other languages and the AWS
// CLI. In a Go test, use package localawstest.
//
// # Accounts, regions and time
//
// The server routes requests by X-Amz-Target and the scope of their signature,
// never by host name: one server has every Region, and Server.AddAccount
// creates further accounts. Options.Clock is the time that services see, so
// that a test need not wait for a deletion window to end. Options.SigningClock
// decides whether a signature is fresh, because clients sign with the machine's
// clock.
//
// # State on disk
//
// With Options.DataDir every change that was acknowledged survives the process,
// even if the process is killed. A killed process loses the audit's last
// second. While the directory cannot be written, for example because the disk
// is full, the server answers every request with an internal failure that says
// so, and Server.Err returns the reason. The server can still apply, later, a
// change that it could not write at once. It tries again within a second and
// recovers by itself; Server.Wait returns an error if it cannot.
//
// # Differences from AWS
//
// Every change takes effect at once: a new access key, policy or grant works in
// the next call, and LookupEvents finds an event as soon as its call was
// answered. A call whose signature was refused is in the Audit, marked
// Unauthenticated; AWS does not log such calls. The server has a part of the
// operations of the five services, which docs/aws-coverage.md lists. It refuses
// AWS's other operations with UnsupportedOperationException (AWS KMS,
// CloudTrail), UnsupportedOperation (IAM, STS) or UnknownOperationException
// (DynamoDB). DescribeEndpoints returns the address that was called.
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
