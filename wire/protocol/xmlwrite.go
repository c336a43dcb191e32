package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// xmlWriter writes outputs as XML, led by the tables.
type xmlWriter struct {
	service *aws.Service
	element string // the default name of a list's element
	b       bytes.Buffer
	err     error
}

// xmlTime is how AWS writes timestamps in XML.
const xmlTime = "2006-01-02T15:04:05.000Z"

// wrapped writes what body writes in an element; without a name it writes no element.
func (w *xmlWriter) wrapped(name string, body func()) {
	if name == "" {
		body()
		return
	}
	w.b.WriteString("<" + name + ">")
	body()
	w.b.WriteString("</" + name + ">")
}

func (w *xmlWriter) text(name, value string) {
	w.wrapped(name, func() { w.escape(value) })
}

// escape keeps every error: the buffer has none, characters XML cannot hold are replaced.
func (w *xmlWriter) escape(value string) {
	if err := xml.EscapeText(&w.b, []byte(value)); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *xmlWriter) structure(sh *aws.Shape, v reflect.Value) {
	for i, m := range sh.Members {
		if f := v.Field(i); !f.IsNil() {
			w.value(m.Wire(), m.Shape, f)
		}
	}
}

func (w *xmlWriter) value(name string, id aws.ID, v reflect.Value) {
	sh := w.service.Shape(id)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		w.wrapped(name, func() { w.structure(sh, v) })
	case aws.List:
		w.list(name, sh, v)
	case aws.Map:
		w.mapping(name, sh, v)
	default:
		w.text(name, scalarText(sh.Kind, v))
	}
}

func (w *xmlWriter) list(name string, sh *aws.Shape, v reflect.Value) {
	outer, inner := name, elementName(sh.Elem, w.element)
	if sh.Flattened {
		outer, inner = "", name
	}
	w.wrapped(outer, func() {
		for i := range v.Len() {
			w.value(inner, sh.Elem.Shape, v.Index(i))
		}
	})
}

func (w *xmlWriter) mapping(name string, sh *aws.Shape, v reflect.Value) {
	outer, inner := name, "entry"
	if sh.Flattened {
		outer, inner = "", name
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	w.wrapped(outer, func() {
		for _, k := range keys {
			w.wrapped(inner, func() {
				w.value(elementName(sh.Key, "key"), sh.Key.Shape, k)
				w.value(elementName(sh.Elem, "value"), sh.Elem.Shape, v.MapIndex(k))
			})
		}
	})
}

func scalarText(kind aws.Kind, v reflect.Value) string {
	switch kind {
	case aws.Boolean:
		return strconv.FormatBool(v.Bool())
	case aws.Integer, aws.Long:
		return strconv.FormatInt(v.Int(), 10)
	case aws.Float:
		return floatText(v.Float(), 32)
	case aws.Double:
		return floatText(v.Float(), 64)
	case aws.Timestamp:
		return v.Interface().(aws.Time).UTC().Format(xmlTime)
	case aws.Blob, aws.Doc:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	default:
		return v.String()
	}
}

func floatText(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', -1, bits)
}
