// SPDX-License-Identifier: Apache-2.0

package localawstest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/ddbseal/ddbseal/localaws"
)

// checkInvariants checks what holds for every server, whatever a test did.
func (s *Server) checkInvariants() {
	s.t.Helper()
	if err := s.SetFaults(localaws.Faults{}); err != nil {
		s.t.Errorf("end the faults: %v", err)
	}
	for _, err := range s.Failures() {
		s.t.Errorf("the embedded AWS failed inside: %v", err)
	}
	s.checkAudit()
	s.checkTableKeys()
}

// checkAudit checks that events are complete and hold no secret.
func (s *Server) checkAudit() {
	s.t.Helper()
	seen := map[string]bool{}
	for _, e := range s.Audit().Events() {
		if e.EventID == "" || e.RequestID == "" || e.EventName == "" || seen[e.EventID] {
			s.t.Errorf("audit: event %q of %s (request %q) is incomplete or there twice", e.EventID, e.EventName,
				e.RequestID)
		}
		seen[e.EventID] = true
		if e.ErrorCode == "" && e.ErrorMessage != "" || e.Denied() && e.ErrorMessage == "" {
			s.t.Errorf("audit: %s has error code %q with message %q", e.EventName, e.ErrorCode, e.ErrorMessage)
		}
		text, err := json.Marshal(e)
		if err != nil {
			s.t.Errorf("audit: %s: %v", e.EventName, err)
		}
		for _, secret := range s.secrets {
			if strings.Contains(string(text), secret) {
				s.t.Errorf("audit: the event of %s holds a secret access key", e.EventName)
			}
		}
	}
}

// checkTableKeys checks that the KMS key of every table exists, unless somebody
// scheduled its deletion.
func (s *Server) checkTableKeys() {
	s.t.Helper()
	scheduled := map[string]bool{}
	for _, e := range s.Events("ScheduleKeyDeletion") {
		for _, r := range e.Resources {
			scheduled[r.ARN] = true
		}
	}
	ctx := context.Background()
	tables, keys := dynamodb.NewFromConfig(s.Root()), kms.NewFromConfig(s.Root())
	pages := dynamodb.NewListTablesPaginator(tables, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.t.Errorf("list the tables: %v", err)
			return
		}
		for _, name := range page.TableNames {
			out, err := tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
			var refused smithy.APIError
			if errors.As(err, &refused) && refused.ErrorCode() == "AccessDeniedException" {
				continue // the table has a policy that denies this to the root user
			}
			if err != nil {
				s.t.Errorf("describe table %s: %v", name, err)
				continue
			}
			if out.Table.SSEDescription == nil || out.Table.SSEDescription.KMSMasterKeyArn == nil {
				continue
			}
			arn := aws.ToString(out.Table.SSEDescription.KMSMasterKeyArn)
			_, err = keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &arn})
			var missing *kmstypes.NotFoundException
			if errors.As(err, &missing) && !scheduled[arn] {
				s.t.Errorf("table %s is encrypted under %s, which does not exist", name, arn)
			}
		}
	}
}
