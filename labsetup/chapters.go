// SPDX-License-Identifier: Apache-2.0

package labsetup

import "context"

// labStep is a step before it ran.
type labStep struct {
	Step
	needed bool                                   // the rest stands on it
	look   func(context.Context) (Finding, error) // whether what the step makes is there
	recall func(context.Context) error            // takes from AWS what the lab has to know, see Resume
	keeps  bool                                   // see kept
	audit  bool                                   // waits for CloudTrail
	// measures: whatever AWS answers is as good, as long as it answers
	measures bool
	do       action
}

// chapter is a group of steps.
type chapter struct {
	title string
	steps []labStep
}

const administratorRole = "administrator"

// does is a step of the administrator on which the rest stands.
func does(id, title, why, cli string, do action) labStep {
	return labStep{Step: Step{ID: id, Title: title, Expected: Done, Principal: administratorRole, Why: why, CLI: cli},
		needed: true, do: do}
}

// doing turns a function without a result into an action.
func doing(fn func(context.Context) error) action {
	return func(ctx context.Context) (string, error) { return Done, fn(ctx) }
}

// sees is a check of what somebody sees.
func sees(id, title, who, mode, expected, why, cli string, do action) labStep {
	return labStep{Step: Step{ID: id, Title: title, Expected: expected, Principal: who, Mode: mode,
		TableKey: tableKey(mode), Why: why, CLI: cli}, do: do}
}

// Keys under which DynamoDB encrypts a table: TableKey of a Step.
const (
	KeyCustomer = "customer managed"
	KeyManaged  = "AWS managed"
	KeyOwned    = "AWS owned"
)

// tableKey is the key of the lab's table of a mode. The client-side table stays
// under the AWS owned key: the customer key wraps the data keys of its items.
func tableKey(mode string) string {
	switch mode {
	case ModeServer, ModeBoth:
		return KeyCustomer
	case ModeClient:
		return KeyOwned
	}
	return ""
}

// under says that the table of a check has another key than its mode suggests.
func (s labStep) under(key string) labStep {
	s.TableKey = key
	return s
}

// chapters is the whole lab in order: the core path first, then the optional
// chapters, and the clean-up.
func (l *Lab) chapters() []chapter {
	chapters := []chapter{l.keyChapter(), l.tableChapter()}
	if l.cfg.Disk != nil {
		chapters = append(chapters, l.diskChapter())
	}
	chapters = append(chapters, l.userChapter(), l.denialChapter(), l.giveChapter(), l.pictureChapter())
	if l.cfg.Core {
		return chapters
	}
	chapters = append(chapters, l.othersChapter(), l.statementChapter(), l.accessChapter(), l.disabledChapter(),
		l.rotationChapter(), l.multiRegionChapter(),
		l.hierarchyChapter(), l.recoveryChapter(), l.keyOffChapter(),
	)
	if l.cfg.OtherAccount != nil {
		chapters = append(chapters, l.otherAccountChapter())
	}
	chapters = append(chapters, l.auditChapter())
	if !l.cfg.Keep {
		chapters = append(chapters, l.cleanUpChapter())
	}
	return chapters
}
