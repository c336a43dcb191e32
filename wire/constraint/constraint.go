// Package constraint checks inputs against the constraints of AWS's models: required members, enums, lengths, ranges and patterns.
//
// Guarantees:
//   - Every constraint in the table is checked, in the order of the members, and named in AWS's words.
//   - The value of a sensitive member never appears in a violation.
//   - Members the caller left out are checked for being required only; an empty value counts as present.
//
// The package is pure.
package constraint

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Violation is one broken constraint.
type Violation struct {
	Path  string // "containerDefinitions.1.member.name", as AWS counts and writes it
	Value string // as AWS shows it; empty and not Shown for values that must not or cannot be shown
	Shown bool
	Rule  string // "Member must not be null"
}

const notNull = "Member must not be null"

// Missing says whether a required member is not there.
func (v Violation) Missing() bool { return v.Rule == notNull }

// String is the violation in AWS's words.
func (v Violation) String() string {
	value := "Value at"
	if v.Shown {
		value = "Value " + v.Value + " at"
	}
	return fmt.Sprintf("%s '%s' failed to satisfy constraint: %s", value, v.Path, v.Rule)
}

// maxListed bounds a message; the count before it is the true one.
const maxListed = 20

// Message puts violations into AWS's sentence.
func Message(vs []Violation) string {
	noun := "errors"
	if len(vs) == 1 {
		noun = "error"
	}
	all := make([]string, 0, maxListed)
	for _, v := range vs[:min(len(vs), maxListed)] {
		all = append(all, v.String())
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(vs), noun, strings.Join(all, "; "))
}

// Check returns what in, a pointer to the struct of shape id, breaks.
func Check(s *aws.Service, id aws.ID, in any) []Violation {
	if id == aws.None {
		return nil
	}
	w := walker{service: s}
	w.structure(s.Shape(id), reflect.ValueOf(in).Elem())
	return w.found
}

type walker struct {
	service *aws.Service
	path    []step // to the value being checked; written out only for a violation
	found   []Violation
}

// step is one part of a path: a member's name, a map's key, or the number of an element.
type step struct {
	name   string
	number int
}

// at checks a part of the value being checked.
func (w *walker) at(s step, check func()) {
	w.path = append(w.path, s)
	check()
	w.path = w.path[:len(w.path)-1]
}

func (w *walker) written() string {
	parts := make([]string, 0, 2*len(w.path))
	for _, s := range w.path {
		if s.number > 0 {
			parts = append(parts, strconv.Itoa(s.number), "member")
			continue
		}
		parts = append(parts, s.name)
	}
	return strings.Join(parts, ".")
}

func (w *walker) structure(sh *aws.Shape, v reflect.Value) {
	for i := range sh.Members {
		m, f := &sh.Members[i], v.Field(i)
		if f.IsNil() && !m.Required {
			continue
		}
		w.at(step{name: lower(m.Name)}, func() {
			if f.IsNil() {
				w.found = append(w.found, Violation{Path: w.written(), Value: "null", Shown: true, Rule: notNull})
				return
			}
			w.value(m.Shape, f)
		})
	}
}

func (w *walker) value(id aws.ID, v reflect.Value) {
	sh := w.service.Shape(id)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	w.constraints(sh, v)
	switch sh.Kind {
	case aws.Structure:
		w.structure(sh, v)
	case aws.List:
		for i := range v.Len() {
			w.at(step{number: i + 1}, func() { w.value(sh.Elem.Shape, v.Index(i)) })
		}
	case aws.Map:
		for _, k := range sortedKeys(v) {
			w.at(step{name: "key"}, func() { w.value(sh.Key.Shape, k) })
			w.at(step{name: k.String() + ".member"}, func() { w.value(sh.Elem.Shape, v.MapIndex(k)) })
		}
	default: // a scalar has no parts
	}
}

// open are the enums that grow with what is there, of which the service itself says what it does not know: EC2's types of instances.
var open = map[string]bool{"InstanceType": true}

// constraints checks a value's own constraints, not its parts'.
func (w *walker) constraints(sh *aws.Shape, v reflect.Value) {
	report := func(format string, args ...any) {
		value, shown := w.show(sh, v)
		w.found = append(w.found, Violation{Path: w.written(), Value: value, Shown: shown, Rule: fmt.Sprintf(format, args...)})
	}
	if size, what, ok := measure(sh, v); ok {
		if sh.Bounds&aws.HasMin != 0 && size < sh.Min {
			report("Member must have %s greater than or equal to %s", what, number(sh.Min))
		}
		if sh.Bounds&aws.HasMax != 0 && size > sh.Max {
			report("Member must have %s less than or equal to %s", what, number(sh.Max))
		}
	}
	if sh.Kind != aws.String {
		return
	}
	if len(sh.Enum) > 0 && !open[sh.Name] && !slices.Contains(sh.Enum, v.String()) {
		report("Member must satisfy enum value set: [%s]", strings.Join(sh.Enum, ", "))
	}
	if sh.Pattern != "" && !matcher(sh).MatchString(v.String()) {
		report("Member must satisfy regular expression pattern: %s", sh.Pattern)
	}
}

// measure is what Min and Max of a shape bound.
func measure(sh *aws.Shape, v reflect.Value) (size float64, what string, ok bool) {
	switch sh.Kind {
	case aws.String:
		return float64(utf8.RuneCountInString(v.String())), "length", true
	case aws.Blob, aws.List, aws.Map:
		return float64(v.Len()), "length", true
	case aws.Integer, aws.Long:
		return float64(v.Int()), "value", true
	case aws.Float, aws.Double:
		return v.Float(), "value", true
	default:
		return 0, "", false
	}
}

// maxShown bounds a value in a message, in bytes.
const maxShown = 256

// show is a scalar as AWS quotes it; structures, lists and maps are not shown.
func (w *walker) show(sh *aws.Shape, v reflect.Value) (string, bool) {
	if sh.Sensitive {
		return "", false
	}
	var text string
	switch sh.Kind {
	case aws.String:
		text = v.String()
	case aws.Integer, aws.Long:
		text = strconv.FormatInt(v.Int(), 10)
	case aws.Float, aws.Double:
		text = number(v.Float())
	default:
		return "", false
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return "'" + text + "'", true
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// lower makes the first letter of a member's name small, as AWS's messages do also where the member's name is capitalised.
func lower(name string) string {
	if c := name[0]; c < 'A' || c > 'Z' {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// matchers caches compiled patterns: *aws.Shape -> *regexp.Regexp. It is bounded by the tables.
var matchers sync.Map

func matcher(sh *aws.Shape) *regexp.Regexp {
	if re, ok := matchers.Load(sh); ok {
		return re.(*regexp.Regexp)
	}
	pattern := sh.Regexp
	if pattern == "" {
		pattern = sh.Pattern
	}
	re := regexp.MustCompile(`\A(?:` + pattern + `)\z`) // the generator has compiled it
	matchers.Store(sh, re)
	return re
}
