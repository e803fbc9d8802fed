package localaws

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
)

// broken is a service with a defect.
type broken struct {
	call.Service
	panics func()
}

func (b broken) Serve(context.Context, *call.Call) ([]byte, error) {
	b.panics()
	return nil, nil
}
