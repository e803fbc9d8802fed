package labsetup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
)

// Modes of a step: which kind of table it looks at.
const (
	ModeServer = "server" // DynamoDB encrypts under the key
	ModeClient = "client" // this program encrypts before it sends
)

// What a reader can see; Expected and Got of the steps that read.
const (
	SeesPlaintext  = "plaintext"
	SeesCiphertext = "ciphertext"
	DeniedDecrypt  = "denied kms:Decrypt"
	done           = "done"
)

// Step is one step of the lab with its check.
type Step struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	OK        bool   `json:"ok"`
	Expected  string `json:"expected"`
	Got       string `json:"got"`
	Principal string `json:"principal"`      // who acted
	Mode      string `json:"mode,omitempty"` // ModeServer, ModeClient, or empty
	Why       string `json:"why"`            // what the step shows
	CLI       string `json:"cli,omitempty"`  // the AWS CLI command that does the same
	Error     string `json:"error,omitempty"`
}

// Report is what a run found.
type Report struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	KeyARN  string `json:"keyArn"`
	Steps   []Step `json:"steps"`
}

// OK reports whether the lab ran and every check held.
func (r *Report) OK() bool {
	for _, s := range r.Steps {
		if !s.OK {
			return false
		}
	}
	return len(r.Steps) > 0
}

// action is the doing part of a step: it returns what it saw, or an error,
// which is classified.
type action func(ctx context.Context) (string, error)

// classify turns the outcome of an action into the words of Expected.
func classify(got string, err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return got
	case errors.Is(err, envelope.ErrKeyDenied), errors.As(err, &api) && strings.Contains(api.ErrorCode(), "AccessDenied"):
		for _, permission := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
			if strings.Contains(err.Error(), permission) {
				return "denied " + permission
			}
		}
		return "denied"
	case api != nil:
		return fmt.Sprintf("error %s", api.ErrorCode())
	}
	return "error"
}
