// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// Picture compares what is on disk of one record, what DynamoDB returns and what a
// program shows. It has two rows for each kind of encryption: with the key and
// without it. [ExpectedPicture] returns the picture of a lab in which every check
// holds; Report.Picture is the picture of a run.
type Picture struct {
	Rows []PictureRow `json:"rows"`
}

// PictureRow says what one principal sees of the record in one table.
type PictureRow struct {
	Title     string      `json:"title"` // such as "server-side, with the key"
	Mode      string      `json:"mode"`  // ModeServer, ModeClient or ModeBoth
	WithKey   bool        `json:"withKey"`
	Table     string      `json:"table"`
	Principal string      `json:"principal"`
	Disk      PictureCell `json:"disk"`    // on the disk of the service
	Answer    PictureCell `json:"answer"`  // DynamoDB's answer to GetItem
	Program   PictureCell `json:"program"` // what a program shows that decrypts where it can
}

// PictureKind says what a cell shows, for example to choose its color.
type PictureKind string

const (
	// Readable means that the record's diagnosis is in plaintext.
	Readable PictureKind = "readable"
	// Unreadable means that the cell stands for ciphertext.
	Unreadable PictureKind = "unreadable"
	// Denied means that the call was refused.
	Denied PictureKind = "denied"
	// Nothing means that there is nothing to show.
	Nothing PictureKind = "nothing"
	// Unseen means that this run cannot see the place, such as the disks of AWS.
	Unseen PictureKind = "unseen"
	// Unexpected means that there was an error other than a denial.
	Unexpected PictureKind = "unexpected"
)

// PictureCell is one cell: what it shows, and the words for it. The words never
// have ciphertext, and of the record only the diagnosis and the signed ward.
type PictureCell struct {
	Kind PictureKind `json:"kind"`
	Text string      `json:"text"`
}

// PictureSentence says in a sentence what the picture shows.
const PictureSentence = "Server-side, without the key you get an error and never see ciphertext; client-side, you " +
	"get " +
	"the ciphertext and cannot open it."

// unreadableText stands for ciphertext.
const unreadableText = "(unreadable)"

func cellUnreadable() PictureCell { return PictureCell{Unreadable, unreadableText} }

func cellDenied() PictureCell { return PictureCell{Denied, "AccessDenied"} }

// rowTitle names a row: the kind of encryption, and whether with the key.
func rowTitle(kind string, withKey bool) string {
	if withKey {
		return kind + ", with the key"
	}
	return kind + ", without the key"
}

func modeTitle(mode string) string {
	switch mode {
	case ModeServer:
		return "server-side"
	case ModeClient:
		return "client-side"
	}
	return "both"
}

// ExpectedPicture returns the picture of a lab in which every check holds.
func ExpectedPicture() Picture {
	r := theRecord()
	readable := PictureCell{Readable, r.Diagnosis}
	sealed := PictureCell{Unreadable, "ward: " + r.Ward + ", " + unreadableText}
	row := func(mode string, withKey bool, answer, program PictureCell) PictureRow {
		who, table := administratorRole, ServerTable
		if !withKey {
			who = UserName
		}
		if mode == ModeClient {
			table = ClientTable
		}
		return PictureRow{rowTitle(modeTitle(mode), withKey), mode, withKey, table, who, cellUnreadable(), answer,
			program}
	}
	return Picture{[]PictureRow{
		row(ModeServer, true, readable, readable),
		row(ModeServer, false, cellDenied(), PictureCell{Nothing, "nothing"}),
		row(ModeClient, true, sealed, readable),
		row(ModeClient, false, sealed, PictureCell{Denied, unreadableText + "; KMS: denied"}),
	}}
}

// expectedOthers is the second picture: the two keys of AWS, and both kinds at once.
func expectedOthers() Picture {
	r := theRecord()
	readable := PictureCell{Readable, r.Diagnosis}
	sealed := PictureCell{Unreadable, "ward: " + r.Ward + ", " + unreadableText}
	row := func(title, mode, table string, withKey bool, answer, program PictureCell) PictureRow {
		who := administratorRole
		if !withKey {
			who = UserName
		}
		return PictureRow{rowTitle(title, withKey), mode, withKey, table, who, cellUnreadable(), answer, program}
	}
	return Picture{[]PictureRow{
		row("AWS owned key", ModeServer, OwnedTable, true, readable, readable),
		row("AWS owned key", ModeServer, OwnedTable, false, readable, readable),
		row("AWS managed key", ModeServer, ManagedTable, true, readable, readable),
		row("AWS managed key", ModeServer, ManagedTable, false, readable, readable),
		row("both", ModeBoth, BothTable, true, sealed, readable),
		row("both", ModeBoth, BothTable, false, cellDenied(), PictureCell{Nothing, "nothing"}),
	}}
}

// Same reports whether p shows the same as other. A cell of kind Unseen equals any cell.
func (p Picture) Same(other Picture) bool {
	if len(p.Rows) != len(other.Rows) {
		return false
	}
	same := func(a, b PictureCell) bool { return a == b || a.Kind == Unseen || b.Kind == Unseen }
	for i, a := range p.Rows {
		b := other.Rows[i]
		if a.Title != b.Title || !same(a.Disk, b.Disk) || !same(a.Answer, b.Answer) || !same(a.Program, b.Program) {
			return false
		}
	}
	return true
}

// Viewer is a principal that looks at the lab's tables.
type Viewer struct {
	Config aws.Config // signs as the principal
	Name   string     // the name to show in the picture
	KeyARN string     // the lab's key
	// Disk returns the bytes that the service has on disk for the record with the
	// key id in a table. Nil: they cannot be seen, as on AWS.
	Disk func(ctx context.Context, table, id string) ([]byte, error)
	// Names are the names of what the lab created.
	Names Names
}

// Look returns the row of the picture for the lab's table of a mode (ModeServer, ModeClient or
// ModeBoth) as v sees it now. WithKey of the row reports whether the program could show the
// record. A denial is part of the row and not an error. Look returns an error for another mode.
func Look(ctx context.Context, v Viewer, mode string) (PictureRow, error) {
	name := v.Names.Actual(tableOf(mode))
	table, err := OpenNamedTable(v.Config, v.KeyARN, mode, name)
	if err != nil {
		return PictureRow{}, err
	}
	row := lookAt(ctx, table, v.Disk, PictureRow{Mode: mode, Table: name, Principal: v.Name})
	row.WithKey = row.Program.Kind == Readable
	row.Title = rowTitle(modeTitle(mode), row.WithKey)
	return row, nil
}

// lookAt fills the cells of a row by real calls.
func lookAt(ctx context.Context, table *store.Table[Record], disk func(context.Context, string, string) ([]byte, error),
	row PictureRow) PictureRow {
	key := store.Key{Partition: theRecord().ID}
	row.Disk = diskCell(ctx, disk, row.Table)
	item, err := table.Raw(ctx, key)
	row.Answer = answerCell(item, err)
	got, err := table.Get(ctx, key)
	switch {
	case err == nil:
		row.Program = PictureCell{Readable, got.Diagnosis}
	case item == nil && isDenied(err):
		row.Program = PictureCell{Nothing, "nothing"}
	case isDenied(err):
		row.Program = PictureCell{Denied, unreadableText + "; KMS: denied"}
	default:
		row.Program = failedCell(err)
	}
	return row
}

func diskCell(ctx context.Context, disk func(context.Context, string, string) ([]byte, error),
	table string) PictureCell {
	if disk == nil {
		return PictureCell{Unseen, "not shown by AWS"}
	}
	data, err := disk(ctx, table, theRecord().ID)
	switch {
	case err != nil:
		return failedCell(err)
	case classifyDisk(data) != unreadable:
		return PictureCell{Readable, theRecord().Diagnosis}
	}
	return cellUnreadable()
}

// classifyDisk looks for the secret attributes of the record in what is on a disk.
func classifyDisk(data []byte) string {
	r := theRecord()
	switch {
	case len(data) == 0:
		return "nothing"
	case bytes.Contains(data, []byte(r.Diagnosis)), bytes.Contains(data, []byte(r.Name)):
		return "readable"
	}
	return unreadable
}

// draws fills a picture by real calls, keeps it in the report, and compares it.
func (l *Lab) draws(keep func(*Picture), expected Picture) action {
	return func(ctx context.Context) (string, error) {
		p := Picture{}
		for _, row := range expected.Rows {
			who := &l.user
			if row.WithKey {
				who = &l.administrator
			}
			if row.WithKey { // the report shows the item as it is without decrypting
				if _, err := l.readsRaw(who, row.Table, row.Mode)(ctx); err != nil {
					return "", err
				}
			}
			p.Rows = append(p.Rows, lookAt(ctx, who.tables[row.Table], l.cfg.Disk, PictureRow{Title: row.Title,
				Mode: row.Mode, WithKey: row.WithKey, Table: l.actual(row.Table), Principal: l.actual(row.Principal)}))
		}
		keep(&p)
		if !p.Same(expected) {
			return "another picture", nil
		}
		return asPictured, nil
	}
}

func (l *Lab) pictureChapter() chapter {
	return chapter{chapterPicture, []labStep{
		sees("picture", "draw the picture: both tables, with the key and without", administratorRole+" and "+UserName,
			ModeDirect, asPictured,
			"The lab compared what it read now with the picture that it expects. "+PictureSentence,
			getCLI(ServerTable)+"\n"+getAs(asUser, ServerTable)+" || true\n"+openCLI("", ModeClient)+"\n"+
				getAs(asUser, ClientTable),
			l.draws(func(p *Picture) { l.report.Picture = p }, ExpectedPicture())),
	}}
}

// answerCell describes an item as DynamoDB returned it.
func answerCell(item map[string]types.AttributeValue, err error) PictureCell {
	if err != nil {
		if isDenied(err) {
			return cellDenied()
		}
		return failedCell(err)
	}
	if text, ok := item["diagnosis"].(*types.AttributeValueMemberS); ok {
		return PictureCell{Readable, text.Value}
	}
	cell := cellUnreadable()
	if ward, ok := item["ward"].(*types.AttributeValueMemberS); ok {
		cell.Text = "ward: " + ward.Value + ", " + cell.Text
	}
	return cell
}

// isDenied reports whether AWS refused a call for want of a permission.
func isDenied(err error) bool {
	var api smithy.APIError
	return errors.Is(err, envelope.ErrKeyDenied) ||
		errors.As(err, &api) && strings.Contains(api.ErrorCode(), "AccessDenied")
}

// failedCell names what AWS answered, without its text: a cell is small.
func failedCell(err error) PictureCell { return PictureCell{Unexpected, classify("", err)} }
