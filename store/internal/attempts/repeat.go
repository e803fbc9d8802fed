// SPDX-License-Identifier: Apache-2.0

package attempts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// onceRetryer repeats no attempt that may have written.
type onceRetryer struct {
	aws.RetryerV2
	seen *Watch
}

func newOnceRetryer(r aws.Retryer, seen *Watch) onceRetryer {
	v2, ok := r.(aws.RetryerV2)
	if !ok {
		v2 = initialTokens{r}
	}
	return onceRetryer{v2, seen}
}

// IsErrorRetryable reports whether the SDK may repeat the call after err.
func (r onceRetryer) IsErrorRetryable(err error) bool {
	return !r.seen.Open() && r.RetryerV2.IsErrorRetryable(err)
}

// initialTokens is a retryer of the SDK's first interface as one of its second.
type initialTokens struct{ aws.Retryer }

// GetAttemptToken returns the initial token, which is all that such a retryer
// has.
func (r initialTokens) GetAttemptToken(context.Context) (func(error) error, error) {
	return r.GetInitialToken(), nil
}

// Repeatable reports whether an update done twice leaves what it leaves done
// once. One that reads the item does not, such as an ADD to a number, nor does
// one that sets or removes an element of a list: its index may be past the end,
// and the elements after it move.
func Repeatable(u *ddbexpr.Update) bool {
	for _, a := range u.Actions() {
		element := a.Path[len(a.Path)-1].IsIndex()
		switch a.Section {
		case ddbexpr.SectionSet:
			if element || a.Value == nil {
				return false
			}
		case ddbexpr.SectionRemove:
			if element {
				return false
			}
		case ddbexpr.SectionAdd:
			if _, number := a.Value.(*types.AttributeValueMemberN); number {
				return false
			}
		}
	}
	return true
}
