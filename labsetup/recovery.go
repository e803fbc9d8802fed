// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/envelope/keystore/plaintextescrow"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
)

// escrow is what the chapter on recovery keeps outside of AWS.
type escrow struct {
	key, stranger *ecdh.PrivateKey
	archive       *plaintextescrow.Archive
	source        materials.BranchKeySource // of the archive, once it was opened
	item          envelope.Item             // a copy of the item under the multi-Region key
}

const (
	notOpened = "not opened"
	refusedIt = "refused"

	escrowCLI = "# This takes a program: see package plaintextescrow."
)

// recoveryChapter loses the key and then a Region, and opens the items.
func (l *Lab) recoveryChapter() chapter {
	a := &l.administrator
	item := openItemCLI(branchID+"1", "")
	decrypts := func(id, title, expected, why, cli string, do action) labStep {
		return sees(id, title, administratorRole, ModeClient, expected, why, cli, do)
	}
	key := func(state string) string { return "aws kms " + state + "-key --key-id \"$KEY\"" }
	return chapter{chapterRecovery, []labStep{
		does("escrow-export", "export the branch key to escrow",
			"The versions of the branch key are unwrapped once and encrypted for a key pair of your own (ECDH), whose "+
				"private key you keep offline. From now on a person who has this archive and the private key opens "+
				"the items, whatever the key policy says.",
			escrowCLI, doing(l.exportEscrow)),
		does("escrow-lose", "lose the key: disable it",
			"A deleted key is worse: nothing brings it back after the wait of 7 to 30 days. Until then you can "+
				"cancel the deletion.", key("disable"), doing(l.disableKey)),
		decrypts("escrow-lost", "administrator opens an item under the branch key", KeyDisabled,
			"The branch key is wrapped by the key, so the item stays closed. The backups of the table are the same "+
				"ciphertext and do not help.", item, func(ctx context.Context) (string, error) {
				return l.opensBranch(ctx, a)
			}),
		decrypts("escrow-stranger", "open the escrow with another private key", notOpened,
			"The archive alone is worth nothing.", escrowCLI, l.opensEscrowAsStranger),
		decrypts("escrow-opened", "open the item with the branch key from escrow", SeesPlaintext,
			"No call to KMS is made: the item, the archive and the private key are enough.", escrowCLI,
			l.opensFromEscrow),
		decrypts("escrow-writes", "write an item with the branch key from escrow", refusedIt,
			"Escrow is for reading. After a disaster new items belong under a new key.", escrowCLI, l.writesFromEscrow),
		does("escrow-enable", "enable the key again", "Nothing was lost this time.", key("enable"), doing(l.enableKey)),

		does("region-item", "put an item under the multi-Region key, and keep a copy of it",
			"The copy stands for a replica of the table, a backup, or an export in the other Region.",
			putItemsCLI(`{"type":"aws-kms-mrk","keyId":"$MULTI"}`, regionID),
			doing(l.putRegionItem)),
		does("region-lose", "lose the Region: disable the primary key",
			"The lab cannot switch a Region off, so it disables the primary key, which then refuses every call.",
			"aws kms disable-key --key-id "+multiCLI, l.setMulti(false)),
		decrypts("region-lost", "administrator opens the copy in "+l.region, KeyDisabled,
			"The primary key no longer answers.", l.openRegionCLI(false), l.opensRegion(false)),
		decrypts("region-replica", "administrator opens the copy in "+l.otherRegion(), SeesPlaintext,
			"The replica has the same key material and a policy of its own, and works without the primary. A key "+
				"that was made for a single Region has no replica, now or later.",
			l.openRegionCLI(true), l.opensRegion(true)),
		does("region-enable", "enable the primary key again", "The Region is back.",
			"aws kms enable-key --key-id "+multiCLI,
			l.setMulti(true)),
	}}
}

// multiCLI names the multi-Region key in a command.
const multiCLI = `"$MULTI"`

// openRegionCLI is the command that opens the item under the multi-Region key in
// its Region, or by its replica.
func (l *Lab) openRegionCLI(replica bool) string {
	key := "$MULTI"
	if replica {
		key = "${MULTI/" + l.region + "/" + l.otherRegion() + "}"
	}
	return decryptCommand(regionID, `{"type":"aws-kms-mrk","keyId":"`+key+`"}`, "")
}

func newEscrowKey() (*ecdh.PrivateKey, error) { return ecdh.P256().GenerateKey(rand.Reader) }

func (l *Lab) exportEscrow(ctx context.Context) (err error) {
	e := &escrow{}
	if e.key, err = newEscrowKey(); err != nil {
		return err
	}
	if e.stranger, err = newEscrowKey(); err != nil {
		return err
	}
	ks, err := l.keyStoreAs(&l.administrator, l.administrator.kms)
	if err != nil {
		return err
	}
	recipient, err := keyring.NewRawECDHEphemeral(e.key.PublicKey())
	if err != nil {
		return err
	}
	e.archive, err = plaintextescrow.Export(ctx, plaintextescrow.ExportConfig{Store: ks,
		BranchKeyIDs: []string{branchKeyID}, Keyring: recipient})
	l.escrow = e
	return err
}

func (l *Lab) openEscrow(ctx context.Context, key *ecdh.PrivateKey) (*plaintextescrow.Source, error) {
	private, err := keyring.NewRawECDHDiscovery(key)
	if err != nil {
		return nil, err
	}
	return plaintextescrow.Open(ctx, l.escrow.archive, private)
}

func (l *Lab) opensEscrowAsStranger(ctx context.Context) (string, error) {
	source, err := l.openEscrow(ctx, l.escrow.stranger)
	if err != nil {
		return notOpened, ctx.Err()
	}
	source.Wipe()
	return "opened", nil
}

// escrowTable is the table with branch keys from the archive.
func (l *Lab) escrowTable(ctx context.Context) (*store.Table[Record], error) {
	if l.escrow.source == nil {
		source, err := l.openEscrow(ctx, l.escrow.key)
		if err != nil {
			return nil, err
		}
		l.escrow.source = source
	}
	mode, err := branchMode(l.escrow.source)
	if err != nil {
		return nil, err
	}
	return store.New[Record](l.administrator.ddb, HierarchyTable, mode)
}

func (l *Lab) opensFromEscrow(ctx context.Context) (string, error) {
	t, err := l.escrowTable(ctx)
	if err != nil {
		return "", err
	}
	return opensFirst(ctx, t)
}

func (l *Lab) writesFromEscrow(ctx context.Context) (string, error) {
	t, err := l.escrowTable(ctx)
	if err != nil {
		return "", err
	}
	err = t.Put(ctx, recordWithID("escrow"))
	if errors.Is(err, materials.ErrUnsupported) {
		return refusedIt, nil
	}
	return allowed, err
}

func (l *Lab) disableKey(ctx context.Context) error {
	_, err := l.administrator.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.keyARN)})
	return err
}

func (l *Lab) enableKey(ctx context.Context) error {
	_, err := l.administrator.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.keyARN)})
	return err
}

// setMulti enables or disables the primary of the multi-Region key.
func (l *Lab) setMulti(enabled bool) action {
	return doing(func(ctx context.Context) error {
		if enabled {
			_, err := l.administrator.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.multi)})
			return err
		}
		_, err := l.administrator.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.multi)})
		return err
	})
}

// regionTable is the table with items under the multi-Region key, in this Region
// or in the other one.
func (l *Lab) regionTable(elsewhere bool) (*store.Table[Record], error) {
	config := awskms.Config{Client: l.administrator.kms, KeyARN: l.multi}
	if elsewhere {
		config = awskms.Config{Client: l.elsewhere(), KeyARN: l.replicaARN()}
	}
	k, err := awskms.NewMRK(config)
	if err != nil {
		return nil, err
	}
	return store.New[Record](l.administrator.ddb, HierarchyTable, store.ClientSide{Keyring: k})
}

const regionID = "region"

func (l *Lab) putRegionItem(ctx context.Context) error {
	t, err := l.regionTable(false)
	if err != nil {
		return err
	}
	if err := t.Put(ctx, recordWithID(regionID)); err != nil {
		return err
	}
	l.escrow.item, err = t.Raw(ctx, store.Key{Partition: regionID})
	return err
}

// opensRegion opens the copy of the item. The table is not asked.
func (l *Lab) opensRegion(elsewhere bool) action {
	return func(ctx context.Context) (string, error) {
		t, err := l.regionTable(elsewhere)
		if err != nil {
			return "", err
		}
		opened, err := t.Encryptor().DecryptItem(ctx, l.escrow.item)
		if err != nil {
			return "", err
		}
		if _, sealed := opened[envelope.HeaderAttribute]; sealed || opened["diagnosis"] == nil {
			return SeesCiphertext, nil
		}
		return SeesPlaintext, nil
	}
}
