package picture

import (
	"github.com/ddbseal/ddbseal/labsetup"
)

// Table is one kind of table of the lab with what was found of its record.
type Table struct {
	Name          string // of the lab's table
	Disk          []Part
	With, Without Look // with the key and without it
}

// mainTables and otherTables are the tables of the two pictures, with the titles
// of their rows.
var (
	mainTables  = []named{{labsetup.ServerTable, "server-side"}, {labsetup.ClientTable, "client-side"}}
	otherTables = []named{{labsetup.OwnedTable, "AWS owned key"}, {labsetup.ManagedTable, "AWS managed key"},
		{labsetup.BothTable, "both"}}
)

type named struct{ table, title string }

// MainTables and OtherTables return the names of the tables that [Main] and
// [Other] show.
func MainTables() []string { return names(mainTables) }

// OtherTables is described at [MainTables].
func OtherTables() []string { return names(otherTables) }

func names(tables []named) []string {
	var all []string
	for _, t := range tables {
		all = append(all, t.table)
	}
	return all
}

const mainCaption = "Server-side, without the key you get an error and never see ciphertext. Client-side, you get the " +
	"ciphertext and cannot open it."

const otherCaption = "The keys of AWS's own encrypt the disk and stop nobody who may use the table. With both, the " +
	"server's lock refuses first."

// Main returns the picture of the two modes under one key.
func Main(tables []Table) Picture {
	return draw("The same record, the same key: who sees what?", mainCaption, mainTables, tables)
}

// Other returns the picture of the two AWS keys and of both modes at once.
func Other(tables []Table) Picture {
	return draw("The same record under the other keys, and under both locks", otherCaption, otherTables, tables)
}

func draw(title, caption string, rows []named, tables []Table) Picture {
	p := Picture{Title: title, Caption: caption,
		Columns: [3]string{"on AWS's disk", "DynamoDB answers", "your program shows"}}
	for _, r := range rows {
		for _, t := range tables {
			if t.Name != r.table {
				continue
			}
			p.Rows = append(p.Rows,
				Row{Title: r.title, Detail: "with the key", Cells: [3][]Part{t.Disk, t.With.Answer, t.With.Program}},
				Row{Title: r.title, Detail: "without the key",
					Cells: [3][]Part{t.Disk, t.Without.Answer, t.Without.Program}})
		}
	}
	return p
}

// Documented returns what every run of the lab finds, with the diagnosis in clear
// as given: docs/picture-light.svg and the others show it, and a test compares it
// with a run.
func Documented(diagnosis, ward string) []Table {
	disk := []Part{{Sealed, Unreadable}}
	opened := Look{[]Part{{Clear, diagnosis}}, []Part{{Clear, diagnosis}}, true}
	refused := Look{[]Part{{Refused, "AccessDenied"}}, []Part{{Nothing, nothing}}, false}
	sealed := []Part{{Clear, "ward: " + ward}, {Sealed, Unreadable}}
	return []Table{
		{labsetup.ServerTable, disk, opened, refused},
		{labsetup.ClientTable, disk, Look{sealed, []Part{{Clear, diagnosis}}, true},
			Look{sealed, []Part{{Sealed, Unreadable}, {Refused, "KMS: denied"}}, false}},
		{labsetup.OwnedTable, disk, opened, opened},
		{labsetup.ManagedTable, disk, opened, opened},
		{labsetup.BothTable, disk, Look{sealed, []Part{{Clear, diagnosis}}, true}, refused},
	}
}
