// SPDX-License-Identifier: Apache-2.0

package input

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// managedAlias names the AWS managed key, which AWS makes when it is first
// wanted.
const managedAlias = "alias/aws/dynamodb"

// SSE is an SSESpecification.
type SSE struct {
	Enabled        *bool
	SSEType        *string
	KMSMasterKeyID *string `json:"KMSMasterKeyId"`
}

// Given reports whether the specification says anything. AWS reads past an empty
// one.
func (s *SSE) Given() bool { return s != nil && *s != SSE{} }

// enables reports whether the specification asks for a key of KMS: by Enabled, or
// by SSEType alone.
func (s *SSE) enables() bool {
	if s.Enabled != nil {
		return *s.Enabled
	}
	return s.SSEType != nil
}

// Wish checks the specification. A nil or empty SSE asks for the AWS owned key.
func (s *SSE) Wish() (schema.Wish, error) {
	if s == nil {
		return schema.Wish{Mode: schema.KeyOwned}, nil
	}
	switch enabled := s.enables(); {
	case !enabled && s.SSEType != nil:
		return schema.Wish{}, refusal.Parameter("SSEType can not be specified if Enabled is false")
	case !enabled && s.KMSMasterKeyID != nil:
		return schema.Wish{}, refusal.Parameter("KMSMasterKeyId can not be specified if Enabled is false")
	case !enabled:
		return schema.Wish{Mode: schema.KeyOwned}, nil
	case s.SSEType != nil && *s.SSEType != "KMS":
		return schema.Wish{}, refusal.Parameter("SSEType %s is not supported", *s.SSEType)
	case s.SSEType == nil && s.KMSMasterKeyID != nil:
		return schema.Wish{}, refusal.Parameter("SSEType KMS is required if KMSMasterKeyId is specified")
	case s.KMSMasterKeyID == nil || *s.KMSMasterKeyID == managedAlias:
		return schema.Wish{Mode: schema.KeyManaged}, nil
	default:
		return schema.Wish{Mode: schema.KeyCustomer, KeyID: *s.KMSMasterKeyID}, nil
	}
}
