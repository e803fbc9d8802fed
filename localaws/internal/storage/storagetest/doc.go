// SPDX-License-Identifier: Apache-2.0

// Package storagetest has stores for the tests of the services that file their
// state in a [storage.Store]: a Recorder keeps it in the process, so that a test
// starts a service again over what another one has filed, and a Holder delays
// what is durable, so that a test sees what is answered meanwhile.
package storagetest
