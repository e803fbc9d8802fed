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

// The defaults of Options.
const (
	// DefaultAccountID is the account of AWS's documentation.
	DefaultAccountID = "111122223333"
	// DefaultRegion is the Region of Server.Config if Options.Region is empty.
	DefaultRegion = "us-east-1"
)

// Options configure a Server. With the zero value, New starts an empty AWS in
// memory that has new root credentials, uses the machine's clock and injects no
// faults.
type Options struct {
	// DataDir is the directory that keeps the state. New creates it with mode
	// 0700 if it does not exist. Empty: the state is in memory.
	DataDir string
	// AccountID is the account of the root credentials, twelve digits. Empty:
	// the account that DataDir was created with, or DefaultAccountID.
	AccountID string
	// Region is the Region of Server.Config. Empty: DefaultRegion. Clients can
	// call every Region, whatever its value.
	Region string
	// RootCredentials are the root user's long-term access key. Empty: the key
	// in root-credentials.json of DataDir (mode 0600), or a new key, written
	// there, if there is none or the root user has deleted it. They are valid
	// while this server runs; the next server can have others.
	RootCredentials aws.Credentials
	// Clock returns the time that services see: deletion windows, rotation,
	// sessions, item expiry and events depend on it. It may jump forward. Nil:
	// time.Now.
	Clock func() time.Time
	// SigningClock returns the time that the server compares signatures with. A
	// signature more than five minutes away from it is refused. Nil: time.Now.
	SigningClock func() time.Time
	// Faults are the faults that the server starts with; see Server.SetFaults.
	Faults Faults
	// KeyCacheTTL is how long DynamoDB caches a table key for a caller, which
	// on AWS is about five minutes. A permission withdrawn in KMS keeps working
	// for that time. Zero: no cache.
	KeyCacheTTL time.Duration
	// TableActivation is how long, by Clock, a new DynamoDB table or index stays
	// CREATING and a changed one UPDATING. After a change of the KMS key, it is
	// the SSEDescription that stays UPDATING. A backup stays CREATING for the
	// same time. If it is not zero, a table also refuses another change of its
	// policy for 15 seconds, as on AWS. Zero: tables are ACTIVE at once.
	TableActivation time.Duration
	// ShardLife is how long, by Clock, a shard of a DynamoDB stream takes records
	// before it closes and a child continues it. FaultShardSplit splits shards.
	// Zero: four hours.
	ShardLife time.Duration
	// AuditLimit is the number of management events, and of data events, that
	// the Audit keeps for each account. It keeps fewer if they take more than 4
	// KB on average. Zero: 10,000.
	AuditLimit int
	// AllowedOrigins are the origins, such as http://localhost:3000, of web
	// pages that may call the server over HTTP and read its answers. The server
	// compares origins exactly; New refuses a wildcard with ErrOrigin. Empty:
	// browsers keep web pages from calling. Other clients are not affected.
	AllowedOrigins []string
	// Logger gets records of internal failures, and of a DataDir that cannot be
	// written, at level error: one at first, and another from time to time
	// while the failure lasts. At level warn it gets the errors of a listener
	// and a record when DataDir can be written again, and at level debug a
	// record of each request. It never gets a secret, an access key or a value
	// that a client sent. Nil: nothing is logged.
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
