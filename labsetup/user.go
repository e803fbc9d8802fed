// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
)

func (l *Lab) userChapter() chapter {
	return chapter{chapterUser, []labStep{
		does("user", "make a user who may use DynamoDB",
			"The user is called "+UserName+". The managed IAM policy that is attached to them covers all "+
				"DynamoDB tables of the account. Of KMS it allows kms:DescribeKey and kms:ListAliases, which show "+
				"keys and cannot decrypt. The key policy does not name the user.",
			"aws iam create-user --user-name "+UserName+" --tags Key="+labTag+",Value="+labTagValue+
				"\naws iam attach-user-policy --user-name "+UserName+" --policy-arn "+l.policy(), doing(l.makeUser)).
			found(l.lookUser, l.recallUser),
		does("user-password", "give the user a console password",
			"The user signs in to a web console with it: AWS's, or 'ddbseal console'. A password that the user "+
				"already has stays.",
			"aws iam create-login-profile --user-name "+UserName+
				" --password \"$(openssl rand -base64 24)-a1\" --no-password-reset-required", doing(l.makePassword)).
			found(l.lookPassword, nil).kept(),
		does("user-key", "give the user an access key",
			"Programs sign their requests with it, so AWS knows who asks. It is not a KMS key and encrypts nothing.",
			shell.Profile(UserName), doing(l.makeUserKey)).found(l.lookUserKey, l.makeUserKey),
	}}
}

func iamTags() []types.Tag {
	return []types.Tag{{Key: aws.String(labTag), Value: aws.String(labTagValue)}}
}

// ensureUser creates a user of the lab, or finds it.
func (l *Lab) ensureUser(ctx context.Context, name string) (arn string, err error) {
	client := l.iam()
	name = l.actual(name)
	made, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(name), Tags: iamTags()})
	var exists *types.EntityAlreadyExistsException
	if err == nil {
		return aws.ToString(made.User.Arn), nil
	}
	if !errors.As(err, &exists) {
		return "", err
	}
	if err := l.adopts(l.checkUserOurs(ctx, name), func() error {
		_, err := client.TagUser(ctx, &iam.TagUserInput{UserName: aws.String(name), Tags: iamTags()})
		return err
	}); err != nil {
		return "", err
	}
	l.existed = true
	found, err := client.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(name)})
	if err != nil {
		return "", err
	}
	return aws.ToString(found.User.Arn), nil
}

func (l *Lab) checkUserOurs(ctx context.Context, name string) error {
	tags, err := l.iam().ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	if !marked(tags.Tags, func(t types.Tag) (name, value *string) { return t.Key, t.Value }) {
		return fmt.Errorf("user %s %w", name, ErrNotOurs)
	}
	return nil
}

func (l *Lab) makeUser(ctx context.Context) (err error) {
	if l.userARN, err = l.ensureUser(ctx, UserName); err != nil {
		return err
	}
	return l.attachPolicy(ctx)
}

// Managed policies for the user.
const (
	PolicyFull     = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
	PolicyFullV2   = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess_v2"
	PolicyReadOnly = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
)

// policy is the managed policy that the user gets.
func (l *Lab) policy() string {
	if l.cfg.UserPolicy != "" {
		return l.cfg.UserPolicy
	}
	return l.fullAccess
}

// attachPolicy gives the user DynamoDB. AWS retires AmazonDynamoDBFullAccess:
// an account that cannot attach it any more gets its successor.
func (l *Lab) attachPolicy(ctx context.Context) error {
	attach := func() error {
		_, err := l.iam().AttachUserPolicy(ctx,
			&iam.AttachUserPolicyInput{UserName: aws.String(l.actual(UserName)), PolicyArn: aws.String(l.policy())})
		return err
	}
	err := attach()
	if l.cfg.UserPolicy != "" || l.fullAccess != PolicyFull || !retired(err) {
		return err
	}
	l.fullAccess = PolicyFullV2
	return attach()
}

// retired reports whether IAM refuses a managed policy itself.
func retired(err error) bool {
	var refused *types.PolicyNotAttachableException
	var invalid *types.InvalidInputException
	return awsmessage.PolicyMissing(err) || errors.As(err, &refused) || errors.As(err, &invalid)
}

// makePassword gives the user a random password, and the credentials file with it. A password
// that exists stays: the user or an administrator may have chosen it.
func (l *Lab) makePassword(ctx context.Context) error {
	if l.cfg.SignIn != nil {
		l.report.SignIn = l.cfg.SignIn(l.account)
	}
	password := newPassword()
	_, err := l.iam().CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: aws.String(l.actual(UserName)), Password: aws.String(password)})
	var exists *types.EntityAlreadyExistsException
	if l.existed = errors.As(err, &exists); l.existed {
		return nil
	}
	if err != nil {
		return err
	}
	return l.writeCredentials(password)
}

// ReadPassword returns the password in the credentials file that the lab wrote
// into a directory for a user; an empty user means UserName. It returns false if
// there is no such file. The user may have changed the password since.
func ReadPassword(folder, user string) (string, bool) {
	if folder == "" {
		return "", false
	}
	text, exists, err := privatefile.Read(filepath.Join(folder, CredentialsFile))
	if err != nil || !exists {
		return "", false
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) < 2 || rows[1][0] != cmp.Or(user, UserName) {
		return "", false
	}
	return rows[1][1], true
}

// SignInAtAWS returns the address of the AWS console at which the IAM users of
// an account sign in with their passwords. account is the ID of the account.
func SignInAtAWS(account string) string {
	return "https://" + account + ".signin.aws.amazon.com/console"
}

// newPassword returns 130 bits with the characters that IAM's default policy wants.
func newPassword() string { return rand.Text() + "-a1" }

// writeCredentials writes the file that the console offers for download.
func (l *Lab) writeCredentials(password string) error {
	if l.cfg.Folder == "" {
		return nil
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll([][]string{{"User name", "Password", "Console sign-in URL"},
		{l.actual(UserName), password, l.report.SignIn}}); err != nil {
		return err
	}
	return privatefile.Replace(filepath.Join(l.cfg.Folder, CredentialsFile), b.Bytes())
}

func (l *Lab) makeUserKey(ctx context.Context) (err error) {
	if l.user, err = l.newAccessKey(ctx, UserName); err != nil {
		return err
	}
	return l.openTables(&l.user)
}

// newAccessKey gives a user a new access key and drops the older ones, whose
// secrets that are lost.
func (l *Lab) newAccessKey(ctx context.Context, name string) (principal, error) {
	only := ""
	if l.cfg.ByHand && name == UserName {
		only = cmp.Or(l.cfg.OwnKey, "none")
	}
	name = l.actual(name)
	if err := l.deleteAccessKeys(ctx, name, only); err != nil {
		return principal{}, err
	}
	key, err := l.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	var full *types.LimitExceededException
	if errors.As(err, &full) {
		return principal{}, fmt.Errorf("%s has two access keys, and AWS allows no third: delete one of them: %w",
			name, err)
	}
	if err != nil {
		return principal{}, err
	}
	if only != "" {
		l.cfg.OwnKey = aws.ToString(key.AccessKey.AccessKeyId)
	}
	c := aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}
	if l.cfg.Keys != nil {
		if err := l.cfg.Keys(name, c); err != nil {
			return principal{}, fmt.Errorf("keep the access key of %s: %w", name, err)
		}
	}
	return newPrincipal(l.cfg.As(c)), nil
}

// deleteAccessKeys deletes the access keys of a user, or only the one with an ID.
func (l *Lab) deleteAccessKeys(ctx context.Context, name, only string) error {
	client := l.iam()
	keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		if only != "" && aws.ToString(k.AccessKeyId) != only {
			continue
		}
		if _, err := client.DeleteAccessKey(ctx,
			&iam.DeleteAccessKeyInput{UserName: aws.String(name), AccessKeyId: k.AccessKeyId}); err != nil {
			return err
		}
	}
	return nil
}
