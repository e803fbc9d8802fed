// Package store is a typed repository on DynamoDB tables. An application
// declares a struct, chooses per table who encrypts, and otherwise writes the
// same code:
//
//	type Patient struct {
//		ID        string `dynamodbav:"id" seal:"partition"`
//		Ward      string `dynamodbav:"ward" seal:"sign"`
//		Diagnosis string `dynamodbav:"diagnosis"` // encrypted unless tagged otherwise
//	}
//
//	patients, err := store.New[Patient](client, "patients", store.ClientSide{Keyring: keyring})
//
// # Tags
//
// The tag dynamodbav names the attribute, as in the SDK's attributevalue
// package. The tag seal is one word:
//
//	partition, sort  the table's keys: readable, signed
//	encrypt          encrypted and signed: the default
//	sign             readable, signed
//	context          readable, signed, and part of the encryption context that
//	                 reaches the key service and its audit log
//	none             readable, not signed: anyone with write access may change it
//	version          a counter for optimistic locking: readable, signed
//	ttl              Unix seconds for DynamoDB's expiry: readable, not signed
//
// A tag that could have no effect is an error in [New]. In [ServerSide] mode
// the actions say nothing and the roles (partition, sort, version, ttl) work
// the same.
package store
