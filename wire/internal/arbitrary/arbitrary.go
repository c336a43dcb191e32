// Package arbitrary draws values of generated shapes for property tests.
//
// Guarantee: every type of member is drawn, absent, empty and filled, with the characters that encodings get wrong. Constraints are not heeded.
package arbitrary

import (
	"reflect"
	"time"
	"unicode"

	"pgregory.net/rapid"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// text has what encodings get wrong; characters that XML cannot hold are left out.
var text = rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("a<>&\"'\\/%+= .,\n\u2028é日🚢")), rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.S)))

// Drawer draws values of one service's shapes.
type Drawer struct {
	T       *rapid.T     // required
	Service *aws.Service // required
}

// Fill sets p, a pointer to the struct of shape id, to something. Nesting ends at depth.
func (d Drawer) Fill(id aws.ID, p any, depth int) {
	d.structure(d.Service.Shape(id), reflect.ValueOf(p).Elem(), depth)
}

func (d Drawer) structure(sh *aws.Shape, v reflect.Value, depth int) {
	for i, m := range sh.Members {
		member := d.Service.Shape(m.Shape)
		nested := member.Kind == aws.Structure || member.Kind == aws.List || member.Kind == aws.Map
		if rapid.Bool().Draw(d.T, m.Name) && (depth > 0 || !nested) {
			d.value(member, v.Field(i), depth-1)
		}
	}
}

func (d Drawer) value(sh *aws.Shape, v reflect.Value, depth int) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		d.structure(sh, v, depth)
	case aws.List:
		n := size(d.T, depth)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			d.value(d.Service.Shape(sh.Elem.Shape), v.Index(i), depth-1)
		}
	case aws.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range size(d.T, depth) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.value(d.Service.Shape(sh.Elem.Shape), e, depth-1)
			v.SetMapIndex(reflect.ValueOf(text.Draw(d.T, "key")), e)
		}
	default:
		scalar(d.T, sh.Kind, v)
	}
}

func size(t *rapid.T, depth int) int {
	if depth <= 0 {
		return 0
	}
	return rapid.IntRange(0, 3).Draw(t, "size")
}

func scalar(t *rapid.T, kind aws.Kind, v reflect.Value) {
	switch kind {
	case aws.String:
		v.SetString(text.Draw(t, "string"))
	case aws.Integer:
		v.SetInt(int64(rapid.Int32().Draw(t, "integer")))
	case aws.Long:
		v.SetInt(rapid.Int64().Draw(t, "long"))
	case aws.Float:
		v.SetFloat(float64(rapid.Float32().Draw(t, "float")))
	case aws.Double:
		v.SetFloat(rapid.Float64().Draw(t, "double"))
	case aws.Boolean:
		v.SetBool(rapid.Bool().Draw(t, "boolean"))
	case aws.Timestamp:
		ms := rapid.Int64Range(-1e13, 1e13).Draw(t, "timestamp")
		v.Set(reflect.ValueOf(*aws.At(time.UnixMilli(ms))))
	case aws.Blob:
		v.SetBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "blob"))
	case aws.Doc:
		v.SetBytes([]byte(rapid.SampledFrom([]string{`{"a":[1,"]}"]}`, `[]`, `"\""`, `-1.5e3`, `true`}).Draw(t, "document")))
	default:
		panic("arbitrary: not a scalar")
	}
}
