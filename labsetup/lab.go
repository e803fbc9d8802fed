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
	"github.com/ddbseal/ddbseal/store"
)

// Names of what the lab makes.
const (
	KeyAlias        = "alias/nextwork-kms-key"
	KeyDescription  = "KMS key that will encrypt a DynamoDB database. Created for NextWork's Encryption with AWS KMS project."
	ServerTable     = "nextwork-kms-table"
	OwnedTable      = "nextwork-owned-table"   // encrypted under the AWS owned key
	ManagedTable    = "nextwork-managed-table" // encrypted under the AWS managed key
	ClientTable     = "nextwork-client-table"
	BothTable       = "nextwork-both-table"
	UserName        = "nextwork-kms-user"
	RoleName        = "nextwork-kms-role"
	ProbeName       = "nextwork-probe"
	MultiAlias      = "alias/nextwork-multi-region-key"
	CredentialsFile = "nextwork-kms-user_credentials.csv"

	labTag, labTagValue = "ddbseal-lab", "nextwork"
)

// Config says where the lab runs.
type Config struct {
	// Administrator signs as the principal who provisions; it needs
	// permission to administer KMS keys, DynamoDB tables and IAM.
	Administrator aws.Config
	// As returns a configuration that signs with other credentials against
	// the same endpoints. Nil: the administrator's, with the credentials
	// replaced.
	As func(aws.Credentials) aws.Config
	// OtherAccount signs as the administrator of a second account, to show a
	// key policy that names another account. Nil: that is left out.
	OtherAccount *aws.Config
	// UserPolicy is the managed policy that gives the user DynamoDB. Empty:
	// AmazonDynamoDBFullAccess.
	UserPolicy string
	// Folder is where the user's credentials file is written, mode 0600.
	// Empty: nowhere.
	Folder string
	// Deadline is how long a check may take to come true. Zero: it must hold
	// at once, as on the embedded AWS.
	Deadline time.Duration
	// AuditDeadline is the same for CloudTrail, which lags up to 15 minutes.
	AuditDeadline time.Duration
	// Narrate is told each step when it is done; nil: nobody.
	Narrate func(Step)
}

// Lab is one run's state.
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

	grantID    string
	ciphertext []byte // made by the administrator, for direct calls
	report     *Report
	began      time.Time
}

// principal is somebody with clients that sign as them.
type principal struct {
	kms    *kms.Client
	ddb    *dynamodb.Client
	sts    *sts.Client
	tables map[string]*store.Table[Record]
}

// Record is what the lab's tables hold.
type Record struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Name      string `dynamodbav:"name"`
	Diagnosis string `dynamodbav:"diagnosis"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
}

func theRecord() Record {
	return Record{ID: "1", Name: "Robin Example", Diagnosis: "seasonal allergy", Ward: "north"}
}

// New checks the configuration.
func New(cfg Config) (*Lab, error) {
	if cfg.Administrator.Credentials == nil {
		return nil, errors.New("the lab needs the administrator's credentials")
	}
	if cfg.As == nil {
		cfg.As = func(c aws.Credentials) aws.Config {
			other := cfg.Administrator.Copy()
			other.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
			return other
		}
	}
	if cfg.UserPolicy == "" {
		cfg.UserPolicy = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
	}
	return &Lab{cfg: cfg, region: cfg.Administrator.Region}, nil
}

// Run makes everything, checks every claim in order, and cleans up. A check
// that fails is in the report and the lab goes on; when a step on which the
// rest stands fails, the report ends there and the error says why.
func (l *Lab) Run(ctx context.Context) (*Report, error) { return l.run(ctx, l.chapters()) }

// Up makes the key, the tables, the records and the user, and checks no more
// than that. It is safe to repeat: what exists is compared, not made again.
func (l *Lab) Up(ctx context.Context) (*Report, error) {
	return l.run(ctx, []chapter{l.keyChapter(), l.tableChapter(), l.userChapter()})
}

// Down removes what the lab made, and nothing else: everything of the lab is
// tagged. It is safe to repeat.
func (l *Lab) Down(ctx context.Context) (*Report, error) {
	return l.run(ctx, []chapter{l.cleanUpChapter()})
}

func (l *Lab) run(ctx context.Context, chapters []chapter) (*Report, error) {
	if err := l.identify(ctx); err != nil {
		return nil, err
	}
	l.began = time.Now()
	l.report = &Report{Account: l.account, Region: l.region, Administrator: l.caller}
	for _, c := range chapters {
		for _, s := range c.steps {
			s.Chapter = c.title
			if err := l.take(ctx, s); err != nil {
				return l.report, err
			}
		}
	}
	return l.report, nil
}

// take does one step, again and again until its deadline while it does not
// hold, and reports it.
func (l *Lab) take(ctx context.Context, s labStep) error {
	start := time.Now()
	deadline := l.cfg.Deadline
	if s.audit {
		deadline = l.cfg.AuditDeadline
	}
	step := s.Step
	var err error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var got string
		got, err = s.do(ctx)
		step.Got = classify(got, err)
		step.OK = step.Got == step.Expected
		if step.OK || time.Since(start) >= deadline || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	step.Took = time.Since(start)
	switch {
	case step.OK:
		step.Outcome = Passed
	case deadline > 0 && !s.needed:
		step.Outcome = Unverified
	default:
		step.Outcome = Failed
	}
	if !step.OK && err != nil {
		step.Error, step.Hint = err.Error(), hint(err)
	}
	l.report.Steps = append(l.report.Steps, step)
	l.report.KeyARN = l.keyARN
	if l.cfg.Narrate != nil {
		l.cfg.Narrate(step)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case step.OK || !s.needed:
		return nil
	case err != nil:
		return fmt.Errorf("step %s: %w", step.ID, err)
	}
	return fmt.Errorf("step %s: expected %s, got %s", step.ID, step.Expected, step.Got)
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
		if err != nil {
			return fmt.Errorf("which role the administrator has: %w", err)
		}
		l.caller = aws.ToString(role.Role.Arn)
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
		BothTable:    store.ClientSide{Keyring: keyring},
	} {
		if p.tables[name], err = store.New[Record](p.ddb, name, mode); err != nil {
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
