// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"strings"

	"github.com/ddbseal/ddbseal/labsetup"
)

// Of returns the lab's picture of the two modes under one key, to be drawn.
func Of(p labsetup.Picture) Picture {
	return Picture{Title: "The same record, the same key: who sees what?", Columns: columns, Rows: rows(p),
		Caption: labsetup.PictureSentence}
}

// OfOthers returns the lab's second picture, of the two AWS keys and of both modes
// at once, to be drawn.
func OfOthers(p labsetup.Picture) Picture {
	return Picture{Title: "The same record under AWS's keys, and with both kinds of encryption", Columns: columns,
		Rows: rows(p),
		Caption: "AWS's keys encrypt the disk and stop no user of the table. With both kinds of " +
			"encryption, DynamoDB asks for its key first and refuses."}
}

var columns = [3]string{"on AWS's disk", "DynamoDB answers", "your program shows"}

func rows(p labsetup.Picture) []Row {
	var all []Row
	for _, r := range p.Rows {
		all = append(all, RowOf(r))
	}
	return all
}

// RowOf returns one row of the lab's picture, to be drawn.
func RowOf(r labsetup.PictureRow) Row {
	title, detail, _ := strings.Cut(r.Title, ", ")
	return Row{Title: title, Detail: detail, Cells: [3][]Part{parts(r.Disk), parts(r.Answer), parts(r.Program)}}
}

// sealedText stands for ciphertext in the texts of the lab's cells.
const sealedText = "(unreadable)"

// parts takes a cell of the lab's apart: what is readable beside ciphertext, and
// what KMS said, have parts of their own.
func parts(c labsetup.PictureCell) []Part {
	kind := map[labsetup.PictureKind]Kind{labsetup.Readable: Clear, labsetup.Unreadable: Sealed,
		labsetup.Denied: Refused, labsetup.Unexpected: Refused}[c.Kind]
	if kind == 0 {
		kind = Nothing
	}
	before, after, mixed := strings.Cut(c.Text, sealedText)
	if !mixed {
		return []Part{{kind, c.Text}}
	}
	var all []Part
	if before = strings.TrimRight(before, ", "); before != "" {
		all = append(all, Part{Clear, before})
	}
	all = append(all, Part{Sealed, sealedText})
	if after = strings.TrimLeft(after, ";, "); after != "" {
		all = append(all, Part{kind, after})
	}
	return all
}

// ExpectedOthers returns the second picture of a lab in which every check holds,
// as labsetup.ExpectedPicture returns the first.
func ExpectedOthers() labsetup.Picture {
	first := labsetup.ExpectedPicture().Rows
	row := func(title, mode, table string, like labsetup.PictureRow) labsetup.PictureRow {
		like.Title, like.Mode, like.Table = title, mode, table
		return like
	}
	const with, without = ", with the key", ", without the key"
	user := first[0]
	user.WithKey, user.Principal = false, first[1].Principal
	return labsetup.Picture{Rows: []labsetup.PictureRow{
		row("AWS owned key"+with, labsetup.ModeServer, labsetup.OwnedTable, first[0]),
		row("AWS owned key"+without, labsetup.ModeServer, labsetup.OwnedTable, user),
		row("AWS managed key"+with, labsetup.ModeServer, labsetup.ManagedTable, first[0]),
		row("AWS managed key"+without, labsetup.ModeServer, labsetup.ManagedTable, user),
		row("both"+with, labsetup.ModeBoth, labsetup.BothTable, first[2]),
		row("both"+without, labsetup.ModeBoth, labsetup.BothTable, first[1]),
	}}
}
