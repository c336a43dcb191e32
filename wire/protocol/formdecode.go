package protocol

import (
	"encoding/base64"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// node is one part of a form's dotted names.
type node struct {
	value string
	kids  map[string]*node
}

// formTree turns names like Tags.member.1.Key into a tree. Of a name given twice the first value counts.
func formTree(form url.Values) *node {
	root := &node{}
	for name, values := range form {
		n := root
		for part := range strings.SplitSeq(name, ".") {
			if n.kids == nil {
				n.kids = map[string]*node{}
			}
			kid := n.kids[part]
			if kid == nil {
				kid = &node{}
				n.kids[part] = kid
			}
			n = kid
		}
		n.value = values[0]
	}
	return root
}

// numbered is n's kids that are numbered, in order of their numbers.
func (n *node) numbered(path string) ([]*node, error) {
	type entry struct {
		number int
		node   *node
	}
	entries := make([]entry, 0, len(n.kids))
	for name, kid := range n.kids {
		number, err := strconv.Atoi(name)
		if err != nil || number < 0 {
			return nil, &DecodeError{Path: join(path, name), Reason: "A list's elements must be numbered"}
		}
		entries = append(entries, entry{number, kid})
	}
	slices.SortFunc(entries, func(a, b entry) int { return a.number - b.number })
	kids := make([]*node, len(entries))
	for i, e := range entries {
		kids[i] = e.node
	}
	return kids, nil
}

// formDecoder reads forms, led by the tables. EC2's forms name members in their own way and write every list flattened.
type formDecoder struct {
	service *aws.Service
	ec2     bool
}

// name is the name of a member in a form.
func (d formDecoder) name(m aws.Member) string {
	switch {
	case !d.ec2:
		return m.Wire()
	case m.QueryName != "":
		return m.QueryName
	default:
		return capital(m.Wire())
	}
}

// capital is a name with its first letter in upper case.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (d formDecoder) structure(sh *aws.Shape, n *node, v reflect.Value, path string) error {
	for i, m := range sh.Members {
		kid := n.kids[d.name(m)]
		if kid == nil {
			continue
		}
		if err := d.value(m.Shape, kid, v.Field(i), join(path, m.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) value(id aws.ID, n *node, v reflect.Value, path string) error {
	sh := d.service.Shape(id)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		return d.structure(sh, n, v, path)
	case aws.List:
		return d.list(sh, n, v, path)
	case aws.Map:
		return d.mapping(sh, n, v, path)
	default:
		if n.kids != nil {
			return &DecodeError{Path: path, Reason: "Unexpected list element termination"}
		}
		return d.scalar(sh, n.value, v, path)
	}
}

// list reads name.member.N, name.N when the list is flattened or EC2's, and "name=" as an empty list.
func (d formDecoder) list(sh *aws.Shape, n *node, v reflect.Value, path string) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if !sh.Flattened && !d.ec2 {
		n = n.kids[elementName(sh.Elem, "member")]
	}
	if n == nil {
		return nil
	}
	kids, err := n.numbered(path)
	if err != nil {
		return err
	}
	for i, kid := range kids {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		if err := d.value(sh.Elem.Shape, kid, v.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads name.entry.N.key and name.entry.N.value.
func (d formDecoder) mapping(sh *aws.Shape, n *node, v reflect.Value, path string) error {
	v.Set(reflect.MakeMap(v.Type()))
	if !sh.Flattened {
		n = n.kids["entry"]
	}
	if n == nil {
		return nil
	}
	kids, err := n.numbered(path)
	if err != nil {
		return err
	}
	for _, kid := range kids {
		key, value := kid.kids[elementName(sh.Key, "key")], kid.kids[elementName(sh.Elem, "value")]
		if key == nil || value == nil {
			return &DecodeError{Path: path, Reason: "An entry of a Map needs a key and a value"}
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(sh.Elem.Shape, value, elem, join(path, key.value)); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key.value), elem)
	}
	return nil
}

func (d formDecoder) scalar(sh *aws.Shape, text string, v reflect.Value, path string) error {
	wrong := &DecodeError{Path: path, Reason: "The value can not be converted to " + kindNames[sh.Kind]}
	switch sh.Kind {
	case aws.String:
		v.SetString(strings.ToValidUTF8(text, "\uFFFD"))
		return nil
	case aws.Boolean:
		if text != "true" && text != "false" {
			return wrong
		}
		v.SetBool(text == "true")
		return nil
	case aws.Blob:
		blob, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return wrong
		}
		v.SetBytes(blob)
		return nil
	case aws.Timestamp:
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			v.Set(reflect.ValueOf(*aws.At(t)))
			return nil
		}
	case aws.Doc:
		return wrong
	default: // the rest are numbers, as a timestamp may be
	}
	if setNumber(sh.Kind, v, text, path) != nil {
		return wrong
	}
	return nil
}

// elementName is a part's name in lists and maps.
func elementName(e aws.Elem, otherwise string) string {
	if e.LocationName != "" {
		return e.LocationName
	}
	return otherwise
}
