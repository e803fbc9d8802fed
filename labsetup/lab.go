// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/labsetup/internal/names"
	"github.com/ddbseal/ddbseal/store"
)

// Names of what the lab creates.
const (
	KeyAlias       = names.KeyAlias
	KeyDescription = "KMS key that will encrypt a DynamoDB database. Created for NextWork's Encryption with AWS " +
		"KMS project."
	ServerTable     = names.ServerTable
	OwnedTable      = "nextwork-owned-table"   // encrypted under the AWS owned key
	ManagedTable    = "nextwork-managed-table" // encrypted under the AWS managed key
	ClientTable     = names.ClientTable
	OtherTable      = "nextwork-other-table" // client-side too: another encryption context
	BothTable       = "nextwork-both-table"
	UserName        = names.User
	RoleName        = "nextwork-kms-role"
	ProbeName       = "nextwork-probe"
	MultiAlias      = "alias/nextwork-multi-region-key"
	CredentialsFile = names.CredentialsFile

	// Tag and TagValue are the tag of everything that the lab creates. Down
	// removes nothing without it.
	Tag, TagValue = "ddbseal-lab", "nextwork"

	labTag, labTagValue = Tag, TagValue
)

// Names are the names of what the core path creates. Its Complete method
// replaces empty members by the lab's own names.
type Names = names.Names

// ErrName means that one of Config.Names is not a valid name on AWS, or that the lab
// uses it for something else.
var ErrName = names.ErrName

// Config says where and how the lab runs.
type Config struct {
	// Administrator signs as the principal that creates everything. It needs
	// permission to administer KMS keys, DynamoDB tables and IAM.
	Administrator aws.Config
	// As returns a configuration that signs with other credentials and calls
	// the same endpoints. Nil: a copy of Administrator with these credentials.
	As func(aws.Credentials) aws.Config
	// OtherAccount signs as the administrator of a second account, for the chapter on a key
	// policy that names another account. Nil: the lab leaves out that chapter.
	OtherAccount *aws.Config
	// SignIn returns the address at which the user signs in with the password
	// that the lab creates: [SignInAtAWS] on AWS. The report and the credentials
	// file name it. Nil: they name no address, because on another server AWS's
	// address would lead the user to type the password into the wrong page.
	SignIn func(account string) string
	// UserPolicy is the ARN of the managed policy that allows the user to use DynamoDB. Empty:
	// PolicyFull, or PolicyFullV2 if the account refuses PolicyFull.
	UserPolicy string
	// Names are the names of the key, the two tables and the user of the core path.
	// An empty member stands for the lab's own name.
	Names Names
	// ByHand keeps what a learner created by hand under these names, if it is as
	// the lab needs it. The lab then does not replace the user's password and
	// deletes no access key but OwnKey.
	ByHand bool
	// Adopt adds the lab's tag to a resource that has one of the names and lacks the tag, so
	// that Down removes it too. False: the lab returns [ErrNotOurs] for it.
	Adopt bool
	// OwnKey is the ID of the user's access key that an earlier run with ByHand created.
	OwnKey string
	// Folder is the directory of the user's credentials file, which the lab
	// writes with mode 0600. Empty: the lab writes no file.
	Folder string
	// Keep makes Run leave out the clean-up.
	Keep bool
	// Keys is called with each access key that the lab creates for one of its users. If it
	// returns an error, the step fails. Nil: only the lab has the keys.
	Keys func(user string, c aws.Credentials) error
	// Explain is called after each denial and returns the reasons, one line for
	// each statement or grant that was evaluated. Nil: no reasons, as on AWS.
	Explain func() []string
	// Hint returns what an error of a step means and how to fix it, or "". The
	// result becomes the step's Hint. Nil: no hints.
	Hint func(error) string
	// Deadline is how long the lab repeats a check that does not hold yet.
	// Zero: it must hold at once, as on the embedded AWS.
	Deadline time.Duration
	// AuditDeadline is the Deadline of checks of CloudTrail, which lags up to
	// 15 minutes on AWS.
	AuditDeadline time.Duration
	// Measure makes the lab try what AWS does not document and keep the answers
	// in Report.Measured. Leave it false on the embedded AWS, whose answers in
	// these cases are guesses.
	Measure bool
	// Disk returns the bytes that the service has on disk for the record with the
	// key id in a table. Nil: they cannot be seen, as on AWS.
	Disk func(ctx context.Context, table, id string) ([]byte, error)
	// Core limits Run, Size and Plan to the core path: the steps of the written
	// lab, without the optional chapters and the clean-up.
	Core bool
	// Waiting is called with what a step waits for if the step takes seconds. Nil: not called.
	Waiting func(what string)
	// Before is called with each step before it runs. Nil: not called.
	Before func(Step)
	// Narrate is called with each step after it ran. Nil: not called.
	Narrate func(Step)
}

// Lab is a run of the lab. It is not safe for concurrent use.
type Lab struct {
	cfg     Config
	account string
	region  string
	caller  string // ARN of the administrator, as key policies name it
	keyARN  string
	multi   string // ARN of the multi-Region key
	userARN string
	roleARN string

	administrator principal
	user          principal
	role          principal
	probe         principal
	probeARN      string
	insider       principal

	versionsBefore []string // of the branch key, before its rotation
	escrow         *escrow

	fullAccess string // the managed policy that allows all of DynamoDB
	grantID    string
	ciphertext []byte // made by the administrator, for direct calls
	existed    bool   // the step on its way has found what it is for
	rotations  int    // on record before the lab rotated the key
	report     *Report
}

// principal is somebody with clients that sign as them.
type principal struct {
	kms    *kms.Client
	ddb    *dynamodb.Client
	sts    *sts.Client
	tables map[string]*store.Table[Record]
}

// Record is an item of the lab's tables.
type Record struct {
	ID        string `json:"id" dynamodbav:"id" seal:"partition"`
	Name      string `json:"name" dynamodbav:"name"`
	Diagnosis string `json:"diagnosis" dynamodbav:"diagnosis"`
	Ward      string `json:"ward" dynamodbav:"ward" seal:"sign"`
}

func theRecord() Record {
	return Record{ID: "1", Name: "Robin Example", Diagnosis: "hay fever", Ward: "north"}
}

// ErrNoRegion means that Config.Administrator has no Region.
var ErrNoRegion = errors.New("no AWS region is set")

// New checks a configuration and returns a Lab. It makes no call. Errors:
// [ErrNoRegion], [ErrName], and one for missing credentials.
func New(cfg Config) (*Lab, error) {
	if cfg.Administrator.Credentials == nil {
		return nil, errors.New("the lab needs the administrator's credentials")
	}
	if cfg.As == nil {
		cfg.As = func(c aws.Credentials) aws.Config {
			other := cfg.Administrator.Copy()
			other.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return c,
					nil
			})
			return other
		}
	}
	if cfg.Administrator.Region == "" {
		return nil, ErrNoRegion
	}
	if err := cfg.Names.Check(OwnedTable, ManagedTable, OtherTable, BothTable, RoleName, ProbeName, InsiderName,
		MultiAlias, HierarchyTable, BranchKeyTable, KeyOffTable, probeTable); err != nil {
		return nil, err
	}
	cfg.Names = cfg.Names.Complete()
	return &Lab{cfg: cfg, region: cfg.Administrator.Region, fullAccess: PolicyFull}, nil
}

// Run creates everything, checks every claim in order, and cleans up. If a check fails, the
// report says so and the lab goes on. If a step fails that later steps depend on, the report
// ends there and the error says why. Run also ends with the error of ctx.
//
// Run it as an IAM user or a role. As the account's root user, the lab leaves out the part on
// the first statement of the key policy, because a key policy that names the root user anywhere
// lets the account's IAM policies allow access.
func (l *Lab) Run(ctx context.Context) (*Report, error) { return l.run(ctx, l.chapters) }

// Up creates the key, the tables, the records and the user, and checks nothing else. You can
// repeat it: it compares what exists and does not create it again.
func (l *Lab) Up(ctx context.Context) (*Report, error) {
	return l.run(ctx, func() []chapter {
		return []chapter{l.keyChapter(), l.tableChapter(), {chapterOthers, l.otherTables()}, l.userChapter()}
	})
}

// Down removes what the lab created, which it knows by the tag, and nothing
// else. You can repeat it.
//
// Down does not change a resource that has one of the lab's names and lacks the
// tag. Report.LeftAlone lists it.
func (l *Lab) Down(ctx context.Context) (*Report, error) {
	return l.run(ctx, func() []chapter { return []chapter{{chapterCleanUp, l.removal()}} })
}

// Size returns the number of steps that Run does.
func (l *Lab) Size() int {
	n := 0
	for _, c := range l.chapters() {
		n += len(c.steps)
	}
	return n
}

func (l *Lab) run(ctx context.Context, chapters func() []chapter) (*Report, error) {
	if err := l.Begin(ctx); err != nil {
		return nil, err
	}
	for _, c := range chapters() {
		for _, s := range c.steps {
			if err := l.take(ctx, s.of(c)); err != nil {
				return l.report, err
			}
		}
	}
	return l.report, nil
}

// identify finds out who the administrator is. A role session is named in key
// policies by its role.
func (l *Lab) identify(ctx context.Context) error {
	out, err := sts.NewFromConfig(l.cfg.Administrator).GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("who the administrator is: %w", err)
	}
	l.account, l.caller = aws.ToString(out.Account), aws.ToString(out.Arn)
	if parsed, err := arn.Parse(l.caller); err == nil && parsed.Service == "sts" {
		name := strings.Split(parsed.Resource, "/")
		role, err := l.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name[1])})
		switch {
		case missing(err):
			// Other servers answer as a role that they do not know themselves.
			l.caller = "arn:" + parsed.Partition + ":iam::" + l.account + ":role/" + name[1]
		case err != nil:
			return fmt.Errorf("which role the administrator has: %w", err)
		default:
			l.caller = aws.ToString(role.Role.Arn)
		}
	}
	l.administrator = newPrincipal(l.cfg.Administrator)
	return nil
}

func newPrincipal(cfg aws.Config) principal {
	return principal{kms: kms.NewFromConfig(cfg), ddb: dynamodb.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg)}
}

// openTables declares all tables for p; the client-side ones need the key.
func (l *Lab) openTables(p *principal) error {
	keyring, err := awskms.New(awskms.Config{Client: p.kms, KeyARN: l.keyARN})
	if err != nil {
		return err
	}
	p.tables = map[string]*store.Table[Record]{}
	for name, mode := range map[string]store.Mode{
		ServerTable:  store.ServerSide{KMSKeyARN: l.keyARN},
		OwnedTable:   store.ServerSide{},
		ManagedTable: store.ServerSide{},
		ClientTable:  store.ClientSide{Keyring: keyring},
		OtherTable:   store.ClientSide{Keyring: keyring},
		BothTable:    store.ClientSide{Keyring: keyring},
	} {
		if p.tables[name], err = store.New[Record](p.ddb, l.actual(name), mode); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) iam() *iam.Client { return iam.NewFromConfig(l.cfg.Administrator) }

// trail is CloudTrail in a region: IAM's events are in us-east-1 only.
func (l *Lab) trail(region string) *cloudtrail.Client {
	cfg := l.cfg.Administrator.Copy()
	cfg.Region = region
	return cloudtrail.NewFromConfig(cfg)
}

// actual returns the name under which this lab has what the lab calls name.
func (l *Lab) actual(name string) string { return l.cfg.Names.Actual(name) }

// named returns the step as people read it, with the actual names.
func (l *Lab) named(s Step) Step {
	r := l.cfg.Names.Replacer()
	s.Title, s.Why, s.CLI, s.Principal = r.Replace(s.Title), r.Replace(s.Why), r.Replace(s.CLI), r.Replace(s.Principal)
	return s
}
