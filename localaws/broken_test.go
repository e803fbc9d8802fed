package localaws

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// broken is a service with a defect.
type broken struct {
	request.Service
	panics func()
}

func (b broken) Serve(context.Context, *request.Call) ([]byte, error) {
	b.panics()
	return nil, nil
}
