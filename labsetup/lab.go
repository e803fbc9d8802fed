package labsetup

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/store"
)

// Names of what the lab makes.
const (
	KeyAlias       = "alias/nextwork-kms-key"
	KeyDescription = "KMS key that will encrypt a DynamoDB database. Created for NextWork's Encryption with AWS KMS project."
	ServerTable    = "nextwork-kms-table"
	ClientTable    = "nextwork-client-table"
	UserName       = "nextwork-kms-user"
	userPolicy     = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
)

// Config says where the lab runs.
type Config struct {
	// Administrator signs as the principal who provisions; it needs
	// permission to administer KMS keys, DynamoDB tables and IAM users.
	Administrator aws.Config
	// As returns a configuration that signs with other credentials against
	// the same endpoints. Nil: the administrator's, with the credentials
	// replaced.
	As func(aws.Credentials) aws.Config
	// Narrate is told each step when it is done; nil: nobody.
	Narrate func(Step)
}

// Lab is one run's state.
type Lab struct {
	cfg     Config
	account string
	caller  string // ARN of the administrator
	keyARN  string
	userARN string

	administrator principal
	user          principal
}

// principal is somebody with clients that sign as them.
type principal struct {
	name   string
	kms    *kms.Client
	ddb    *dynamodb.Client
	server *store.Table[Record]
	client *store.Table[Record]
}

// Record is what the lab's tables hold.
type Record struct {
	ID        string `dynamodbav:"id" seal:"partition"`
	Name      string `dynamodbav:"name"`
	Diagnosis string `dynamodbav:"diagnosis"`
	Ward      string `dynamodbav:"ward" seal:"sign"`
}

// TheRecord is the item that the lab stores in every table.
var theRecord = Record{ID: "1", Name: "Robin Example", Diagnosis: "seasonal allergy", Ward: "north"}

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
	return &Lab{cfg: cfg}, nil
}

// Run makes everything and checks every claim, in order. A check that fails is
// in the report and the lab goes on; when a step on which the rest stands
// fails, the report ends there and the error says why.
func (l *Lab) Run(ctx context.Context) (*Report, error) {
	if err := l.identify(ctx); err != nil {
		return nil, err
	}
	r := &Report{Account: l.account, Region: l.cfg.Administrator.Region}
	for _, s := range l.steps() {
		got, err := s.do(ctx)
		step := s.Step
		step.Got = classify(got, err)
		step.OK = step.Got == step.Expected
		if !step.OK && err != nil {
			step.Error = err.Error()
		}
		r.Steps = append(r.Steps, step)
		r.KeyARN = l.keyARN
		if l.cfg.Narrate != nil {
			l.cfg.Narrate(step)
		}
		if s.needed && !step.OK {
			return r, fmt.Errorf("step %s: %w", step.ID, cmpError(err, step))
		}
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
	}
	return r, nil
}

func cmpError(err error, s Step) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("expected %s, got %s", s.Expected, s.Got)
}

func (l *Lab) identify(ctx context.Context) error {
	out, err := sts.NewFromConfig(l.cfg.Administrator).GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("who the administrator is: %w", err)
	}
	l.account, l.caller = aws.ToString(out.Account), aws.ToString(out.Arn)
	l.administrator = newPrincipal("administrator", l.cfg.Administrator)
	return nil
}

func newPrincipal(name string, cfg aws.Config) principal {
	return principal{name: name, kms: kms.NewFromConfig(cfg), ddb: dynamodb.NewFromConfig(cfg)}
}

// openTables declares both tables for p, which needs the key.
func (l *Lab) openTables(p *principal) error {
	keyring, err := awskms.New(awskms.Config{Client: p.kms, KeyARN: l.keyARN})
	if err != nil {
		return err
	}
	if p.server, err = store.New[Record](p.ddb, ServerTable, store.ServerSide{KMSKeyARN: l.keyARN}); err != nil {
		return err
	}
	p.client, err = store.New[Record](p.ddb, ClientTable, store.ClientSide{Keyring: keyring})
	return err
}

func (l *Lab) iam() *iam.Client { return iam.NewFromConfig(l.cfg.Administrator) }
