// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/internal/panics"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Multi wraps each item for several keyrings, any one of which opens it
// (Material Providers specification, [multi-keyring]).
//
// [multi-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/multi-keyring.md
type Multi struct {
	generator materials.Keyring
	children  []materials.Keyring
	all       []materials.Keyring // generator first
}

var (
	_ materials.Keyring      = (*Multi)(nil)
	_ materials.SuiteChecker = (*Multi)(nil)
)

// NewMulti returns a keyring of a generator and children. A nil generator makes a
// keyring that only decrypts. There must be at least one keyring, and children
// must not be nil. Errors: [materials.ErrConfiguration].
func NewMulti(generator materials.Keyring, children ...materials.Keyring) (*Multi, error) {
	m := &Multi{generator: generator}
	if generator != nil {
		if nilvalue.Is(generator) {
			return nil, fmt.Errorf("%w: multi-keyring: the generator is a nil pointer", materials.ErrConfiguration)
		}
		m.all = append(m.all, generator)
	}
	for i, c := range children {
		if nilvalue.Is(c) {
			return nil, fmt.Errorf("%w: multi-keyring: child %d is nil", materials.ErrConfiguration, i)
		}
		m.children = append(m.children, c)
	}
	m.all = append(m.all, m.children...)
	if len(m.all) == 0 {
		return nil, fmt.Errorf("%w: multi-keyring needs at least one keyring", materials.ErrConfiguration)
	}
	return m, nil
}

// CheckSuite fails with [materials.ErrConfiguration] if one of the keyrings does
// not write items of the suite. An item encryptor asks before the first write.
func (k *Multi) CheckSuite(suite materials.AlgorithmSuite) error {
	for _, member := range k.all {
		if err := materials.CheckSuite(member, suite); err != nil {
			return err
		}
	}
	return nil
}

// prepared is one keyring's contribution, being made in the background.
type prepared struct {
	done      chan struct{}
	recipient materials.Recipient
	err       error
	panicked  *panics.Carried
}

// OnEncrypt adds the recipients of the generator, then of each child in order,
// while their calls to key services run side by side. If one fails, all fails:
// an item that one of the configured keys cannot open would be found out only
// when it is needed. Without a generator it fails with
// [materials.ErrConfiguration] unless the materials already hold a data key.
func (k *Multi) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	if k.generator == nil && m.DataKey() == nil {
		return fmt.Errorf("%w: multi-keyring without a generator can only decrypt", materials.ErrConfiguration)
	}
	ctx, cancel := context.WithCancel(ctx)
	pending := k.prepare(ctx, m)
	var wg sync.WaitGroup
	defer func() {
		cancel()
		for _, p := range pending {
			if p != nil {
				wg.Go(func() { <-p.done; clear(p.recipient.IntermediateKey) })
			}
		}
		wg.Wait()
	}()
	for i, member := range k.all {
		var err error
		if p := pending[i]; p != nil {
			<-p.done
			panics.Throw(p.panicked)
			err = recipient.Add(m, p.recipient, p.err)
		} else {
			err = member.OnEncrypt(ctx, m)
		}
		if err != nil {
			return err
		}
		if i == 0 && k.generator != nil && m.DataKey() == nil {
			return fmt.Errorf("%w: the generator keyring added no recipient", materials.ErrMaterials)
		}
	}
	return nil
}

// prepare starts the members that can work ahead, if there are at least two.
func (k *Multi) prepare(ctx context.Context, m *materials.Encryption) []*prepared {
	pending := make([]*prepared, len(k.all))
	var able int
	for _, member := range k.all {
		if _, ok := member.(recipient.Preparer); ok {
			able++
		}
	}
	if able < 2 {
		return pending
	}
	for i, member := range k.all {
		able, ok := member.(recipient.Preparer)
		if !ok {
			continue
		}
		p := &prepared{done: make(chan struct{})}
		pending[i] = p
		go func() {
			defer close(p.done)
			defer panics.Catch(&p.panicked)
			// if Prepare exits the goroutine
			p.err = fmt.Errorf("%w: keyring stopped without an answer", materials.ErrMaterials)
			p.recipient, p.err = able.Prepare(ctx, m)
		}()
	}
	return pending
}

// OnDecrypt asks the generator, then each child in order, until one opens a
// key. If none does, the error joins theirs.
func (k *Multi) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	var tried recipient.Attempts
	for _, member := range k.all {
		err := member.OnDecrypt(ctx, m, keys)
		if m.DataKey() != nil {
			return nil
		}
		var none *recipient.NoneError
		if err != nil && !errors.As(err, &none) {
			tried.Add(err)
		}
		if ctx.Err() != nil {
			break // the next keyring could only fail the same way
		}
	}
	return tried.Err(keys)
}
