package labsetup

import "github.com/ddbseal/ddbseal/internal/keypolicy"

// policyName is the only name that a key policy has. AWS takes it for granted; other
// servers demand it.
const policyName = "default"

// ConsolePolicy returns the policy that the KMS console writes for a key of the
// account with the given administrators and key users, all ARNs. It leaves out a
// statement that would name no principal.
func ConsolePolicy(account string, administrators, users []string) string {
	return keypolicy.Console{Account: account, Administrators: administrators, Users: users, Attachers: users}.Text()
}

// allow returns a statement of the lab's that lets one principal decrypt.
func allow(sid, arn string, condition map[string]map[string]string) keypolicy.Statement {
	return keypolicy.AllowDecrypt(sid, arn, condition)
}
