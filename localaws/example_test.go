// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
)

// A user without permission on a key is denied, as on AWS.
func ExampleNew() {
	srv, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx, root := context.Background(), srv.Config(srv.RootCredentials())

	users := iam.NewFromConfig(root)
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}); err != nil {
		log.Fatal(err)
	}
	access, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	if err != nil {
		log.Fatal(err)
	}
	alice := kms.NewFromConfig(srv.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey}))

	_, err = alice.ListKeys(ctx, nil)
	var denied smithy.APIError
	if errors.As(err, &denied) {
		fmt.Println(denied.ErrorCode())
		fmt.Println(denied.ErrorMessage())
	}
	for _, e := range srv.Audit().Events() {
		fmt.Printf("%s %s %q\n", e.UserIdentity.ARN, e.EventName, e.ErrorCode)
	}
	// Output:
	// AccessDeniedException
	// User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:ListKeys on resource: * because no identity-based policy allows the kms:ListKeys action
	// arn:aws:iam::111122223333:root CreateUser ""
	// arn:aws:iam::111122223333:root CreateAccessKey ""
	// arn:aws:iam::111122223333:user/alice ListKeys "AccessDenied"
}

// The same server over HTTP, for other languages and the AWS CLI.
func ExampleServer_Listen() {
	srv, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	l, err := srv.Listen("127.0.0.1:0") // a free port
	if err != nil {
		log.Fatal(err)
	}
	// export AWS_ENDPOINT_URL=<l.URL()>, and the root credentials
	out, err := kms.NewFromConfig(l.Config(srv.RootCredentials())).ListKeys(context.Background(), nil)
	fmt.Println(len(out.Keys), err)

	_, err = srv.Listen("0.0.0.0:8000")
	fmt.Println(errors.Is(err, localaws.ErrNotLoopback))
	// Output:
	// 0 <nil>
	// true
}
