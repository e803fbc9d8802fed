package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// Login is a user name with its console password.
type Login struct{ User, Password string }

// Provision makes what the lab begins with, where it is missing: the
// administrator, the key, the tables, the records and the lab's user. It gives
// both users new console passwords and returns them, for telling the person who
// started the program; what exists otherwise stays as it is.
func Provision(ctx context.Context, server *localaws.Server) ([]Login, error) {
	if err := administrator.Make(ctx, server); err != nil {
		return nil, fmt.Errorf("make the administrator: %w", err)
	}
	people := iam.NewFromConfig(administrator.Config(server, server.RootCredentials()))
	admin := Login{administrator.Name, newPassword()}
	if err := setPassword(ctx, people, admin); err != nil {
		return nil, err
	}
	_, err := people.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(labsetup.UserName)})
	var missing *types.NoSuchEntityException
	switch {
	case errors.As(err, &missing):
		credentials, _, err := server.SignIn(server.AccountID(), admin.User, admin.Password)
		if err != nil {
			return nil, err
		}
		sign := func(c aws.Credentials) aws.Config { return administrator.Config(server, c) }
		lab, err := labsetup.New(labsetup.Config{Administrator: sign(credentials), As: sign})
		if err != nil {
			return nil, err
		}
		report, err := lab.Up(ctx)
		if err != nil {
			return nil, fmt.Errorf("make the lab: %w", err)
		}
		if !report.OK() {
			return nil, errors.New("make the lab: a step did not come out as expected; run `ddbseal lab` to see which")
		}
	case err != nil:
		return nil, err
	}
	user := Login{labsetup.UserName, newPassword()}
	return []Login{admin, user}, setPassword(ctx, people, user)
}

// newPassword is 130 bits with the characters that IAM's default policy wants.
func newPassword() string { return rand.Text() + "-a1" }

func setPassword(ctx context.Context, people *iam.Client, l Login) error {
	_, err := people.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &l.User, Password: &l.Password})
	var exists *types.EntityAlreadyExistsException
	if errors.As(err, &exists) {
		_, err = people.UpdateLoginProfile(ctx,
			&iam.UpdateLoginProfileInput{UserName: &l.User, Password: &l.Password,
				PasswordResetRequired: aws.Bool(false)})
	}
	if err != nil {
		return fmt.Errorf("set the password of %s: %w", l.User, err)
	}
	return nil
}
