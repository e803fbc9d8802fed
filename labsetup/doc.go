// Package labsetup is the lab: it makes a KMS key, tables encrypted in two
// ways, an administrator's item in each, and a user who may use the tables but
// not the key; then it shows who sees what, and checks every claim.
//
// It talks to whatever aws.Config it is given, the embedded AWS or a real
// account, and knows neither.
package labsetup
