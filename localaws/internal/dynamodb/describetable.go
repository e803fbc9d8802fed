package dynamodb

import (
	"context"
	"encoding/json"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func (s *Service) describeTable(_ context.Context, _ *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	def, n := t.describe(now)
	return json.Marshal(jsonObject{"Table": describe(def, n, now)})
}
