package duckdb

/*
#include <stdint.h>

void launchlake_parse_documents(void *info, void *input, void *output);
typedef void (*launchlake_scalar_function)(void *, void *, void *);

static inline void *launchlake_pointer(uintptr_t handle) { return (void *)handle; }
*/
import "C"

import (
	"context"
	"errors"
	"reflect"
	"runtime/cgo"
	"sync"
	"unsafe"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"launchlake/internal/delta"
	"launchlake/internal/engine/document"
)

// documentFunction is a function of the database from a document, binary, and whether to skip it, to a struct of what is taken out of it. That
// it is told what to skip, instead of given null for it, spares DuckDB copying the other documents of the vector. The driver has functions
// too, but gives them one value at a time; here they see the memory of whole vectors.
type documentFunction struct {
	name    string
	members []delta.Type
	columns []string  // names
	readers sync.Pool // of *documentReader
}

// register defines the function for as long as the engine is open.
func (e *Engine) register(ctx context.Context, f *documentFunction) error {
	return e.onConnection(ctx, func(connection mapping.Connection) error {
		handle := cgo.NewHandle(f)
		e.functions = append(e.functions, handle)
		return f.register(connection, C.launchlake_pointer(C.uintptr_t(handle)))
	})
}

// connectionOf gives the connection below the driver's, which the driver keeps to itself.
func connectionOf(c *driver.Conn) (connection mapping.Connection, err error) {
	field := reflect.ValueOf(c).Elem().FieldByName("conn")
	if field.IsValid() && field.Type() == reflect.TypeFor[mapping.Connection]() {
		connection.Ptr = field.FieldByName("Ptr").UnsafePointer()
	}
	if connection.Ptr == nil {
		return connection, errors.New("this version of DuckDB's driver hides its connection from reflection")
	}
	return connection, nil
}

func (f *documentFunction) register(connection mapping.Connection, handle unsafe.Pointer) error {
	function := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&function)
	mapping.ScalarFunctionSetName(function, f.name)
	mapping.ScalarFunctionSetSpecialHandling(function) // of nulls: they have a struct too
	for _, t := range []mapping.Type{mapping.TypeBlob, mapping.TypeBoolean} {
		parameter := mapping.CreateLogicalType(t)
		mapping.ScalarFunctionAddParameter(function, parameter)
		mapping.DestroyLogicalType(&parameter)
	}
	result := f.resultType()
	defer mapping.DestroyLogicalType(&result)
	mapping.ScalarFunctionSetReturnType(function, result)
	mapping.ScalarFunctionSetExtraInfo(function, handle, nil)
	mapping.ScalarFunctionSetFunction(function, unsafe.Pointer(C.launchlake_scalar_function(C.launchlake_parse_documents)))
	if mapping.RegisterScalarFunction(connection, function) == mapping.StateError {
		return errors.New("DuckDB refuses the function that parses documents")
	}
	return nil
}

var mappingTypes = map[delta.Primitive]mapping.Type{
	delta.String: mapping.TypeVarchar, delta.Long: mapping.TypeBigInt, delta.Integer: mapping.TypeInteger, delta.Short: mapping.TypeSmallInt,
	delta.Byte: mapping.TypeTinyInt, delta.Double: mapping.TypeDouble, delta.Float: mapping.TypeFloat, delta.Boolean: mapping.TypeBoolean,
	delta.Timestamp: mapping.TypeTimestampTZ, delta.Date: mapping.TypeDate,
}

func (f *documentFunction) resultType() mapping.LogicalType {
	types := make([]mapping.LogicalType, len(f.members))
	names := make([]string, len(f.members))
	for i, t := range f.members {
		names[i] = memberName(i)
		if _, ok := t.(*delta.Array); ok {
			text := mapping.CreateLogicalType(mapping.TypeVarchar)
			types[i] = mapping.CreateListType(text)
			mapping.DestroyLogicalType(&text)
		} else {
			types[i] = mapping.CreateLogicalType(mappingTypes[t.(delta.Primitive)])
		}
	}
	result := mapping.CreateStructType(types, names)
	for i := range types {
		mapping.DestroyLogicalType(&types[i])
	}
	return result
}

//export launchlake_parse_documents
func launchlake_parse_documents(info, input, output unsafe.Pointer) {
	handle := mapping.ScalarFunctionGetExtraInfo(mapping.FunctionInfo{Ptr: info})
	f := cgo.Handle(uintptr(handle)).Value().(*documentFunction)
	chunk := mapping.DataChunk{Ptr: input}
	rows := int(mapping.DataChunkGetSize(chunk))
	documents := readTexts(mapping.DataChunkGetVector(chunk, 0), rows)
	skipped := readCells[bool](mapping.DataChunkGetVector(chunk, 1), rows)
	f.fill(documents, skipped, mapping.Vector{Ptr: output})
}

// documentReader is what one thread fills vectors with.
type documentReader struct {
	*document.Reader
	members []*vector
}

func (f *documentFunction) newReader(p *document.Parser) *documentReader {
	r := &documentReader{Reader: p.Reader(), members: make([]*vector, len(f.members))}
	for i, t := range f.members {
		r.members[i] = newVector(t)
	}
	return r
}

// fill reads documents into a vector of structs.
func (f *documentFunction) fill(documents textVector, skipped []bool, output mapping.Vector) {
	reader := f.readers.Get().(*documentReader)
	defer f.readers.Put(reader)
	n, members := documents.len(), reader.members
	for i, m := range members {
		m.begin(mapping.StructVectorGetChild(output, mapping.IdxT(i)), n)
	}
	var v document.Value
	for row := range n {
		text, ok := documents.at(row)
		ok = ok && !skipped[row] && reader.Read(text)
		members[parsedMember].setBoolean(row, ok)
		members[wrongMember].startList(row)
		for i, name := range f.columns {
			v = document.Value{}
			if ok {
				reader.Value(i, &v)
			}
			if v.State == document.Wrong {
				members[wrongMember].addElement([]byte(name))
			}
			members[firstColumn+i].set(row, &v)
		}
	}
	for _, m := range members {
		m.finish()
	}
}
