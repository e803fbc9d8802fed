// SPDX-License-Identifier: Apache-2.0

package access

import "time"

// Table is a table of a Snapshot. For [Load] you set Name and, if the items are
// encrypted before they are sent, the fields up to Sample. Load sets the
// others.
type Table struct {
	// Name is the table's name or ARN.
	Name string `json:"name"`
	// ItemKeys are the KMS keys under which the items are encrypted before they are
	// sent. Each of them can decrypt every item. Empty: there is no client-side
	// encryption under KMS keys.
	ItemKeys []ItemKey `json:"itemKeys,omitempty"`
	// LogicalName is the table name in the encryption context of the items; empty:
	// Name.
	LogicalName string `json:"logicalName,omitempty"`
	// RawKeys reports that the items can also be decrypted with keys outside of
	// KMS. No policy says who has those keys.
	RawKeys bool `json:"rawKeys,omitempty"`
	// SymmetricSignature reports that items are written without an ECDSA
	// signature. Every principal that can read such an item in plaintext can
	// write one that verifies.
	SymmetricSignature bool `json:"symmetricSignature,omitempty"`

	// Sample says how some of the items are really encrypted. Nil: no sample was
	// taken.
	Sample *Sample `json:"sample,omitempty"`

	ARN string `json:"arn,omitempty"`
	// KeyARN is the KMS key of the table; empty: the AWS owned key.
	KeyARN string `json:"keyArn,omitempty"`
	// Indexes are the names of the secondary indexes.
	Indexes []string `json:"indexes,omitempty"`
	// Policy is the table's resource policy; empty: none.
	Policy string `json:"policy,omitempty"`
	// StreamARN is the table's newest stream, StreamPolicy its resource policy.
	StreamARN    string            `json:"streamArn,omitempty"`
	StreamPolicy string            `json:"streamPolicy,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
}

// ItemKey is a KMS key under which items of a table are encrypted before they
// are sent.
type ItemKey struct {
	ARN string `json:"arn"`
	// KeyStore is the table of the branch keys that the key protects. Empty: the
	// key protects data keys.
	KeyStore string `json:"keyStore,omitempty"`
	// LogicalName is the key store's name in the encryption context; empty:
	// KeyStore.
	LogicalName string `json:"logicalName,omitempty"`
	// Sampled reports that a sampled item names the key and the configuration does
	// not. The key decrypts that item; whether readers accept items that are
	// encrypted under it is not known.
	Sampled bool `json:"sampled,omitempty"`
}

// Key is a KMS key.
type Key struct {
	ARN string `json:"arn"`
	// Managed reports that the key is an AWS managed key, such as
	// alias/aws/dynamodb.
	Managed     bool              `json:"managed,omitempty"`
	Spec        string            `json:"spec,omitempty"`
	Usage       string            `json:"usage,omitempty"`
	Origin      string            `json:"origin,omitempty"`
	MultiRegion bool              `json:"multiRegion,omitempty"`
	State       string            `json:"state,omitempty"` // "Enabled", "Disabled", …
	Policy      string            `json:"policy,omitempty"`
	Grants      []Grant           `json:"grants,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Grant is a grant on a KMS key.
type Grant struct {
	ID         string            `json:"id"`
	Name       string            `json:"name,omitempty"`
	Grantee    string            `json:"grantee"`
	Retiring   string            `json:"retiring,omitempty"`
	Operations []string          `json:"operations"`
	Equals     map[string]string `json:"contextEquals,omitempty"`
	Subset     map[string]string `json:"contextSubset,omitempty"`
	SourceARN  string            `json:"sourceArn,omitempty"`
	Issuer     string            `json:"issuer,omitempty"`
}

// Policy is an inline policy.
type Policy struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// ManagedPolicy is a managed policy, of the account or of AWS.
type ManagedPolicy struct {
	ARN      string `json:"arn"`
	Document string `json:"document"` // of the default version
}

// Identity is what users, groups and roles have in common.
type Identity struct {
	ARN      string   `json:"arn"`
	ID       string   `json:"id"` // "AIDA…", "AGPA…", "AROA…"
	Inline   []Policy `json:"inline,omitempty"`
	Attached []string `json:"attached,omitempty"` // ARNs of managed policies
	Boundary string   `json:"boundary,omitempty"` // ARN of a managed policy
	// Tags of users and roles.
	Tags map[string]string `json:"tags,omitempty"`
}

// User is an IAM user.
type User struct {
	Identity
	Groups []string `json:"groups,omitempty"` // names
}

// Group is an IAM group.
type Group struct{ Identity }

// Role is an IAM role.
type Role struct {
	Identity
	Trust string `json:"trust"`
}

// Gap is something that was not read although answers depend on it.
type Gap struct {
	// Permission is the permission that reading it needs, such as
	// "kms:GetKeyPolicy".
	Permission string `json:"permission"`
	// Resource is the ARN that it is about; empty: the account.
	Resource string `json:"resource,omitempty"`
	// Reason says why it was not read.
	Reason string `json:"reason"`
}

// SnapshotVersion is the version of the JSON form that this package writes.
const SnapshotVersion = 1

// Snapshot has everything that decides who can use its tables, as it was at one
// time.
type Snapshot struct {
	Version   int       `json:"version"`
	Taken     time.Time `json:"taken"`
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	Partition string    `json:"partition"`

	Tables   []Table         `json:"tables"`
	Keys     []Key           `json:"keys,omitempty"`
	Users    []User          `json:"users,omitempty"`
	Groups   []Group         `json:"groups,omitempty"`
	Roles    []Role          `json:"roles,omitempty"`
	Policies []ManagedPolicy `json:"policies,omitempty"`

	// NotRead has what Load could not read. Where an answer depends on it,
	// Analyze answers Unknown in place of No.
	NotRead []Gap `json:"notRead,omitempty"`
}
