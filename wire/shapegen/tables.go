package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

func (g *generator) exceptions() []string {
	return slices.DeleteFunc(g.shapeNames(), func(n string) bool { return !g.Shapes[n].Exception })
}

func (g *generator) errors() string {
	var b strings.Builder
	b.WriteString(base)
	b.WriteString("// Codes of the service's exceptions.\nconst (\n")
	for _, n := range g.exceptions() {
		fmt.Fprintf(&b, "%s = %q\n", g.names.unique("Code"+exported(n)), g.errorCode(n))
	}
	b.WriteString(")\n\nvar errorTable = []aws.ErrorInfo{\n")
	for _, n := range g.exceptions() {
		s := g.Shapes[n]
		status, fault := 0, s.Fault
		if s.Error != nil {
			status = s.Error.HTTPStatusCode
		}
		fmt.Fprintf(&b, "{Code: %q, Shape: %s", g.errorCode(n), g.ids[n])
		if status != 0 {
			fmt.Fprintf(&b, ", HTTPStatus: %d", status)
		}
		if fault {
			b.WriteString(", Fault: true")
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func (g *generator) operations() string {
	var vars, table strings.Builder
	vars.WriteString(base + "// The operations of the service.\nvar (\n")
	table.WriteString("var operationTable = []aws.OperationInfo{\n")
	for i, n := range slices.Sorted(maps.Keys(g.Operations)) {
		o := g.Operations[n]
		fmt.Fprintf(&vars, "%s = aws.Operation[%s, %s]{Service: &Model, Info: &operationTable[%d]}\n",
			g.names.unique("Op"+exported(n)), g.goType(o.Input), g.goType(o.Output), i)
		table.WriteString(g.operation(n, o))
	}
	return vars.String() + ")\n\n" + table.String() + "}\n"
}

func (g *generator) goType(r *ref) string {
	if r == nil {
		return "aws.Unit"
	}
	return g.types[r.Shape]
}

func (g *generator) id(r *ref) string {
	if r == nil {
		return "aws.None"
	}
	return g.ids[r.Shape]
}

// operation writes one row of the operation table.
func (g *generator) operation(name string, o operation) string {
	f := fields{}
	f.quote("Name", name)
	f.quote("Method", o.HTTP.Method)
	f.quote("Path", o.HTTP.RequestURI)
	f.raw("Input", g.id(o.Input))
	f.raw("Output", g.id(o.Output))
	if o.Output != nil {
		f.quote("ResultWrapper", o.Output.ResultWrapper)
	}
	codes := make([]string, 0, len(o.Errors))
	for _, e := range o.Errors {
		codes = append(codes, g.errorCode(e.Shape))
	}
	slices.Sort(codes)
	f.list("Errors", codes)
	if o.Input != nil {
		f.quote("Token", g.token(g.Shapes[o.Input.Shape]))
	}
	if p, ok := g.Pagination[name]; ok {
		page := fields{}
		page.list("InputTokens", p.InputToken)
		page.list("OutputTokens", p.OutputToken)
		page.quote("Limit", p.LimitKey)
		page.list("Results", p.ResultKey)
		f.raw("Page", "aws.Page"+page.String())
	}
	f.flag("ReadOnly", o.ReadOnly)
	f.flag("Idempotent", o.Idem)
	f.flag("NoAuth", slices.Contains(o.Auth, "smithy.api#noAuth"))
	return f.String() + ",\n"
}

// token is the idempotency token of an input: the member with the trait, or else the one that is named as AWS names them, because
// most of ECS's lack the trait.
func (g *generator) token(s modelShape) string {
	named := ""
	for _, m := range slices.Sorted(maps.Keys(s.Members)) {
		if s.Members[m].IdempotencyToken {
			return m
		}
		if strings.EqualFold(m, "clientToken") {
			named = m
		}
	}
	return named
}

func (g *generator) service() string {
	m := g.Metadata
	protocols := m.Protocols
	if len(protocols) == 0 {
		protocols = []string{m.Protocol}
	}
	signing := m.SigningName
	if signing == "" {
		signing = m.EndpointPrefix
	}
	f := fields{}
	f.quote("ID", m.ServiceID)
	f.quote("Package", g.pkg)
	f.quote("SigningName", signing)
	f.quote("EndpointPrefix", m.EndpointPrefix)
	f.quote("APIVersion", m.APIVersion)
	f.quote("Protocol", m.Protocol)
	f.list("Protocols", protocols)
	f.quote("JSONVersion", m.JSONVersion)
	f.quote("TargetPrefix", m.TargetPrefix)
	f.quote("XMLNamespace", m.XMLNamespace)
	f.raw("Operations", "operationTable")
	f.raw("Shapes", "shapeTable")
	f.raw("Errors", "errorTable")
	return base + "// Model is the model of " + m.ServiceID + " as tables.\nvar Model = aws.Service" + f.lines() + "\n"
}

var kinds = map[string]string{
	"structure": "Structure", "list": "List", "map": "Map", "string": "String", "character": "String", "integer": "Integer", "long": "Long",
	"float": "Float", "double": "Double", "boolean": "Boolean", "timestamp": "Timestamp", "blob": "Blob",
}

func (g *generator) shapeTable() (string, error) {
	var ids, table strings.Builder
	ids.WriteString(base + "// Indexes of shapeTable.\nconst (\n")
	table.WriteString("var shapeTable = []aws.Shape{\n")
	for i, n := range g.shapeNames() {
		ids.WriteString(g.ids[n])
		if i == 0 {
			ids.WriteString(" aws.ID = iota")
		}
		ids.WriteByte('\n')
		row, err := g.shape(n)
		if err != nil {
			return "", err
		}
		table.WriteString(row)
	}
	return ids.String() + ")\n\n" + table.String() + "}\n", nil
}

// shape writes one row of the shape table.
func (g *generator) shape(name string) (string, error) {
	s := g.Shapes[name]
	kind, ok := kinds[s.Type]
	if !ok {
		return "", fmt.Errorf("shape %s: type %q is not supported", name, s.Type)
	}
	if s.Document {
		kind = "Doc"
	}
	f := fields{}
	f.quote("Name", name)
	f.raw("Kind", "aws."+kind)
	if len(s.Members) > 0 {
		f.raw("Members", g.members(s))
	}
	if s.Member != nil {
		f.raw("Elem", g.element(s.Member))
	}
	if s.Value != nil {
		f.raw("Key", g.element(s.Key))
		f.raw("Elem", g.element(s.Value))
	}
	f.bounds(s.Min, s.Max)
	re, err := translate(s.Pattern)
	if err != nil {
		return "", fmt.Errorf("shape %s: %w", name, err)
	}
	f.quote("Pattern", s.Pattern)
	if re != s.Pattern {
		f.quote("Regexp", re)
	}
	f.list("Enum", s.Enum)
	f.quote("Payload", s.Payload)
	f.flag("Sensitive", s.Sensitive)
	f.flag("Union", s.Union)
	f.flag("Flattened", s.Flattened)
	f.flag("Exception", s.Exception)
	return f.String() + ",\n", nil
}

func (g *generator) members(s modelShape) string {
	var b strings.Builder
	b.WriteString("[]aws.Member{\n")
	for _, n := range slices.Sorted(maps.Keys(s.Members)) {
		r := s.Members[n]
		f := fields{}
		f.quote("Name", n)
		f.raw("Shape", g.ids[r.Shape])
		f.flag("Required", slices.Contains(s.Required, n))
		f.flag("Token", r.IdempotencyToken)
		f.quote("LocationName", r.LocationName)
		f.quote("QueryName", r.QueryName)
		f.quote("Location", r.Location)
		b.WriteString(f.String() + ",\n")
	}
	return b.String() + "}"
}

func (g *generator) element(r *ref) string {
	f := fields{}
	f.raw("Shape", g.ids[r.Shape])
	f.quote("LocationName", r.LocationName)
	return "aws.Elem" + f.String()
}

// fields collects the fields of a composite literal; those that are zero are left out.
type fields []string

func (f *fields) raw(name, value string) { *f = append(*f, name+": "+value) }

func (f *fields) quote(name, value string) {
	if value != "" {
		f.raw(name, strconv.Quote(value))
	}
}

func (f *fields) flag(name string, value bool) {
	if value {
		f.raw(name, "true")
	}
}

func (f *fields) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	f.raw(name, "[]string{"+strings.Join(quoted, ", ")+"}")
}

func (f *fields) bounds(lower, upper *float64) {
	var set []string
	if lower != nil {
		set = append(set, "aws.HasMin")
		f.raw("Min", number(*lower))
	}
	if upper != nil {
		set = append(set, "aws.HasMax")
		f.raw("Max", number(*upper))
	}
	if set != nil {
		f.raw("Bounds", strings.Join(set, " | "))
	}
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func (f fields) String() string { return "{" + strings.Join(f, ", ") + "}" }

func (f fields) lines() string { return "{\n" + strings.Join(f, ",\n") + ",\n}" }
