// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// Tag is the name of the tag of everything that the exercises create. Its value
// is the ID of the exercise.
const Tag = "ddbseal-exercise"

// stage is where one exercise is done, for the time of one call.
type stage struct {
	cfg             Config
	id              string
	account, region string
	admin           actor
	opened          []opened // access keys that close deletes
}

// actor is a principal with clients that sign as it.
type actor struct {
	name string // as findings call it
	arn  string
	cfg  aws.Config
	kms  *kms.Client
	ddb  *dynamodb.Client
}

func newActor(name, arn string, cfg aws.Config) actor {
	return actor{name: name, arn: arn, cfg: cfg, kms: kms.NewFromConfig(cfg), ddb: dynamodb.NewFromConfig(cfg)}
}

// in returns the actor with clients for another Region.
func (a actor) in(region string) actor {
	cfg := a.cfg.Copy()
	cfg.Region = region
	return newActor(a.name, a.arn, cfg)
}

// identify finds out who the administrator is. A role's session is named in key
// policies by its role.
func (s *stage) identify(ctx context.Context) error {
	out, err := sts.NewFromConfig(s.cfg.Administrator).GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("who the administrator is: %w", err)
	}
	s.account = aws.ToString(out.Account)
	caller := aws.ToString(out.Arn)
	if parsed, err := arn.Parse(caller); err == nil && parsed.Service == "sts" {
		parts := strings.Split(parsed.Resource, "/")
		if len(parts) < 2 {
			return errors.New("a federated user cannot administer keys: use an IAM user or a role")
		}
		role, err := s.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(parts[1])})
		if err != nil {
			return fmt.Errorf("which role the administrator has: %w", err)
		}
		caller = aws.ToString(role.Role.Arn)
	}
	s.admin = newActor("administrator", caller, s.cfg.Administrator)
	return nil
}

func (s *stage) iam() *iam.Client { return iam.NewFromConfig(s.cfg.Administrator) }

// name returns the full name of a table or user of the exercise.
func (s *stage) name(suffix string) string { return "exercise-" + s.id + "-" + suffix }

func (s *stage) alias() string { return aliasOf(s.id) }

// aliasOf names the KMS key of an exercise.
func aliasOf(id string) string { return "alias/exercise-" + id }

func (s *stage) userARN(suffix string) string {
	return "arn:" + s.partition() + ":iam::" + s.account + ":user/" + s.name(suffix)
}

func (s *stage) tableARN(suffix string) string {
	return "arn:" + s.partition() + ":dynamodb:*:" + s.account + ":table/" + s.name(suffix)
}

// partition returns the partition of the administrator's ARN, such as "aws".
func (s *stage) partition() string {
	if parsed, err := arn.Parse(s.admin.arn); err == nil {
		return parsed.Partition
	}
	return "aws"
}

// basePolicy is the key policy to which exercises add: the administrator manages
// and uses the key, and IAM policies count.
func (s *stage) basePolicy(extra ...keypolicy.Statement) keypolicy.Console {
	self := []string{s.admin.arn}
	return keypolicy.Console{Account: s.account, Administrators: self, Users: self, Attachers: self, Extra: extra}
}

// viaDynamoDB is the value of kms:ViaService for a call through DynamoDB.
func (s *stage) viaDynamoDB() string { return "dynamodb." + s.region + ".amazonaws.com" }

// heredoc returns a command that writes a file.
func heredoc(file, text string) string {
	return "cat > " + file + " <<'EOF'\n" + strings.TrimSuffix(text, "\n") + "\nEOF\n"
}
