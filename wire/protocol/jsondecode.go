package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// jsonDecoder reads a text that is known to be valid JSON, led by the tables. encoding/json would match names without regard to case and
// could not say where a wrong type stood.
type jsonDecoder struct {
	service *aws.Service
	text    []byte
	at      int
}

// names of JSON types and of ours, as AWS's messages have them.
var kindNames = map[aws.Kind]string{
	aws.Structure: "a Structure", aws.List: "a List", aws.Map: "a Map", aws.String: "a String", aws.Integer: "an Integer", aws.Long: "a Long",
	aws.Float: "a Float", aws.Double: "a Double", aws.Boolean: "a Boolean", aws.Timestamp: "a Timestamp", aws.Blob: "a Blob",
}

func (d *jsonDecoder) mistyped(kind aws.Kind, path string) error {
	token := "NUMBER_VALUE"
	switch d.text[d.at] {
	case '"':
		token = "STRING_VALUE"
	case '{':
		token = "START_OBJECT"
	case '[':
		token = "START_ARRAY"
	case 't':
		token = "TRUE_VALUE"
	case 'f':
		token = "FALSE_VALUE"
	case 'n':
		token = "NULL_VALUE"
	}
	return &DecodeError{Path: path, Reason: token + " can not be converted to " + kindNames[kind]}
}

// value reads the value at d.at into v, which is settable; a null leaves it as it is.
func (d *jsonDecoder) value(id aws.ID, v reflect.Value, path string) error {
	sh := d.service.Shape(id)
	if d.text[d.at] == 'n' && path != "" {
		d.at += len("null")
		return nil
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		return d.structure(sh, v, path)
	case aws.List:
		return d.list(sh, v, path)
	case aws.Map:
		return d.mapping(sh, v, path)
	case aws.Doc:
		v.SetBytes(slices.Clone(d.skip()))
		return nil
	case aws.Boolean:
		if c := d.text[d.at]; c != 't' && c != 'f' {
			return d.mistyped(sh.Kind, path)
		}
		v.SetBool(d.skip()[0] == 't')
		return nil
	case aws.String, aws.Blob:
		return d.quoted(sh, v, path)
	default:
		return d.number(sh, v, path)
	}
}

func (d *jsonDecoder) structure(sh *aws.Shape, v reflect.Value, path string) error {
	if d.text[d.at] != '{' {
		return d.mistyped(sh.Kind, path)
	}
	return d.object(func(key string) error {
		i := slices.IndexFunc(sh.Members, func(m aws.Member) bool { return m.Name == key })
		if i < 0 {
			d.skip()
			return nil
		}
		f := v.Field(i)
		f.SetZero() // a name given twice: the last counts, whole
		return d.value(sh.Members[i].Shape, f, join(path, key))
	})
}

func (d *jsonDecoder) mapping(sh *aws.Shape, v reflect.Value, path string) error {
	if d.text[d.at] != '{' {
		return d.mistyped(sh.Kind, path)
	}
	v.Set(reflect.MakeMap(v.Type()))
	return d.object(func(key string) error {
		if d.text[d.at] == 'n' { // AWS drops null values of maps
			d.skip()
			return nil
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(sh.Elem.Shape, elem, join(path, key)); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), elem)
		return nil
	})
}

func (d *jsonDecoder) list(sh *aws.Shape, v reflect.Value, path string) error {
	if d.text[d.at] != '[' {
		return d.mistyped(sh.Kind, path)
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	d.next()
	for i := 0; d.text[d.at] != ']'; i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		if d.text[d.at] == 'n' {
			return d.mistyped(d.service.Shape(sh.Elem.Shape).Kind, at)
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		if err := d.value(sh.Elem.Shape, v.Index(i), at); err != nil {
			return err
		}
		d.comma()
	}
	d.at++
	return nil
}

// object calls member for each name, with d.at at its value.
func (d *jsonDecoder) object(member func(key string) error) error {
	d.next()
	for d.text[d.at] != '}' {
		key := unquote(d.skip())
		d.space()
		d.next() // the colon
		if err := member(key); err != nil {
			return err
		}
		d.comma()
	}
	d.at++
	return nil
}

// quoted reads a string or a blob.
func (d *jsonDecoder) quoted(sh *aws.Shape, v reflect.Value, path string) error {
	if d.text[d.at] != '"' {
		return d.mistyped(sh.Kind, path)
	}
	text := unquote(d.skip())
	if sh.Kind == aws.String {
		v.SetString(text)
		return nil
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return &DecodeError{Path: path, Reason: "A Blob must be base64"}
	}
	v.SetBytes(blob)
	return nil
}

func (d *jsonDecoder) number(sh *aws.Shape, v reflect.Value, path string) error {
	if c := d.text[d.at]; c != '-' && (c < '0' || c > '9') {
		return d.mistyped(sh.Kind, path)
	}
	return setNumber(sh.Kind, v, string(d.skip()), path)
}

// setNumber reads a decimal number into v. Whole numbers may be written with a fraction of zero, but must be whole and fit.
func setNumber(kind aws.Kind, v reflect.Value, text, path string) error {
	wrong := &DecodeError{Path: path, Reason: "The number " + text[:min(len(text), 40)] + " can not be converted to " + kindNames[kind]}
	if kind == aws.Timestamp {
		t, err := aws.ParseEpoch(text)
		if err != nil {
			return wrong
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return wrong
	}
	if kind == aws.Float || kind == aws.Double {
		v.SetFloat(f)
		return nil
	}
	whole, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		whole = int64(f)
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return wrong
		}
	}
	if v.OverflowInt(whole) {
		return wrong
	}
	v.SetInt(whole)
	return nil
}

func (d *jsonDecoder) space() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

// next steps over one character and the space behind it.
func (d *jsonDecoder) next() {
	d.at++
	d.space()
}

// comma steps over what separates two elements, if anything does.
func (d *jsonDecoder) comma() {
	d.space()
	if d.text[d.at] == ',' {
		d.next()
	}
}

// skip steps over one value and returns its text.
func (d *jsonDecoder) skip() []byte {
	start, depth := d.at, 0
	for {
		switch d.text[d.at] {
		case '{', '[':
			depth++
			d.at++
		case '}', ']':
			depth--
			d.at++
		case '"':
			d.str()
		case ',', ':', ' ', '\t', '\r', '\n':
			d.at++
		default:
			for d.at < len(d.text) && !bytes.ContainsRune([]byte(",:]} \t\r\n"), rune(d.text[d.at])) {
				d.at++
			}
		}
		if depth == 0 {
			return d.text[start:d.at]
		}
	}
}

// str steps over a string.
func (d *jsonDecoder) str() {
	for d.at++; d.text[d.at] != '"'; d.at++ {
		if d.text[d.at] == '\\' {
			d.at++
		}
	}
	d.at++
}

// unquote reads a valid JSON string; bytes that are not UTF-8 are replaced.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // the text is known to be valid
	return s
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
