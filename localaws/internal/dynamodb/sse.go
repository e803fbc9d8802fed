package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// managedAlias names the AWS managed key, which AWS makes when it is first
// wanted.
const managedAlias = "alias/aws/dynamodb"

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
		return wish{}, refusal.Parameter("SSEType can not be specified if Enabled is false")
	case !enabled && s.KMSMasterKeyID != nil:
		return wish{}, refusal.Parameter("KMSMasterKeyId can not be specified if Enabled is false")
	case !enabled:
		return wish{mode: keyOwned}, nil
	case s.SSEType != nil && *s.SSEType != "KMS":
		return wish{}, refusal.Parameter("SSEType %s is not supported", *s.SSEType)
	case s.SSEType == nil && s.KMSMasterKeyID != nil:
		return wish{}, refusal.Parameter("SSEType KMS is required if KMSMasterKeyId is specified")
	case s.KMSMasterKeyID == nil || *s.KMSMasterKeyID == managedAlias:
		return wish{mode: keyManaged}, nil
	default:
		return wish{mode: keyCustomer, keyID: *s.KMSMasterKeyID}, nil
	}
}
