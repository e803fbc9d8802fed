// SPDX-License-Identifier: Apache-2.0

package tabledraft

import (
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/fault"
)

// The kinds of keys under which DynamoDB encrypts a table.
const (
	Owned    = "owned"
	Managed  = "managed"
	Customer = "customer"
)

// Encryption is the choice of a table's key.
type Encryption struct {
	Kind     string // Owned, Managed or Customer
	Key      string // ARN of the customer managed key that was picked
	OtherKey string // key that was typed: ID, ARN or alias; it goes before Key
}

// EncryptionForm returns the choice of a form.
func EncryptionForm(form url.Values) Encryption {
	return Encryption{Kind: form.Get("encryption"), Key: form.Get("key"),
		OtherKey: strings.TrimSpace(form.Get("other-key"))}
}

// Current returns the key under which a table is, as DescribeTable tells it.
func Current(t *types.TableDescription) Encryption {
	e := Encryption{Kind: Owned}
	if sse := t.SSEDescription; sse != nil && sse.KMSMasterKeyArn != nil && sse.Status != types.SSEStatusDisabled {
		// DescribeTable does not say whose the key is: see AsManaged.
		e.Kind, e.Key = Customer, *sse.KMSMasterKeyArn
	}
	return e
}

// AsManaged returns the choice of the AWS managed key if managed is its ARN, and
// e otherwise. KMS lists the ARN under alias/aws/dynamodb.
func (e Encryption) AsManaged(managed string) Encryption {
	if e.Kind == Customer && managed != "" && e.Key == managed {
		return Encryption{Kind: Managed, Key: managed}
	}
	return e
}

// Same reports whether both choices are the same key.
func (e Encryption) Same(other Encryption) bool {
	return e.Kind == other.Kind && (e.Kind != Customer || e.KeyID() == other.KeyID())
}

// KeyID returns the customer managed key of the choice.
func (e Encryption) KeyID() string {
	if e.OtherKey != "" {
		return e.OtherKey
	}
	return e.Key
}

// Check returns what is wrong with the choice.
func (e Encryption) Check() fault.List {
	var faults fault.List
	switch {
	case e.Kind != Owned && e.Kind != Managed && e.Kind != Customer:
		faults.Add("encryption", "choose a key")
	case e.Kind == Customer && e.KeyID() == "":
		faults.Add("key", "choose a customer managed key, or write its ARN")
	case e.Kind == Customer && len(e.KeyID()) > 2048:
		faults.Add("key", "the key's ARN is longer than 2048 characters")
	}
	return faults
}

// Specification returns the choice as UpdateTable takes it.
func (e Encryption) Specification() *types.SSESpecification {
	if e.Kind == Owned {
		return &types.SSESpecification{Enabled: aws.Bool(false)}
	}
	s := &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
	if e.Kind == Customer {
		s.KMSMasterKeyId = aws.String(e.KeyID())
	}
	return s
}

// Text names the choice within a sentence. Alias is the customer managed key's, or
// empty: then its ARN stands for it.
func (e Encryption) Text(alias string) string {
	switch e.Kind {
	case Owned:
		return "AWS owned key"
	case Managed:
		return "AWS managed key"
	}
	if alias == "" {
		alias = e.KeyID()
	}
	return "customer managed key " + alias
}
