// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// Modes of a step: which kind of table it uses.
const (
	ModeServer = "server" // DynamoDB encrypts under the key
	ModeClient = "client" // this program encrypts before it sends
	ModeBoth   = "both"   // this program encrypts, and DynamoDB again under the key
	ModeDirect = "direct" // a call to AWS KMS itself
)

// Results of a check, for Expected and Got of a Step.
const (
	Done            = "done"
	SeesPlaintext   = "plaintext"
	SeesCiphertext  = "ciphertext"
	DeniedDecrypt   = "denied kms:Decrypt"
	KeyDisabled     = "key disabled"
	KeyPending      = "key pending deletion"
	allowed         = "allowed"
	deniedEncrypt   = "denied kms:Encrypt"
	deniedPutPolicy = "denied kms:PutKeyPolicy"
	deniedDescribe  = "denied kms:DescribeKey"
	deniedGrant     = "denied kms:CreateGrant"
	deniedRotation  = "denied kms:GetKeyRotationStatus"
	deniedAll       = "denied"
	unreadable      = "unreadable"
	asPictured      = "the same picture"
)

// Outcome is the outcome of a step.
type Outcome string

const (
	// Passed means that Step.Got is Step.Expected.
	Passed Outcome = "passed"
	// Failed means that they differ, or that the step did not succeed and later steps
	// depend on it.
	Failed Outcome = "failed"
	// Unverified means that AWS did not show the expected result by the deadline. On a real
	// account a change of permissions takes minutes to take effect, DynamoDB caches a table key
	// for a caller for about five minutes, and CloudTrail lags up to fifteen.
	Unverified Outcome = "unverified"
)

// Step is one step of the lab with its check.
type Step struct {
	Chapter   string  `json:"chapter"`
	ID        string  `json:"id"`
	Title     string  `json:"title"`
	OK        bool    `json:"ok"`
	Outcome   Outcome `json:"outcome"`
	Expected  string  `json:"expected"`
	Got       string  `json:"got"`
	Principal string  `json:"principal"`          // who acted
	Mode      string  `json:"mode,omitempty"`     // one of the modes, or empty
	TableKey  string  `json:"tableKey,omitempty"` // KeyCustomer, KeyManaged or KeyOwned, if a check uses one table
	Optional  bool    `json:"optional,omitempty"` // in an optional chapter
	Existed   bool    `json:"existed,omitempty"`  // what the step creates existed already
	Why       string  `json:"why"`                // what the step shows
	CLI       string  `json:"cli,omitempty"`      // bash commands that do the same, with the AWS CLI where possible
	Error     string  `json:"error,omitempty"`
	// what an unexpected error means and how to fix it, by Config.Hint
	Hint    string        `json:"hint,omitempty"`
	Reasons []string      `json:"reasons,omitempty"` // of a denial, one for each statement, by Config.Explain
	Took    time.Duration `json:"tookNanoseconds"`
}

// Report is the result of a run.
type Report struct {
	Began         time.Time `json:"began,omitzero"`
	Account       string    `json:"account"`
	Region        string    `json:"region"`
	Administrator string    `json:"administrator"`
	KeyARN        string    `json:"keyArn"`
	Steps         []Step    `json:"steps"`
	PolicyBefore  string    `json:"policyBefore,omitempty"` // key policy that names no user
	PolicyAfter   string    `json:"policyAfter,omitempty"`  // with the user as key user
	PolicyDiff    string    `json:"policyDiff,omitempty"`   // unified diff of the two
	Items         []RawItem `json:"items,omitempty"`        // the record as each table returns it
	Audit         []KeyUse  `json:"audit,omitempty"`        // key uses as CloudTrail has them
	SignIn        string    `json:"signIn,omitempty"`       // console address of the account
	Measured      []string  `json:"measured,omitempty"`     // answers to what AWS does not document, by Config.Measure
	Picture       *Picture  `json:"picture,omitempty"`      // with the key and without it, as this run found it
	Others        *Picture  `json:"others,omitempty"`       // the same for AWS's two keys, and for both at once
	LeftAlone     []string  `json:"leftAlone,omitempty"`    // has a name of the lab but lacks its tag
}

// RawItem is the record in one table as DynamoDB returns it to a client that has no key.
type RawItem struct {
	Table string `json:"table"`
	Mode  string `json:"mode"`
	Item  string `json:"item"` // DynamoDB JSON
}

// KeyUse is one audited use of the key.
type KeyUse struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"`
	Principal string    `json:"principal"` // ARN
	InvokedBy string    `json:"invokedBy,omitempty"`
	Error     string    `json:"error,omitempty"`
	Context   string    `json:"encryptionContext,omitempty"`
}

// OK reports whether the report has steps and all of them are OK.
func (r *Report) OK() bool {
	for _, s := range r.Steps {
		if !s.OK {
			return false
		}
	}
	return len(r.Steps) > 0
}

// Done returns the number of steps that are done: all of them, except a last step
// that creates something and did not succeed.
func (r *Report) Done() int {
	n := len(r.Steps)
	if n > 0 && r.Steps[n-1].Expected == Done && !r.Steps[n-1].OK {
		n--
	}
	return n
}

// action is the doing part of a step: it returns what it saw, or an error, which is classified.
type action func(ctx context.Context) (string, error)

// classify turns the outcome of an action into the words of Expected.
func classify(got string, err error) string {
	if err == nil {
		return got
	}
	var api smithy.APIError
	isAPI := errors.As(err, &api)
	switch {
	case errors.Is(err, envelope.ErrKeyDenied), isAPI && strings.Contains(api.ErrorCode(), "AccessDenied"):
		if action := refused(err); strings.HasPrefix(action, "kms:") {
			return "denied " + action
		}
		return deniedAll
	case awsmessage.KeyDisabled(err):
		return KeyDisabled
	case awsmessage.KeyPendingDeletion(err):
		return KeyPending
	case isAPI:
		return "error " + api.ErrorCode()
	}
	return "error"
}

// refused returns the IAM action that was refused.
func refused(err error) string {
	var key *envelope.KeyError
	if errors.As(err, &key) && key.Missing != "" {
		return key.Missing
	}
	action, _ := awsmessage.Refused(err)
	return action
}
