// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/store"
)

const (
	loseRegionID = "lose-region"
	records      = "records"
	recovery     = "recovery"
)

// loseRegion: items that another Region can open when this one is lost.
func loseRegion() definition {
	return definition{
		Exercise: Exercise{
			ID:    loseRegionID,
			Title: "Lose a Region",
			Goal: "A replica of a multi-Region key opens what the primary has encrypted, under a key policy of its " +
				"own.",
			Start: "The items of …-records are encrypted under a multi-Region key before they are sent. The table " +
				"has a copy in a second Region: us-west-2, or us-east-1 if you work in us-west-2. The key has no " +
				"replica there.",
			Task: "Prepare for the loss of the Region: …-recovery opens the copy in the second Region without a call " +
				"to the first. It gets no right to the key in the first Region, no right to administer the one in " +
				"the second, and …-colleague gets nothing.",
			Hints: []string{
				"aws kms replicate-key makes the replica. It has the same key material and shares nothing else.",
				"Policy, grants, aliases and tags of the primary are not copied. Without a policy the replica gets " +
					"the default one, which leaves it to the account's IAM policies.",
				"Give the replica a key policy with a statement that lets the one user kms:Decrypt.",
			},
		},
		tables: []string{records}, users: []string{recovery, other},
		start: startRegion,
		probes: func(ctx context.Context, s *stage, _ string) ([]probe, error) {
			keyARN, err := s.key(ctx)
			if err != nil {
				return nil, err
			}
			who, err := s.cast(ctx, recovery, other)
			there := s.otherRegion()
			replica := s.replicaOf(keyARN)
			r, o := who[recovery], who[other]
			return []probe{
				{r.name, "open the item in " + there, theRecord, "The user cannot open the copy without the first " +
					"Region.",
					s.opensMRK(r.in(there), replica)},
				{r.name, "open the item in " + s.region, deniedDecrypt, "The user may use the key of the first " +
					"Region too.",
					s.opensMRK(r, keyARN)},
				{r.name, "write the policy of the replica", denied, administers, s.writesPolicy(r.in(there), replica)},
				{o.name, "open the item in " + there, deniedDecrypt, tooWideOther, s.opensMRK(o.in(there), replica)},
			}, err
		},
		solution: func(ctx context.Context, s *stage) (Solution, []command, error) {
			keyARN, err := s.key(ctx)
			policy := s.basePolicy(keypolicy.AllowDecrypt("Allow recovery", s.userARN(recovery), nil)).Text()
			return Solution{Why: "Key material cannot leave a single-Region key, so a key has to be made " +
					"multi-Region before the first item. The replica opens the items because it has the material of " +
					"the primary; who may use it is decided by its own policy, and a right given there is none in " +
					"the first Region."},
				[]command{{heredoc("replica.json", policy) + "aws kms replicate-key --key-id " + keyARN +
					" --replica-region " + s.otherRegion() + " --policy file://replica.json --tags TagKey=" + Tag +
					",TagValue=" + s.id,
					func(ctx context.Context) error { return s.replicate(ctx, keyARN, policy) }}}, err
		},
	}
}

// otherRegion is the second Region.
func (s *stage) otherRegion() string {
	if s.region == "us-west-2" {
		return "us-east-1"
	}
	return "us-west-2"
}

// replicaOf is the ARN that a replica in the second Region has.
func (s *stage) replicaOf(keyARN string) string {
	return "arn:" + s.partition() + ":kms:" + s.otherRegion() + ":" + s.account + ":key/" + keyID(keyARN)
}

func keyID(keyARN string) string {
	for i := len(keyARN) - 1; i >= 0; i-- {
		if keyARN[i] == '/' {
			return keyARN[i+1:]
		}
	}
	return keyARN
}

func (s *stage) replicate(ctx context.Context, keyARN, policy string) error {
	_, err := s.admin.kms.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: aws.String(keyARN),
		ReplicaRegion: aws.String(s.otherRegion()), Policy: aws.String(policy), Tags: s.keyTags()})
	return err
}

// startRegion creates the key, the table and its copy. A key that has a replica is
// given up for a new one, as the replica cannot be made twice while it waits for
// its deletion.
func startRegion(ctx context.Context, s *stage) error {
	for _, user := range []string{recovery, other} {
		if err := s.makeUser(ctx, user, s.identityPolicy(allTables, records)); err != nil {
			return err
		}
	}
	m, err := s.describeKey(ctx)
	if err != nil {
		return err
	}
	var keyARN string
	switch {
	case m != nil && m.KeyState == types.KeyStateEnabled && m.MultiRegionConfiguration != nil &&
		len(m.MultiRegionConfiguration.ReplicaKeys) == 0:
		keyARN, err = s.makeKey(ctx, s.basePolicy())
	default:
		if m != nil {
			if err := s.scheduleAll(ctx, m); err != nil {
				return err
			}
		}
		keyARN, err = s.newKey(ctx, true, s.basePolicy())
	}
	if err != nil {
		return err
	}
	keyring, err := awskms.NewMRK(awskms.Config{Client: s.admin.kms, KeyARN: keyARN})
	if err != nil {
		return err
	}
	if err := s.makeTableWithRecord(ctx, records, "", store.ClientSide{Keyring: keyring}); err != nil {
		return err
	}
	there := s.admin.in(s.otherRegion())
	if err := s.makeTable(ctx, there, s.name(records), ""); err != nil {
		return err
	}
	return s.copyItem(ctx, there, s.name(records), s.name(records), firstID)
}

// copyItem copies an item as it is, ciphertext and all.
func (s *stage) copyItem(ctx context.Context, to actor, from, into, id string) error {
	t, err := store.New[record](s.admin.ddb, from, store.ServerSide{})
	if err != nil {
		return err
	}
	item, err := t.Raw(ctx, store.Key{Partition: id})
	if err != nil {
		return err
	}
	_, err = to.ddb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(into), Item: item})
	return err
}

// opensMRK opens the item in the Region of the actor and the key.
func (s *stage) opensMRK(a actor, keyARN string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		keyring, err := awskms.NewMRK(awskms.Config{Client: a.kms, KeyARN: keyARN})
		if err != nil {
			return "", err
		}
		return s.reads(a, records, store.ClientSide{Keyring: keyring})(ctx)
	}
}
