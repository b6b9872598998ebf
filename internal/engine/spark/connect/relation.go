package connect

// Relation is a plan whose rows can be read, named or kept.
type Relation struct{ m message }

// SQL is the rows of a query.
func SQL(query string) Relation {
	return Relation{message{}.nested(10, message{}.text(1, query))}
}

// Source is data files, or a table, that Spark reads by itself.
type Source struct {
	Format  string // delta, parquet
	Schema  string // as DDL; "": as the files say
	Options map[string]string
	Paths   []string
}

// Read is the rows of data files or of a table.
func Read(s Source) Relation {
	source := message{}.text(1, s.Format).text(2, s.Schema).pairs(3, s.Options)
	for _, path := range s.Paths {
		source = source.text(4, path)
	}
	return Relation{message{}.nested(2, message{}.nested(2, source))}
}

// Select computes expressions of Spark SQL, "*" among them, over the rows of a relation.
func (r Relation) Select(expressions ...string) Relation {
	project := message{}.nested(1, r.m)
	for _, e := range expressions {
		project = project.nested(3, message{}.nested(4, message{}.text(1, e)))
	}
	return Relation{message{}.nested(3, project)}
}

// Where leaves the rows of a relation for which a condition of Spark SQL is true.
func (r Relation) Where(condition string) Relation {
	return Relation{message{}.nested(4, message{}.nested(1, r.m).nested(2, message{}.nested(4, message{}.text(1, condition))))}
}

// Write says where the rows of a relation are stored.
type Write struct {
	Format      string
	Path        string // a folder, which must not exist
	PartitionBy []string
	Options     map[string]string
}

// errorIfExists is SaveMode's.
const errorIfExists = 3

func (w Write) command(r Relation) message {
	m := message{}.nested(1, r.m).text(2, w.Format).text(3, w.Path).number(5, errorIfExists)
	for _, column := range w.PartitionBy {
		m = m.text(7, column)
	}
	return message{}.nested(2, m.pairs(9, w.Options))
}
