package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
)

// FieldTree answers a hash of everything about t that shapes its JSON: member names, options and kinds, all the way
// down. Two types with the same hash store the same way; names of Go types and fields that JSON does not see do not
// count.
func FieldTree(t reflect.Type) string {
	sum := sha256.Sum256([]byte(FieldTreeText(t)))
	return hex.EncodeToString(sum[:8])
}

// FieldTreeText is what FieldTree hashes, for reading.
func FieldTreeText(t reflect.Type) string {
	var b strings.Builder
	writeTree(&b, t, "", map[reflect.Type]bool{})
	return b.String()
}

var marshaler = reflect.TypeFor[json.Marshaler]()

func writeTree(b *strings.Builder, t reflect.Type, indent string, above map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler):
		fmt.Fprintf(b, "%s\n", t) // decides itself
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		b.WriteString("list of ")
		writeTree(b, t.Elem(), indent, above)
	case t.Kind() == reflect.Map:
		b.WriteString("map of ")
		writeTree(b, t.Elem(), indent, above)
	case t.Kind() != reflect.Struct:
		fmt.Fprintf(b, "%s\n", t.Kind())
	case above[t]:
		b.WriteString("as above\n")
	default:
		above[t] = true
		b.WriteString("object\n")
		writeMembers(b, t, indent+"  ", above)
		delete(above, t)
	}
}

func writeMembers(b *strings.Builder, t reflect.Type, indent string, above map[reflect.Type]bool) {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, opts, _ := strings.Cut(tag, ",")
		inlined := f.Anonymous && name == ""
		if tag == "-" || !f.IsExported() || inlined {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if opts != "" {
			name += "," + opts
		}
		fields[name] = f.Type
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(b, "%s%s: ", indent, name)
		writeTree(b, fields[name], indent, above)
	}
}

// CheckStoredTypes compares every stored type of a schema with want, which maps a table's name to "<version> <hash>".
// A changed type needs a new Version, an Upgrade where members changed their meaning, and a new line in want.
func CheckStoredTypes(tb testing.TB, s store.Schema, want map[string]string) {
	tb.Helper()
	got := map[string]string{}
	for table, st := range s.Types() {
		got[table] = fmt.Sprintf("%d %s", st.Version, FieldTree(st.Type))
		if want[table] == got[table] {
			continue
		}
		version, _, _ := strings.Cut(want[table], " ")
		switch {
		case want[table] == "":
			tb.Errorf("table %s is new: add %q: %q", table, table, got[table])
		case version == strconv.Itoa(st.Version):
			tb.Errorf("table %s: the stored type changed without a new Version (is %q, was %q)", table, got[table], want[table])
		default:
			tb.Errorf("table %s has a new Version: record it as %q: %q", table, table, got[table])
		}
	}
	for table := range want {
		if got[table] == "" {
			tb.Errorf("table %s is recorded and no longer in the schema", table)
		}
	}
}
