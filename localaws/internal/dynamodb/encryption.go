package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// keyMode is under whose key a table is encrypted.
type keyMode uint8

// managedAlias names the AWS managed key, which AWS makes when it is first
// wanted.
const managedAlias = "alias/aws/dynamodb"

const (
	keyOwned    keyMode = iota + 1 // AWS owned: no KMS call
	keyManaged                     // alias/aws/dynamodb
	keyCustomer                    // customer managed
)

// encryption is how one table's key is kept.
type encryption struct {
	Mode   keyMode
	KeyARN string `json:",omitempty"`
	Grant  string `json:",omitempty"`
	// TableKey is wrapped by KMS; under keyOwned it is the key itself, and the
	// store seals the record that holds it.
	TableKey []byte
	// Generation counts table keys.
	Generation int
	// Changes are the times of mode changes in the window of 24 hours that the
	// first of them began.
	Changes []time.Time `json:",omitempty"`
	// Before is the KMS key that the description names until Settles.
	Before  string    `json:",omitempty"`
	Settles time.Time `json:",omitzero"`
}

// describe makes the SSEDescription, nil under the AWS owned key.
func (e encryption) describe(now time.Time) jsonObject {
	status, arn := "ENABLED", e.KeyARN
	switch {
	case now.Before(e.Settles):
		status, arn = "UPDATING", e.Before
	case e.Mode == keyOwned:
		return nil
	}
	out := jsonObject{"Status": status}
	if arn != "" {
		out["SSEType"], out["KMSMasterKeyArn"] = "KMS", arn
	}
	return out
}

// String keeps the table key out of messages.
func (e encryption) String() string { return "encryption under " + e.KeyARN }

// GoString does the same for %#v.
func (e encryption) GoString() string { return e.String() }

const (
	maxModeChanges   = 4
	modeChangeWindow = 24 * time.Hour
	// modeChangePause is between further changes in a window that has seen
	// maxModeChanges.
	modeChangePause = 6 * time.Hour
	// inaccessibleAfter is how long a key must have been unusable before the
	// table's status says so. AWS gives no number; a quarter of an hour to an
	// hour and a quarter were seen.
	inaccessibleAfter = time.Hour
)

// mayChange returns the changes of the window that now is in, or AWS's refusal
// of another one.
func (e encryption) mayChange(now time.Time) ([]time.Time, error) {
	n := len(e.Changes)
	if n == 0 {
		return nil, nil
	}
	last, end := e.Changes[n-1], e.Changes[0].Add(modeChangeWindow)
	next := last.Add(modeChangePause)
	if next.After(end) {
		next = end
	}
	switch {
	case !now.Before(end):
		return nil, nil
	case n >= maxModeChanges && now.Before(next):
		stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
		return nil, request.Errorf("LimitExceededException", "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at %s. After the first %d change, each subsequent change in the same window can be performed at most once every %d seconds. Number of updates today: %d. Last change at %s. Next changes can be made at %s.",
			stamp(end), maxModeChanges, int(modeChangePause.Seconds()), n, stamp(last), stamp(next))
	}
	return e.Changes, nil
}

// wish is what an SSESpecification asks for.
type wish struct {
	mode  keyMode
	keyID string
}

type sseSpecification struct {
	Enabled        *bool
	SSEType        *string
	KMSMasterKeyID *string `json:"KMSMasterKeyId"`
}

// wish checks the specification; nil asks for the AWS owned key.
func (s *sseSpecification) wish() (wish, error) {
	switch enabled := s != nil && s.Enabled != nil && *s.Enabled; {
	case s == nil:
		return wish{mode: keyOwned}, nil
	case !enabled && s.SSEType != nil:
		return wish{}, errParam("SSEType can not be specified if Enabled is false")
	case !enabled && s.KMSMasterKeyID != nil:
		return wish{}, errParam("KMSMasterKeyId can not be specified if Enabled is false")
	case !enabled:
		return wish{mode: keyOwned}, nil
	case s.SSEType != nil && *s.SSEType != "KMS":
		return wish{}, errParam("SSEType %s is not supported", *s.SSEType)
	case s.SSEType == nil && s.KMSMasterKeyID != nil:
		return wish{}, errParam("SSEType KMS is required if KMSMasterKeyId is specified")
	case s.KMSMasterKeyID == nil || *s.KMSMasterKeyID == managedAlias:
		return wish{mode: keyManaged}, nil
	default:
		return wish{mode: keyCustomer, keyID: *s.KMSMasterKeyID}, nil
	}
}

// via is the call to KMS that DynamoDB makes on behalf of c's caller.
func via(c *request.Call, operation string) *request.Call {
	return c.Via("kms", operation, servicePrincipal(c.Region))
}

// own is the call to KMS that DynamoDB makes for itself, under its grant, for
// the table with the ARN.
func own(c *request.Call, operation, account, table string) *request.Call {
	k := c.Via("kms", operation, "")
	k.AccountID, k.SourceARN = account, table
	k.Caller = request.Caller{Principal: policy.Principal{Type: policy.Service, ARN: servicePrincipal(c.Region)}}
	return k
}

func servicePrincipal(region string) string { return "dynamodb." + region + ".amazonaws.com" }

// encryptionContext binds a wrapped table key to its table and account.
func encryptionContext(table, account string) map[string]string {
	return map[string]string{"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": account}
}

var grantOperations = []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "RetireGrant", "DescribeKey"}

// resolve finds the key of a wish, as the caller.
func (s *Service) resolve(ctx context.Context, c *request.Call, w wish) (mode keyMode, arn string, err error) {
	if w.mode == keyOwned {
		return keyOwned, "", nil
	}
	id := w.keyID
	if w.mode == keyManaged {
		if id, err = s.cfg.Keys.EnsureAWSManagedKey(ctx, via(c, "DescribeKey")); err != nil {
			return 0, "", keyError(c, err)
		}
	}
	info, err := s.cfg.Keys.DescribeKey(ctx, via(c, "DescribeKey"), id)
	if err != nil {
		return 0, "", keyError(c, err)
	}
	if !info.Symmetric {
		return 0, "", errParam("KMSMasterKeyId must be a symmetric encryption key: %s", info.ARN)
	}
	if info.AWSManaged {
		return keyManaged, info.ARN, nil
	}
	return keyCustomer, info.ARN, nil
}

// adopt makes grant and table key for a table under a resolved key. The
// returned plaintext key is the caller's to wipe.
func (s *Service) adopt(ctx context.Context, c *request.Call, t target, mode keyMode, arn string, generation int) (encryption, []byte, error) {
	e := encryption{Mode: mode, KeyARN: arn, Generation: generation}
	if mode == keyOwned {
		key := newTableKey()
		e.TableKey = append([]byte(nil), key...)
		return e, key, nil
	}
	k := via(c, "CreateGrant")
	k.ForAWSResource = true
	bound := encryptionContext(t.name, t.Account)
	grant, err := s.cfg.Keys.CreateGrant(ctx, k, arn, TableGrant{
		GranteePrincipal: servicePrincipal(t.Region), RetiringPrincipal: servicePrincipal(t.Region),
		Operations: grantOperations, ContextSubset: bound,
	})
	if err != nil {
		return e, nil, keyError(c, err)
	}
	e.Grant = grant
	plain, wrapped, err := s.cfg.Keys.GenerateDataKey(ctx, own(c, "GenerateDataKey", t.Account, t.arn), arn, bound)
	if err != nil {
		s.retire(ctx, c, t, e)
		return e, nil, keyError(c, err)
	}
	e.TableKey = wrapped
	return e, plain, nil
}

// retire ends the grant of a table. A key that is gone or unusable has no
// grant worth keeping, so errors do not matter.
func (s *Service) retire(ctx context.Context, c *request.Call, t target, e encryption) {
	if e.Grant == "" {
		return
	}
	_ = s.cfg.Keys.RetireGrant(ctx, own(c, "RetireGrant", t.Account, t.arn), e.KeyARN, e.Grant)
}

// keyError is DynamoDB's answer when KMS refused.
func keyError(c *request.Call, err error) error {
	var k *request.Error
	if !errors.As(err, &k) {
		return errInternal(err)
	}
	status := k.HTTPStatus()
	if status >= 500 {
		return errInternal(errors.New("KMS: " + k.Code))
	}
	text := func(prefix, class string) string {
		return fmt.Sprintf("%s: com.amazonaws.services.kms.model.%s: %s (Service: AWSKMS; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)",
			prefix, class, k.Message, status, k.Code, c.ID)
	}
	switch k.Code {
	case "AccessDeniedException":
		refused := errAccessDenied(text("KMS key access denied error", "AWSKMSException"))
		refused.Decision = k.Decision
		return refused
	case "DisabledException":
		return errValidation(text("KMS key disabled error", k.Code))
	case "ThrottlingException", "LimitExceededException":
		return request.Errorf("ThrottlingException", "%s", text("KMS request limit exceeded", k.Code))
	}
	return errValidation(text("KMS validation error", k.Code))
}

// denied reports whether KMS answered that the caller is not allowed.
func denied(err error) bool {
	var k *request.Error
	return errors.As(err, &k) && k.Code == "AccessDeniedException"
}

// unreachable reports whether err says that the key itself cannot be used, as
// opposed to the caller not being allowed.
func unreachable(err error) bool {
	var k *request.Error
	if !errors.As(err, &k) {
		return false
	}
	switch k.Code {
	case "DisabledException", "KMSInvalidStateException", "NotFoundException":
		return true
	}
	return false
}
