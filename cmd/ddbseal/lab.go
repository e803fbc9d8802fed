package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

type labCommand struct {
	JSON bool `name:"json" help:"Print the checks as JSON."`

	// after is called after each step with the administrator's configuration:
	// a test breaks a check with it.
	after func(labsetup.Step, aws.Config)
}

// Run runs the lab on the embedded AWS.
func (c *labCommand) Run(ctx context.Context, s streams) error {
	fmt.Fprintln(s.err, "Running on the embedded AWS: nothing leaves this process, no account is used.")
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	administrator, err := makeAdministrator(ctx, server)
	if err != nil {
		return fmt.Errorf("make the administrator: %w", err)
	}
	lab, err := labsetup.New(labsetup.Config{
		Administrator: server.Config(administrator),
		As:            server.Config,
		Narrate: func(step labsetup.Step) {
			narrate(s.err, step)
			if c.after != nil {
				c.after(step, server.Config(administrator))
			}
		},
	})
	if err != nil {
		return err
	}
	report, err := lab.Run(ctx)
	if report == nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(report); err != nil {
			return err
		}
	} else {
		printTable(s.out, report)
	}
	if err != nil {
		return err
	}
	if !report.OK() {
		return errChecks
	}
	return nil
}

const (
	administratorName   = "nextwork-admin"
	administratorPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// makeAdministrator makes, as root of the embedded AWS, the IAM user who runs
// the lab: a lab run as root would show less.
func makeAdministrator(ctx context.Context, server *localaws.Server) (aws.Credentials, error) {
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(administratorName)}); err != nil {
		return aws.Credentials{}, err
	}
	if _, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String(administratorName), PolicyArn: aws.String(administratorPolicy)}); err != nil {
		return aws.Credentials{}, err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(administratorName)})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId), SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}, nil
}

func narrate(w io.Writer, step labsetup.Step) {
	mark := "ok  "
	if !step.OK {
		mark = "FAIL"
	}
	fmt.Fprintf(w, "%s %s: %s\n     %s\n", mark, step.Title, step.Got, step.Why)
	if !step.OK {
		fmt.Fprintf(w, "     expected: %s\n", step.Expected)
		if step.Error != "" {
			fmt.Fprintf(w, "     %s\n", step.Error)
		}
	}
}

// printTable prints who sees what: the steps that read.
func printTable(w io.Writer, r *labsetup.Report) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CHECK\tPRINCIPAL\tMODE\tSEES\tWHY")
	for _, s := range r.Steps {
		if s.Mode == "" {
			continue
		}
		mark := "ok"
		if !s.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", mark, s.Principal, s.Mode, s.Got, s.Why)
	}
	t.Flush()
}
