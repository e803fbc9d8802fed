// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Defaults of Options.
const (
	// DefaultAccountID is the account of AWS's documentation.
	DefaultAccountID = "111122223333"
	// DefaultRegion is where a Config points unless Options say otherwise.
	DefaultRegion = "us-east-1"
)

// Options describe a Server. The zero value is an empty AWS in memory, with
// new root credentials, that runs by the machine's clock and without faults.
type Options struct {
	// DataDir is the folder that keeps the state, made with mode 0700 when it
	// does not exist. Empty: in memory.
	DataDir string
	// AccountID is the account of the root credentials, twelve digits. Empty:
	// DefaultAccountID, or what DataDir was made with.
	AccountID string
	// Region is the region of Config. Empty: DefaultRegion. It does not limit
	// the regions that can be called.
	Region string
	// RootCredentials are the root user's long-term access key. Empty: those in
	// DataDir's root-credentials.json (mode 0600), or new ones, written there
	// when there is a DataDir, also when root has deleted those. They are valid
	// while this server runs: the next one may be given others.
	RootCredentials aws.Credentials
	// Clock is the time that services see: deletion windows, rotation,
	// sessions, item expiry, events. Nil: time.Now. It may jump ahead.
	Clock func() time.Time
	// SigningClock is what signatures are compared with: more than five minutes
	// away is refused. Nil: time.Now.
	SigningClock func() time.Time
	// Faults are the failures to begin with; see SetFaults.
	Faults Faults
	// KeyCacheTTL imitates DynamoDB's cache of table keys per caller, which on
	// AWS lasts about five minutes: a permission withdrawn in KMS works only
	// after it. Zero: no cache.
	KeyCacheTTL time.Duration
	// TableActivation is how long a new DynamoDB table or index stays CREATING,
	// and a changed one UPDATING, by Clock; after a switch of the KMS key it is
	// the SSEDescription that is UPDATING. A backup stays CREATING as long, and a
	// table refuses another change of its policy for 15 seconds, as on AWS. Zero:
	// ACTIVE at once.
	TableActivation time.Duration
	// ShardLife is how long a shard of a DynamoDB stream takes records, by Clock. A
	// shard that closes continues in a child. FaultShardSplit splits shards. Zero:
	// four hours.
	ShardLife time.Duration
	// AuditLimit is how many management events and how many data events each
	// account keeps, fewer when they take more than 4 KB on average. Zero:
	// 10,000.
	AuditLimit int
	// AllowedOrigins are the origins of web pages, such as
	// http://localhost:3000, that may call over HTTP and read the answers. Each
	// is compared exactly; a wildcard is refused. Empty: browsers keep pages
	// from calling. It does not matter to other clients.
	AllowedOrigins []string
	// Logger gets, at level error, internal failures and that DataDir cannot be
	// written, each once and again after a while if it lasts; at level warn
	// that DataDir can be written again and what the listener complains about;
	// and at level debug a record of each request. It never gets a secret, an
	// access key or a value of a client's. Nil: nothing is logged.
	Logger *slog.Logger
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// complete checks o and fills in the defaults.
func (o Options) complete() (Options, error) {
	if o.AccountID != "" && !accountPattern.MatchString(o.AccountID) {
		return o, fmt.Errorf("account id %q is not twelve digits", o.AccountID)
	}
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if !regionPattern.MatchString(o.Region) {
		return o, fmt.Errorf("region %q is not a region name", o.Region)
	}
	if c := o.RootCredentials; (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
		return o, errors.New("root credentials need both access key id and secret access key")
	}
	if o.RootCredentials.SessionToken != "" {
		return o, errors.New("root credentials must be long-term ones, without session token")
	}
	if o.KeyCacheTTL < 0 || o.TableActivation < 0 || o.ShardLife < 0 || o.AuditLimit < 0 {
		return o, errors.New("key cache TTL, table activation, shard life and audit limit must not be negative")
	}
	for _, origin := range o.AllowedOrigins {
		if err := checkOrigin(origin); err != nil {
			return o, err
		}
	}
	if err := o.Faults.validate(); err != nil {
		return o, err
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.SigningClock == nil {
		o.SigningClock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
