// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/hint"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/terminal"
)

type doctorCommand struct {
	target
	As   string `placeholder:"PRINCIPAL" help:"Whom to check: administrator or nextwork-kms-user. (default: administrator; with --aws or --endpoint-url the principal of the environment or of --profile)"`
	JSON bool   `name:"json" help:"Print the findings as JSON."`
}

// Help is the long help text.
func (c *doctorCommand) Help() string {
	return `Makes harmless calls and says what is missing for the lab, and how to get it: credentials, region, clock, permissions. Nothing is changed. The exit code is 1 when something is missing.

  ddbseal doctor
  ddbseal doctor --aws --profile sandbox`
}

// finding is one thing that was checked.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// maxSkew is how far a clock may be off before AWS refuses signatures.
const maxSkew = 5 * time.Minute

// Run checks.
func (c *doctorCommand) Run(ctx context.Context, s streams) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	p, err := c.open(ctx, false)
	var findings []finding
	if err != nil {
		findings = append(findings, failing("place", err))
	} else {
		defer p.close(&err)
		tell(s.err, "Checking %s%s.\n", p.name, p.source)
		findings = c.examine(ctx, p)
	}
	if err := printFindings(s, c.JSON, findings); err != nil {
		return err
	}
	for _, f := range findings {
		if !f.OK {
			return errChecks
		}
	}
	return nil
}

func failing(check string, err error) finding {
	f := finding{Check: check, Detail: plain(err.Error()), Fix: hint.For(err)}
	if f.Fix == "" {
		f.Fix = "See the message; 'ddbseal doctor --help' says what is checked."
	}
	return f
}

func (c *doctorCommand) examine(ctx context.Context, p *place) []finding {
	findings := []finding{{Check: "place", OK: true, Detail: p.name}}
	cfg, err := p.as(c.As)
	if err != nil {
		return append(findings, failing("credentials", err))
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return append(findings, finding{Check: "credentials", Detail: plain(err.Error()),
			Fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with the AWS CLI, or give --profile."})
	}
	findings = append(findings, finding{Check: "region", OK: true, Detail: cfg.Region})
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return append(findings, failing("credentials", err)) // nothing else can work
	}
	findings = append(findings, finding{Check: "credentials", OK: true, Detail: aws.ToString(who.Arn)})
	if at, ok := middleware.GetServerTime(who.ResultMetadata); ok {
		findings = append(findings, clock(time.Since(at)))
	}
	return append(findings, permissions(ctx, cfg)...)
}

// clock judges the difference to the server's clock, which the answer has in
// whole seconds.
func clock(skew time.Duration) finding {
	f := finding{Check: "clock", OK: skew.Abs() < maxSkew,
		Detail: fmt.Sprintf("%s from the server's", skew.Round(time.Second))}
	if !f.OK {
		f.Fix = "Set this machine's clock: AWS refuses signatures that are more than five minutes off."
	}
	return f
}

// permissions makes one reading call for each service of the lab.
func permissions(ctx context.Context, cfg aws.Config) []finding {
	east := cfg.Copy()
	east.Region = "us-east-1" // where the events of IAM are
	var findings []finding
	for _, c := range []struct {
		action string
		call   func() error
	}{
		{"kms:ListAliases", func() error {
			_, err := kms.NewFromConfig(cfg).ListAliases(ctx, &kms.ListAliasesInput{Limit: aws.Int32(1)})
			return err
		}},
		{"kms:ListKeys", func() error {
			_, err := kms.NewFromConfig(cfg).ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(1)})
			return err
		}},
		{"dynamodb:ListTables", func() error {
			_, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
			return err
		}},
		{"iam:ListUsers", func() error {
			_, err := iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(1)})
			return err
		}},
		{"iam:ListRoles", func() error {
			_, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1)})
			return err
		}},
		{"cloudtrail:LookupEvents", func() error {
			_, err := cloudtrail.NewFromConfig(east).LookupEvents(ctx,
				&cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)})
			return err
		}},
	} {
		f := finding{Check: "permission", OK: true, Detail: c.action}
		if err := c.call(); err != nil {
			f = failing("permission", err)
			f.Detail = c.action + ": " + f.Detail
		}
		findings = append(findings, f)
	}
	return findings
}

func printFindings(s streams, asJSON bool, findings []finding) error {
	if asJSON {
		return printJSON(s.out, findings)
	}
	st := terminal.StyleFor(s.out)
	for _, f := range findings {
		mark := st.Good("ok  ")
		if !f.OK {
			mark = st.Bad("FAIL")
		}
		if err := tell(s.out, "%s  %-11s  %s\n", mark, f.Check, f.Detail); err != nil {
			return err
		}
		if f.Fix != "" {
			if err := tell(s.out, "      fix: %s\n", f.Fix); err != nil {
				return err
			}
		}
	}
	return nil
}
