// SPDX-License-Identifier: Apache-2.0

package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
)

// ErrNoTable means that Load was called without a table.
var ErrNoTable = errors.New("no table to ask about")

// maxPages bounds the pages that Load reads of one list.
const maxPages = 10000

// Load reads what decides who can use the tables from the account of cfg. It
// makes only calls that read, at most 20 a second after the first 100.
//
// What Load cannot read becomes a [Gap] of the snapshot and not an error: because a
// permission is missing, the server lacks the operation, an answer is not in AWS's
// form, or a key is of another account. Load returns an error if it cannot describe
// a table, if a server does not answer, if the SDK gives up on throttled calls, or
// if ctx ends; and ErrNoTable without tables.
//
// Load needs these permissions: dynamodb:DescribeTable,
// dynamodb:GetResourcePolicy, dynamodb:ListTagsOfResource, kms:DescribeKey,
// kms:GetKeyPolicy, kms:ListGrants, kms:ListResourceTags,
// iam:GetAccountAuthorizationDetails. Without the last one it lists users,
// groups, roles and their policies one by one, with iam:List and iam:Get
// permissions. AWS's managed policy SecurityAudit has all but kms:DescribeKey and
// dynamodb:GetResourcePolicy.
func Load(ctx context.Context, cfg aws.Config, tables ...Table) (*Snapshot, error) {
	if len(tables) == 0 {
		return nil, ErrNoTable
	}
	l := &loader{pace: newPace(callsPerSecond, burst), ddb: dynamodb.NewFromConfig(cfg), cfg: cfg,
		iam:      iam.NewFromConfig(cfg),
		snapshot: &Snapshot{Version: SnapshotVersion, Taken: time.Now().UTC(), Region: cfg.Region}}
	for _, t := range tables {
		if err := l.table(ctx, t); err != nil {
			return nil, err
		}
	}
	if err := l.keys(ctx); err != nil {
		return nil, err
	}
	if err := l.identities(ctx); err != nil {
		return nil, err
	}
	return l.snapshot, nil
}

// loader fills a snapshot.
type loader struct {
	cfg      aws.Config
	pace     *pace
	ddb      *dynamodb.Client
	iam      *iam.Client
	snapshot *Snapshot
}

// read makes one call when it is its turn. An answer that says that the thing
// cannot be read becomes a gap, and ok is false.
func (l *loader) read(ctx context.Context, permission, resource string, call func() error) (ok bool, err error) {
	if err := l.pace.wait(ctx); err != nil {
		return false, err
	}
	err = call()
	if err == nil {
		return true, nil
	}
	reason := unreadable(err)
	if reason == "" || ctx.Err() != nil {
		return false, fmt.Errorf("%s: %w", permission, err)
	}
	l.gap(permission, resource, reason)
	return false, nil
}

func (l *loader) gap(permission, resource, reason string) {
	l.snapshot.NotRead = append(l.snapshot.NotRead, Gap{permission, resource, reason})
}

// noCode is the SDK's error code of an answer that has none.
const noCode = "UnknownError"

// unreadable says in words why something cannot be read, or returns "" for an
// error that is about the call and not about the thing.
func unreadable(err error) string {
	var response *awshttp.ResponseError
	answered := errors.As(err, &response)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() == noCode {
		if answered { // such as a page in HTML, of a server that lacks the operation
			return fmt.Sprintf("the server answers HTTP %d and no error of AWS", response.HTTPStatusCode())
		}
		return ""
	}
	switch api.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException":
		return "permission denied"
	case "UnknownOperationException", "InvalidAction", "NotImplemented", "UnsupportedOperationException",
		"UnknownOperation":
		return "the server does not have the operation"
	case "NotFoundException", "ResourceNotFoundException", "NoSuchEntity", "InvalidArnException":
		return "not found"
	}
	if answered && response.HTTPStatusCode() == http.StatusNotImplemented {
		return "the server does not have the operation"
	}
	return ""
}

// table describes a table and reads its policies.
func (l *loader) table(ctx context.Context, t Table) error {
	if err := l.pace.wait(ctx); err != nil {
		return err
	}
	out, err := l.ddb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.Name})
	if err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	d := out.Table
	t.ARN, t.Name = aws.ToString(d.TableArn), aws.ToString(d.TableName)
	if slices.ContainsFunc(l.snapshot.Tables, func(x Table) bool { return x.ARN == t.ARN }) {
		return nil
	}
	a, err := arn.Parse(t.ARN)
	if err != nil {
		return fmt.Errorf("table %s: the server calls it %q: %w", t.Name, t.ARN, err)
	}
	if s := l.snapshot; s.Account == "" {
		s.Account, s.Region, s.Partition = a.AccountID, a.Region, a.Partition
	}
	t.KeyARN, t.Indexes, t.StreamARN, t.Policy, t.StreamPolicy, t.Tags = "", nil, "", "", "", nil
	if sse := d.SSEDescription; sse != nil {
		t.KeyARN = aws.ToString(sse.KMSMasterKeyArn)
	}
	for _, i := range d.GlobalSecondaryIndexes {
		t.Indexes = append(t.Indexes, aws.ToString(i.IndexName))
	}
	for _, i := range d.LocalSecondaryIndexes {
		t.Indexes = append(t.Indexes, aws.ToString(i.IndexName))
	}
	if s := d.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		t.StreamARN = aws.ToString(d.LatestStreamArn)
	}
	if t.Policy, err = l.resourcePolicy(ctx, t.ARN); err != nil {
		return err
	}
	if t.StreamARN != "" {
		if t.StreamPolicy, err = l.resourcePolicy(ctx, t.StreamARN); err != nil {
			return err
		}
	}
	if t.Tags, err = l.tableTags(ctx, t.ARN); err != nil {
		return err
	}
	l.snapshot.Tables = append(l.snapshot.Tables, t)
	return nil
}

// resourcePolicy reads the policy of a table or stream; empty if it has none.
func (l *loader) resourcePolicy(ctx context.Context, of string) (policy string, err error) {
	_, err = l.read(ctx, "dynamodb:GetResourcePolicy", of, func() error {
		out, err := l.ddb.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &of})
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorCode() == "PolicyNotFoundException" {
			return nil
		}
		if err == nil {
			policy = aws.ToString(out.Policy)
		}
		return err
	})
	return policy, err
}

func (l *loader) tableTags(ctx context.Context, of string) (tags map[string]string, err error) {
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &of}
	for range maxPages {
		more := false
		ok, err := l.read(ctx, "dynamodb:ListTagsOfResource", of, func() error {
			out, err := l.ddb.ListTagsOfResource(ctx, in)
			if err != nil {
				return err
			}
			for _, t := range out.Tags {
				tags = put(tags, aws.ToString(t.Key), aws.ToString(t.Value))
			}
			in.NextToken, more = out.NextToken, out.NextToken != nil
			return nil
		})
		if err != nil || !ok || !more {
			return tags, err
		}
	}
	return tags, errPages
}

var errPages = errors.New("the server's list does not end")

func put(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}

// keys reads the keys of all tables and items.
func (l *loader) keys(ctx context.Context) error {
	var all []string
	add := func(key string) {
		if key != "" && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	for _, t := range l.snapshot.Tables {
		add(t.KeyARN)
		for _, k := range t.ItemKeys {
			add(k.ARN)
		}
	}
	for _, key := range all {
		a, err := arn.Parse(key)
		if err != nil || a.Service != "kms" || !strings.HasPrefix(a.Resource, "key/") {
			return fmt.Errorf("item key %q is not the ARN of a KMS key", key)
		}
		cfg := l.cfg.Copy()
		cfg.Region = a.Region
		if err := l.key(ctx, kms.NewFromConfig(cfg), key); err != nil {
			return fmt.Errorf("key %s: %w", key, err)
		}
	}
	return nil
}

func (l *loader) key(ctx context.Context, client *kms.Client, id string) error {
	k := Key{ARN: id}
	if _, err := l.read(ctx, "kms:DescribeKey", id, func() error {
		out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
		if err != nil {
			return err
		}
		d := out.KeyMetadata
		k.Managed, k.Spec, k.Usage = d.KeyManager == "AWS", string(d.KeySpec), string(d.KeyUsage)
		k.Origin, k.State, k.MultiRegion = string(d.Origin), string(d.KeyState), aws.ToBool(d.MultiRegion)
		return nil
	}); err != nil {
		return err
	}
	if _, err := l.read(ctx, "kms:GetKeyPolicy", id, func() error {
		out, err := client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
		if err == nil {
			k.Policy = aws.ToString(out.Policy)
		}
		return err
	}); err != nil {
		return err
	}
	if err := l.grants(ctx, client, &k); err != nil {
		return err
	}
	if err := l.keyTags(ctx, client, &k); err != nil {
		return err
	}
	l.snapshot.Keys = append(l.snapshot.Keys, k)
	return nil
}

func (l *loader) grants(ctx context.Context, client *kms.Client, k *Key) error {
	in := &kms.ListGrantsInput{KeyId: &k.ARN}
	for range maxPages {
		more := false
		ok, err := l.read(ctx, "kms:ListGrants", k.ARN, func() error {
			out, err := client.ListGrants(ctx, in)
			if err != nil {
				return err
			}
			for _, g := range out.Grants {
				grant := Grant{ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name),
					Grantee:  cmp.Or(aws.ToString(g.GranteePrincipal), aws.ToString(g.GranteeServicePrincipal)),
					Retiring: cmp.Or(aws.ToString(g.RetiringPrincipal), aws.ToString(g.RetiringServicePrincipal)),
					Issuer:   aws.ToString(g.IssuingAccount)}
				for _, o := range g.Operations {
					grant.Operations = append(grant.Operations, string(o))
				}
				if c := g.Constraints; c != nil {
					grant.Equals, grant.Subset = c.EncryptionContextEquals, c.EncryptionContextSubset
					grant.SourceARN = aws.ToString(c.SourceArn)
				}
				k.Grants = append(k.Grants, grant)
			}
			in.Marker, more = out.NextMarker, out.Truncated
			return nil
		})
		if err != nil || !ok || !more {
			return err
		}
	}
	return errPages
}

func (l *loader) keyTags(ctx context.Context, client *kms.Client, k *Key) error {
	in := &kms.ListResourceTagsInput{KeyId: &k.ARN}
	for range maxPages {
		more := false
		ok, err := l.read(ctx, "kms:ListResourceTags", k.ARN, func() error {
			out, err := client.ListResourceTags(ctx, in)
			if err != nil {
				return err
			}
			for _, t := range out.Tags {
				k.Tags = put(k.Tags, aws.ToString(t.TagKey), aws.ToString(t.TagValue))
			}
			in.Marker, more = out.NextMarker, out.Truncated
			return nil
		})
		if err != nil || !ok || !more {
			return err
		}
	}
	return errPages
}
