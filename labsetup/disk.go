// SPDX-License-Identifier: Apache-2.0

package labsetup

import "context"

// diskChapter looks at what the service keeps, which only the embedded AWS shows.
func (l *Lab) diskChapter() chapter {
	look := func(table, mode, why string) labStep {
		cli := `grep -rqs '` + theRecord().Diagnosis + `' "$DDBSEAL_DATA_DIR" && echo readable || echo unreadable`
		title := "look for the diagnosis on the disk of " + tableWords(table)
		return sees("disk-"+table, title, administratorRole, mode, unreadable, why, cli,
			func(ctx context.Context) (string, error) {
				data, err := l.cfg.Disk(ctx, l.actual(table), theRecord().ID)
				if err != nil {
					return "", err
				}
				return classifyDisk(data), nil
			})
	}
	return chapter{chapterDisk, []labStep{
		look(ServerTable, ModeServer,
			"AWS does not show its disks; the embedded AWS does. Encryption at rest hides the record from somebody "+
				"who takes the disk, and not from a caller of DynamoDB who may use the key."),
		look(ClientTable, ModeClient,
			"This item was encrypted twice: by the program, and by DynamoDB under the AWS owned key."),
	}}
}
