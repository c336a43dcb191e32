// Package shape is the base of the generated AWS shapes: the scalar types they are made of and the tables that describe them.
//
// Guarantees:
//   - In a generated struct nil means absent and empty means empty, for every member; encoding/json keeps the difference.
//   - Field i of a generated struct is member i of its Shape, so one walker by reflection serves every protocol, validation and redaction.
//   - Tables are data: they are built by the linker, never changed, and safe for concurrent use.
//
// Everything here is pure: no clock, no I/O.
package shape

import "encoding/json"

//go:generate go run ../shapegen -models ../../models -out .

// Document is an open JSON value: a shape the model leaves to the caller.
type Document = json.RawMessage

// Unit is the input or output of an operation whose model names none.
type Unit struct{}

// Ptr returns a pointer to a copy of v.
func Ptr[T any](v T) *T {
	p := v
	return &p
}

// Val returns what p points to, the zero value when p is nil.
func Val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
