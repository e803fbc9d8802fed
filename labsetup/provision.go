package labsetup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// makeKey makes the key with its alias, or finds the alias's key.
func (l *Lab) makeKey(ctx context.Context) (string, error) {
	client := l.administrator.kms
	found, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(KeyAlias)})
	var missing *kmstypes.NotFoundException
	switch {
	case err == nil:
		l.keyARN = aws.ToString(found.KeyMetadata.Arn)
		return done, l.openTables(&l.administrator)
	case !errors.As(err, &missing):
		return "", err
	}
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{
		Description: aws.String(KeyDescription),
		Policy:      aws.String(ConsolePolicy(l.account, []string{l.caller}, []string{l.caller})),
	})
	if err != nil {
		return "", err
	}
	l.keyARN = aws.ToString(made.KeyMetadata.Arn)
	if _, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(KeyAlias), TargetKeyId: aws.String(l.keyARN)}); err != nil {
		return "", err
	}
	return done, l.openTables(&l.administrator)
}

// makeTable makes a table with default settings, key id (String), or finds it.
func (l *Lab) makeTable(name string) action {
	return func(ctx context.Context) (string, error) {
		_, err := l.administrator.ddb.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName:            aws.String(name),
			AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
			KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddbtypes.KeyTypeHash}},
			BillingMode:          ddbtypes.BillingModePayPerRequest,
		})
		var exists *ddbtypes.ResourceInUseException
		if err != nil && !errors.As(err, &exists) {
			return "", err
		}
		_, err = l.waitTable(ctx, name, func(t *ddbtypes.TableDescription) bool { return t.TableStatus == ddbtypes.TableStatusActive })
		return done, err
	}
}

// underKey switches the table to the customer managed key, unless it is
// already under it: AWS allows four switches a day.
func (l *Lab) underKey(ctx context.Context) (string, error) {
	switched := func(t *ddbtypes.TableDescription) bool {
		s := t.SSEDescription
		return s != nil && s.Status == ddbtypes.SSEStatusEnabled && aws.ToString(s.KMSMasterKeyArn) == l.keyARN
	}
	now, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(ServerTable)})
	if err != nil {
		return "", err
	}
	if !switched(now.Table) {
		_, err := l.administrator.ddb.UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName:        aws.String(ServerTable),
			SSESpecification: &ddbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: ddbtypes.SSETypeKms, KMSMasterKeyId: aws.String(l.keyARN)},
		})
		if err != nil {
			return "", err
		}
	}
	_, err = l.waitTable(ctx, ServerTable, switched)
	return done, err
}

const (
	tableDeadline = 5 * time.Minute
	firstPause    = 50 * time.Millisecond
	longestPause  = 3 * time.Second
)

// waitTable polls the table until ok, with pauses that grow: the SDK's own
// waiter sleeps twenty seconds at least.
func (l *Lab) waitTable(ctx context.Context, name string, ok func(*ddbtypes.TableDescription) bool) (*ddbtypes.TableDescription, error) {
	ctx, cancel := context.WithTimeout(ctx, tableDeadline)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		out, err := l.administrator.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return nil, err
		}
		if ok(out.Table) {
			return out.Table, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("table %s did not become ready: %w", name, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// makeUser makes the user with permission for DynamoDB and none for the key.
func (l *Lab) makeUser(ctx context.Context) (string, error) {
	client := l.iam()
	var user *iamtypes.User
	made, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(UserName)})
	var exists *iamtypes.EntityAlreadyExistsException
	switch {
	case err == nil:
		user = made.User
	case errors.As(err, &exists):
		found, err := client.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(UserName)})
		if err != nil {
			return "", err
		}
		user = found.User
	default:
		return "", err
	}
	l.userARN = aws.ToString(user.Arn)
	if _, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String(UserName), PolicyArn: aws.String(userPolicy)}); err != nil {
		return "", err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(UserName)})
	if err != nil {
		return "", err
	}
	l.user = newPrincipal(UserName, l.cfg.As(aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId), SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}))
	return done, l.openTables(&l.user)
}

// nameUser puts the user among the key users of the key policy.
func (l *Lab) nameUser(ctx context.Context) (string, error) {
	_, err := l.administrator.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
		KeyId:  aws.String(l.keyARN),
		Policy: aws.String(ConsolePolicy(l.account, []string{l.caller}, []string{l.caller, l.userARN})),
	})
	return done, err
}
