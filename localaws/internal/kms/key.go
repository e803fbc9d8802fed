// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/kms/asymmetric"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/hmackey"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// State is the state of a KMS key.
type State string

// The states of a key. A key whose deletion is due is not in any state: it
// does not exist.
const (
	Enabled                State = "Enabled"
	Disabled               State = "Disabled"
	PendingDeletion        State = "PendingDeletion"
	PendingReplicaDeletion State = "PendingReplicaDeletion"
)

const (
	usageEncrypt = "ENCRYPT_DECRYPT"
	usageMAC     = "GENERATE_VERIFY_MAC"
	usageAgree   = asymmetric.UsageAgreement

	specSymmetric = "SYMMETRIC_DEFAULT"

	managerCustomer = "CUSTOMER"
	managerAWS      = "AWS"
)

// key is one KMS key in one Region. It is immutable once it is in the service:
// a change replaces it. What related multi-Region keys share is in family.
type key struct {
	wire.Place
	id, arn     string
	rawID       [16]byte
	description string
	created     time.Time
	usage, spec string
	manager     string
	multiRegion bool
	state       State
	// deleteAt is when a key that is PendingDeletion ceases to exist.
	deleteAt time.Time
	window   int // days, of the deletion scheduled
	policy   *keyPolicy
	tags     []tag    // in the order of their keys
	aliases  []string // names, sorted
	family   *family
	lastUse  *lastUse

	conditions conditions // condition keys that do not depend on the request
}

type tag struct {
	Key   string `json:"TagKey"`
	Value string `json:"TagValue"`
}

// family is what related multi-Region keys have in common. A single-Region
// key has one to itself.
type family struct {
	account, id string
	current     atomic.Pointer[shared]
}

// shared is the state of a family; a change replaces it.
type shared struct {
	primary  string   // Region of the primary key
	regions  []string // of every member, sorted
	versions []*version
	rotation rotation
}

func (f *family) load() *shared { return f.current.Load() }

func (f *shared) clone() *shared {
	c := *f
	c.regions = slices.Clone(f.regions)
	c.versions = slices.Clone(f.versions)
	return &c
}

// newest returns the version that encrypts.
func (f *shared) newest() *version { return f.versions[len(f.versions)-1] }

func (k *key) clone() *key {
	c := *k
	c.tags = slices.Clone(k.tags)
	c.aliases = slices.Clone(k.aliases)
	return &c
}

// isPrimary tells whether the key is a multi-Region primary.
func (k *key) isPrimary() bool { return k.multiRegion && k.family.load().primary == k.Region }

// isReplica tells whether the key is a multi-Region replica. The primary Region
// of a single-Region key is its own.
func (k *key) isReplica() bool { return k.family.load().primary != k.Region }

// usable returns the error with which AWS refuses an operation on a key that
// must be enabled.
func (k *key) usable() error {
	if k.state == Disabled {
		return disabled(k.arn)
	}
	return k.notDoomed()
}

// notDoomed returns the error with which AWS refuses an operation on a key
// that is to be deleted.
func (k *key) notDoomed() error {
	switch k.state {
	case PendingDeletion:
		return invalidState("%s is pending deletion.", k.arn)
	case PendingReplicaDeletion:
		return invalidState("%s is pending replica deletion.", k.arn)
	}
	return nil
}

// Metadata is the answer of DescribeKey.
type Metadata struct {
	AWSAccountID             string `json:"AWSAccountId"`
	KeyID                    string `json:"KeyId"`
	ARN                      string `json:"Arn"`
	CreationDate             Epoch
	Enabled                  bool
	Description              string
	KeyUsage                 string
	KeyState                 State
	DeletionDate             *Epoch `json:",omitempty"`
	Origin                   string
	KeyManager               string
	CustomerMasterKeySpec    string
	KeySpec                  string
	EncryptionAlgorithms     []string `json:",omitempty"`
	MacAlgorithms            []string `json:",omitempty"`
	KeyAgreementAlgorithms   []string `json:",omitempty"`
	MultiRegion              bool
	MultiRegionConfiguration *MultiRegionConfiguration `json:",omitempty"`
	// PendingDeletionWindowInDays is there for a primary that waits for its
	// replicas.
	PendingDeletionWindowInDays int    `json:",omitempty"`
	CurrentKeyMaterialID        string `json:"CurrentKeyMaterialId,omitempty"`
}

// MultiRegionConfiguration names the related keys of a multi-Region key.
type MultiRegionConfiguration struct {
	MultiRegionKeyType string // PRIMARY or REPLICA
	PrimaryKey         RegionalKey
	ReplicaKeys        []RegionalKey
}

// RegionalKey is one of several related multi-Region keys.
type RegionalKey struct {
	ARN    string `json:"Arn"`
	Region string
}

func (k *key) metadata() Metadata {
	m := Metadata{
		AWSAccountID: k.Account, KeyID: k.id, ARN: k.arn, CreationDate: Epoch(k.created), Enabled: k.state == Enabled,
		Description: k.description, KeyUsage: k.usage, KeyState: k.state, Origin: "AWS_KMS", KeyManager: k.manager,
		CustomerMasterKeySpec: k.spec, KeySpec: k.spec, MultiRegion: k.multiRegion,
	}
	family := k.family.load()
	switch {
	case k.spec == specSymmetric:
		m.EncryptionAlgorithms = []string{specSymmetric}
		m.CurrentKeyMaterialID = family.newest().id
	case k.usage == usageMAC:
		m.MacAlgorithms = []string{hmackey.Algorithm(k.spec)}
	default:
		m.EncryptionAlgorithms, m.KeyAgreementAlgorithms = k.algorithms()
	}
	if k.state == PendingDeletion {
		at := Epoch(k.deleteAt)
		m.DeletionDate = &at
	}
	if k.state == PendingReplicaDeletion {
		m.PendingDeletionWindowInDays = k.window
	}
	if k.multiRegion {
		c := &MultiRegionConfiguration{MultiRegionKeyType: k.multiRegionType(), ReplicaKeys: []RegionalKey{}}
		for _, region := range family.regions {
			r := RegionalKey{ARN: keyname.ARN(wire.Place{Account: k.Account, Region: region}, k.id), Region: region}
			if region == family.primary {
				c.PrimaryKey = r
			} else {
				c.ReplicaKeys = append(c.ReplicaKeys, r)
			}
		}
		m.MultiRegionConfiguration = c
	}
	return m
}

func (k *key) multiRegionType() string {
	if k.isPrimary() {
		return "PRIMARY"
	}
	return "REPLICA"
}
