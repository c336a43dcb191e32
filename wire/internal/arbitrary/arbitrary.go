// Package arbitrary draws values of generated shapes for property tests. It knows types, not constraints.
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

// Fill sets p, a pointer to the struct of shape id, to something. Nesting ends at depth.
func Fill(t *rapid.T, s *aws.Service, id aws.ID, p any, depth int) {
	structure(t, s, s.Shape(id), reflect.ValueOf(p).Elem(), depth)
}

func structure(t *rapid.T, s *aws.Service, sh *aws.Shape, v reflect.Value, depth int) {
	for i, m := range sh.Members {
		member := s.Shape(m.Shape)
		nested := member.Kind == aws.Structure || member.Kind == aws.List || member.Kind == aws.Map
		if rapid.Bool().Draw(t, m.Name) && (depth > 0 || !nested) {
			value(t, s, member, v.Field(i), depth-1)
		}
	}
}

func value(t *rapid.T, s *aws.Service, sh *aws.Shape, v reflect.Value, depth int) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		structure(t, s, sh, v, depth)
	case aws.List:
		n := size(t, depth)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			value(t, s, s.Shape(sh.Elem.Shape), v.Index(i), depth-1)
		}
	case aws.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range size(t, depth) {
			e := reflect.New(v.Type().Elem()).Elem()
			value(t, s, s.Shape(sh.Elem.Shape), e, depth-1)
			v.SetMapIndex(reflect.ValueOf(text.Draw(t, "key")), e)
		}
	default:
		scalar(t, sh.Kind, v)
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
	}
}
