package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// nftObject is one entry of `nft -j list ruleset`; a table, chain, rule, set or map.
type nftObject struct {
	Family, Name, Table, Chain string
	Handle                     int
	Elem                       []json.RawMessage
}

// takeRules asks nft, so that what the audited program writes by library is read by another implementation.
func (v *Inventory) takeRules(ctx context.Context, o Options) {
	out, err := exec.CommandContext(ctx, o.Nft, "-j", "list", "ruleset").Output()
	if err != nil {
		v.fail("nftables", err)
		return
	}
	if err := v.parseRules(o, out); err != nil {
		v.fail("nftables", err)
	}
}

func (v *Inventory) parseRules(o Options, out []byte) error {
	var doc struct {
		Nftables []map[string]nftObject
	}
	// An entry may hold members of other types than ours; the ones we read are the same everywhere.
	if err := json.Unmarshal(out, &doc); err != nil {
		return fmt.Errorf("read ruleset: %w", err)
	}
	ours := func(table string) bool { return table == o.Name || strings.HasPrefix(table, o.Name+"_") }
	for _, entry := range doc.Nftables {
		for what, x := range entry {
			switch {
			case what == "table" && ours(x.Name):
				v.add(Rule, fmt.Sprintf("table %s %s", x.Family, x.Name), "", "")
			case !ours(x.Table):
			case what == "rule":
				v.add(Rule, fmt.Sprintf("rule %s %s %s #%d", x.Family, x.Table, x.Chain, x.Handle), "", "")
			default:
				v.add(Rule, fmt.Sprintf("%s %s %s %s", what, x.Family, x.Table, x.Name), "", fmt.Sprintf("%d elements", len(x.Elem)))
				v.takeElements(x)
			}
		}
	}
	return nil
}

func (v *Inventory) takeElements(set nftObject) {
	for _, raw := range set.Elem {
		var e any
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		text, comment := flatten(e)
		owner, _, _ := strings.Cut(comment, " ")
		v.add(Element, fmt.Sprintf("%s %s: %s", set.Table, set.Name, text), owner, comment)
	}
}

// flatten writes an element as nft would, and finds the comment wherever it stands.
func flatten(e any) (text, comment string) {
	switch x := e.(type) {
	case []any: // a map's element: key and data
		var parts []string
		for _, p := range x {
			t, c := flatten(p)
			parts, comment = append(parts, t), comment+c
		}
		return strings.Join(parts, " -> "), comment
	case map[string]any:
		if inner, ok := x["elem"].(map[string]any); ok {
			text, _ = flatten(inner["val"])
			comment, _ = inner["comment"].(string)
			return text, comment
		}
		if list, ok := x["concat"].([]any); ok {
			var parts []string
			for _, p := range list {
				parts = append(parts, fmt.Sprint(p))
			}
			return strings.Join(parts, " . "), ""
		}
	}
	return fmt.Sprint(e), ""
}
