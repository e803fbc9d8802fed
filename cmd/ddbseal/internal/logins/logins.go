// SPDX-License-Identifier: Apache-2.0

// Package logins makes who signs in at the console when it starts: the
// administrator and the lab's user, with passwords that stay.
package logins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/password"
	"github.com/ddbseal/ddbseal/internal/privatefile"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// Login is a user name with its console password. The password is empty if the
// user has one that this program did not generate, or no longer knows.
type Login struct{ User, Password string }

// loginsFile keeps the passwords that Provision generated, mode 0600, so that a
// start prints the passwords of the one before.
const loginsFile = "console-logins.json"

// Provision makes what the lab begins with, where it is missing: the
// administrator, the key, the tables, the records and the lab's user. Users
// that it makes, and an administrator without a console password, get generated
// ones, which the folder keeps; a password that exists is never overwritten. It returns who can sign in, for
// telling the person who started the program. An empty folder keeps nothing.
func Provision(ctx context.Context, server *localaws.Server, folder string) ([]Login, error) {
	if err := administrator.Make(ctx, server); err != nil {
		return nil, fmt.Errorf("make the administrator: %w", err)
	}
	kept, err := readLogins(folder)
	if err != nil {
		return nil, err
	}
	p := provider{server: server, folder: folder, kept: kept,
		people: iam.NewFromConfig(administrator.Config(server, server.RootCredentials()))}
	admin, ok, err := p.login(ctx, administrator.Name)
	if err != nil {
		return nil, err
	}
	if !ok {
		if admin, err = p.give(ctx, administrator.Name); err != nil {
			return nil, err
		}
	}
	logins := []Login{admin}
	_, err = p.people.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(labsetup.UserName)})
	var missing *types.NoSuchEntityException
	switch {
	case errors.As(err, &missing):
		user, err := p.makeLab(ctx)
		return append(logins, user), err
	case err != nil:
		return nil, err
	}
	// A user without a password lost it to somebody who wanted that.
	user, ok, err := p.login(ctx, labsetup.UserName)
	if ok {
		logins = append(logins, user)
	}
	return logins, err
}

// provider gives users their passwords.
type provider struct {
	server *localaws.Server
	people *iam.Client
	folder string
	kept   map[string]string // generated passwords by user
}

// login returns the password of a user, and false if the user has none.
func (p *provider) login(ctx context.Context, user string) (Login, bool, error) {
	_, err := p.people.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &user})
	var missing *types.NoSuchEntityException
	switch {
	case errors.As(err, &missing):
		return Login{}, false, nil
	case err != nil:
		return Login{}, false, fmt.Errorf("read the login profile of %s: %w", user, err)
	}
	return Login{user, p.known(user)}, true, nil
}

// give gives a user without a password a generated one.
func (p *provider) give(ctx context.Context, user string) (Login, error) {
	fresh := password.New()
	// Kept first: a password that is set and not kept would be lost.
	if err := p.keep(user, fresh); err != nil {
		return Login{}, err
	}
	if _, err := p.people.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: &user, Password: &fresh}); err != nil {
		return Login{}, fmt.Errorf("set the password of %s: %w", user, err)
	}
	return Login{user, fresh}, nil
}

// known returns the generated password of a user if it still signs in.
func (p *provider) known(user string) string {
	candidates := []string{p.kept[user]}
	if p.folder != "" && user == labsetup.UserName {
		if password, ok := labsetup.ReadPassword(p.folder, ""); ok {
			candidates = append(candidates, password)
		}
	}
	for _, password := range candidates {
		if password == "" {
			continue
		}
		if _, _, err := p.server.SignIn(p.server.AccountID(), user, password); err == nil {
			return password
		}
	}
	return ""
}

func (p *provider) keep(user, password string) error {
	if p.folder == "" {
		return nil
	}
	p.kept[user] = password
	text, err := json.MarshalIndent(p.kept, "", "  ")
	if err != nil {
		return err
	}
	if err := privatefile.Replace(filepath.Join(p.folder, loginsFile), append(text, '\n')); err != nil {
		return fmt.Errorf("keep the generated passwords: %w", err)
	}
	return nil
}

func readLogins(folder string) (map[string]string, error) {
	kept := map[string]string{}
	if folder == "" {
		return kept, nil
	}
	path := filepath.Join(folder, loginsFile)
	text, exists, err := privatefile.Read(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the generated passwords: %w", err)
	case !exists:
		return kept, nil
	}
	if err := json.Unmarshal(text, &kept); err != nil || kept == nil {
		return nil, fmt.Errorf("%s is damaged: delete it, and set new passwords as root on the page Users", path)
	}
	return kept, nil
}

// makeLab makes the lab's resources as the administrator, whose password may be
// unknown, and its user with a password that is kept.
func (p *provider) makeLab(ctx context.Context) (_ Login, err error) {
	sign := func(c aws.Credentials) aws.Config { return administrator.Config(p.server, c) }
	key, err := p.people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(administrator.Name)})
	if err != nil {
		return Login{}, fmt.Errorf("make the lab: an access key for %s: %w", administrator.Name, err)
	}
	id := key.AccessKey.AccessKeyId
	defer func() {
		_, gone := p.people.DeleteAccessKey(context.WithoutCancel(ctx),
			&iam.DeleteAccessKeyInput{UserName: aws.String(administrator.Name), AccessKeyId: id})
		if err == nil && gone != nil {
			err = fmt.Errorf("make the lab: delete the access key that it used: %w", gone)
		}
	}()
	lab, err := labsetup.New(labsetup.Config{As: sign, Administrator: sign(aws.Credentials{
		AccessKeyID: aws.ToString(id), SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)})})
	if err != nil {
		return Login{}, err
	}
	report, err := lab.Up(ctx)
	if err != nil {
		return Login{}, fmt.Errorf("make the lab: %w", err)
	}
	if !report.OK() {
		return Login{}, errors.New("make the lab: a step did not come out as expected; run `ddbseal lab` to see which")
	}
	user := Login{labsetup.UserName, password.New()}
	if err := p.keep(user.User, user.Password); err != nil {
		return Login{}, err
	}
	// The password that the lab gave the user is not known here.
	if _, err := p.people.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: &user.User,
		Password: &user.Password, PasswordResetRequired: aws.Bool(false)}); err != nil {
		return Login{}, fmt.Errorf("set the password of %s: %w", user.User, err)
	}
	return user, nil
}
