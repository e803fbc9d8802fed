// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// settle is how long AWS takes to know a new user everywhere.
const settle = 15 * time.Second

// User makes an IAM user who may do the actions on everything in the account,
// and returns the configuration to act as that user.
func (a *Account) User(ctx context.Context, name string, actions ...string) (aws.Config, error) {
	people := iam.NewFromConfig(a.Config)
	user := aws.String("ddbseal-example-" + name)
	if _, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: user}); err != nil {
		return aws.Config{}, err
	}
	a.remove = append(a.remove, func(ctx context.Context) error {
		_, err := people.DeleteUser(ctx, &iam.DeleteUserInput{UserName: user})
		return err
	})
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":"*"}]}`,
		strings.Join(actions, `","`))
	if _, err := people.PutUserPolicy(ctx,
		&iam.PutUserPolicyInput{UserName: user, PolicyName: aws.String("example"),
			PolicyDocument: &policy}); err != nil {
		return aws.Config{}, err
	}
	a.remove = append(a.remove, func(ctx context.Context) error {
		_, err := people.DeleteUserPolicy(ctx,
			&iam.DeleteUserPolicyInput{UserName: user, PolicyName: aws.String("example")})
		return err
	})
	made, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		return aws.Config{}, err
	}
	key := made.AccessKey
	a.remove = append(a.remove, func(ctx context.Context) error {
		_, err := people.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: key.AccessKeyId})
		return err
	})
	cfg := a.Config.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*key.AccessKeyId, *key.SecretAccessKey, "")
	if a.server != nil {
		return cfg, nil
	}
	select {
	case <-time.After(settle):
		return cfg, nil
	case <-ctx.Done():
		return aws.Config{}, ctx.Err()
	}
}

// Value shows what a client without a keyring gets of an attribute.
func Value(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return strconv.Quote(v.Value)
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%d bytes of ciphertext", len(v.Value))
	}
	return "nothing"
}

// placeholder is a name or a value in an expression.
var placeholder = regexp.MustCompile("[#:][A-Za-z0-9_]+")

// Expression shows an expression with what its placeholders stand for.
func Expression(text string, names map[string]string, values map[string]types.AttributeValue) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		if name, is := names[p]; is {
			return name
		}
		return Value(values[p])
	})
}

// Refusal says in a few words why somebody got nothing.
func Refusal(err error) string {
	action, _ := awsmessage.Refused(err)
	if errors.Is(err, envelope.ErrKeyDenied) || action == "kms:Decrypt" {
		return "denied kms:Decrypt"
	}
	return err.Error()
}

// OnDisk says what lies on the disk for the item with the id, and whether the
// text can be read in it. AWS shows its disks to no customer.
func (a *Account) OnDisk(ctx context.Context, table, id, text string) string {
	if a.server == nil {
		return "not to be seen on AWS"
	}
	view, err := a.server.DiskView(ctx, table,
		map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}})
	if err != nil {
		return err.Error()
	}
	if bytes.Contains(view.Sealed, []byte(text)) {
		return strconv.Quote(text)
	}
	return fmt.Sprintf("%d bytes of ciphertext", len(view.Sealed))
}
