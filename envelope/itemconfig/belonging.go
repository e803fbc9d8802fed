// SPDX-License-Identifier: Apache-2.0

package itemconfig

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
)

// memberSet is the members that an object of one type can have beside type.
type memberSet struct{ required, optional []string }

func (s memberSet) all() []string { return slices.Concat(s.required, s.optional) }

// membersOfKeyring are the members of each type of keyring.
func membersOfKeyring(kind string) (memberSet, bool) {
	switch kind {
	case "raw-aes":
		return memberSet{required: []string{"namespace", "name", "key"}}, true
	case "raw-rsa":
		return memberSet{[]string{"namespace", "name", "padding"}, []string{"publicKey", "privateKey"}}, true
	case "raw-ecdh":
		return memberSet{required: []string{"privateKey", "publicKey"}}, true
	case "raw-ecdh-ephemeral":
		return memberSet{required: []string{"publicKey"}}, true
	case "raw-ecdh-discovery":
		return memberSet{required: []string{"privateKey"}}, true
	case "aws-kms", "aws-kms-mrk", "aws-kms-ecdh-discovery":
		return memberSet{required: []string{"keyId"}}, true
	case "aws-kms-discovery":
		return memberSet{optional: []string{"region", "partition", "accounts"}}, true
	case "aws-kms-mrk-discovery":
		return memberSet{[]string{"region"}, []string{"partition", "accounts"}}, true
	case "aws-kms-rsa":
		return memberSet{[]string{"keyId", "encryptionAlgorithm"}, []string{"publicKey"}}, true
	case "aws-kms-ecdh":
		return memberSet{required: []string{"keyId", "publicKey"}}, true
	case "multi":
		return memberSet{optional: []string{"generator", "children"}}, true
	case "hierarchical":
		return memberSet{optional: []string{"table", "logicalName", "kmsKeyId", "ttl", "branchKeyId",
			"branchKeys"}}, true
	}
	return memberSet{}, false
}

// membersOfProvider are the members of each type of legacy provider.
func membersOfProvider(kind string) (memberSet, bool) {
	switch kind {
	case "static":
		return memberSet{optional: []string{"contentKey", "macKey", "mac", "publicKey"}}, true
	case "wrapped":
		return memberSet{optional: []string{"wrappingKey", "privateKey", "macKey", "mac", "publicKey"}}, true
	case "aws-kms":
		return memberSet{optional: []string{"keyIds", "withoutKeys"}}, true
	case "meta-store":
		return memberSet{optional: []string{"table", "signedTable", "materialName", "signedOnly", "rows"}}, true
	}
	return memberSet{}, false
}

// belong reports a member of c that counts for nothing, because it belongs to
// another type than the object has, or beside another member: someone meant
// something by it.
func (c *Config) belong() error {
	if err := c.Keyring.belong(); err != nil {
		return in("keyring", err)
	}
	if c.Search != nil {
		if err := c.Search.KeySource.belong(); err != nil {
			return in("search", in("keySource", err))
		}
	}
	if c.Legacy != nil {
		return in("legacy", in("provider", c.Legacy.Provider.belong()))
	}
	return nil
}

func (k *Keyring) belong() error {
	set, known := membersOfKeyring(k.Type)
	if !known {
		return nil // open reports the type
	}
	if err := foreign(k, set, "a keyring of type "+k.Type); err != nil {
		return err
	}
	if len(k.BranchKeys) > 0 {
		if err := beside(k, "branchKeys", "table", "logicalName", "kmsKeyId", "ttl"); err != nil {
			return err
		}
	}
	if k.Generator != nil {
		if err := k.Generator.belong(); err != nil {
			return in("generator", err)
		}
	}
	for i := range k.Children {
		if err := k.Children[i].belong(); err != nil {
			return inList("children", i, err)
		}
	}
	return nil
}

func (k *BeaconKeySource) belong() error {
	if len(k.BeaconKeys) == 0 {
		return nil
	}
	return beside(k, "beaconKeys", "table", "logicalName", "kmsKeyId")
}

func (l *LegacyProvider) belong() error {
	if set, known := membersOfProvider(l.Type); known {
		if err := foreign(l, set, "a legacy provider of type "+l.Type); err != nil {
			return err
		}
	}
	if l.Rows != nil {
		return in("rows", l.Rows.belong())
	}
	return nil
}

// foreign reports the first member that object has and set lacks.
func foreign(object any, set memberSet, what string) error {
	for _, name := range present(object) {
		if name != "type" && !slices.Contains(set.all(), name) {
			return in(name, bad("does not belong to %s, whose members are %s", what, strings.Join(set.all(), ", ")))
		}
	}
	return nil
}

// beside reports the first of the names that object has, all of which count for
// nothing beside the member given.
func beside(object any, given string, names ...string) error {
	for _, name := range present(object) {
		if slices.Contains(names, name) {
			return in(name, bad("counts for nothing beside %s: leave one of them out", given))
		}
	}
	return nil
}

// present returns the names of the members that the struct at object has.
func present(object any) (names []string) {
	v := reflect.ValueOf(object).Elem()
	_, all := membersOf(v.Type())
	for i, name := range all {
		if !v.Field(i).IsZero() {
			names = append(names, name)
		}
	}
	return names
}

// missing returns err. If err is about the keyring as a whole, and k lacks a member
// that its type needs, the error names the member.
func (k *Keyring) missing(err error) error {
	if _, named := errors.AsType[*MemberError](err); named || !errors.Is(err, envelope.ErrConfiguration) {
		return err
	}
	set, _ := membersOfKeyring(k.Type)
	has := present(k)
	for _, name := range set.required {
		if !slices.Contains(has, name) {
			return in(name, fmt.Errorf("missing, and a keyring of type %s needs it: %w", k.Type, err))
		}
	}
	return err
}
