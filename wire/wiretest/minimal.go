package wiretest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Minimal is the smallest value of a shape that satisfies its constraints, as JSON would decode it.
func Minimal(s *aws.Service, id aws.ID) (any, error) {
	if id == aws.None {
		return map[string]any{}, nil
	}
	sh := s.Shape(id)
	switch sh.Kind {
	case aws.Structure:
		return minimalStructure(s, sh)
	case aws.List:
		elements := []any{}
		for range smallest(sh) {
			e, err := Minimal(s, sh.Elem.Shape)
			if err != nil {
				return nil, err
			}
			elements = append(elements, e)
		}
		return elements, nil
	case aws.Map, aws.Doc:
		if smallest(sh) > 0 {
			return nil, fmt.Errorf("%s: maps that must hold something are not made here", sh.Name)
		}
		return map[string]any{}, nil
	case aws.String:
		return minimalString(sh)
	case aws.Blob:
		return base64.StdEncoding.EncodeToString(make([]byte, smallest(sh))), nil
	case aws.Boolean:
		return false, nil
	default:
		return smallest(sh), nil
	}
}

func smallest(sh *aws.Shape) int {
	if sh.Bounds&aws.HasMin == 0 {
		return 0
	}
	return int(sh.Min)
}

func minimalStructure(s *aws.Service, sh *aws.Shape) (any, error) {
	out := map[string]any{}
	for _, m := range sh.Members {
		if !m.Required {
			continue
		}
		v, err := Minimal(s, m.Shape)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", sh.Name, m.Name, err)
		}
		out[m.Name] = v
	}
	return out, nil
}

func minimalString(sh *aws.Shape) (any, error) {
	if len(sh.Enum) > 0 {
		return sh.Enum[0], nil
	}
	pattern := sh.Regexp
	if pattern == "" {
		pattern = sh.Pattern
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, err
	}
	n := max(smallest(sh), 1)
	for _, s := range []string{strings.Repeat("a", n), strings.Repeat("1", n), "arn:aws:iam::000000000000:role/" + strings.Repeat("a", n),
		"sha256:" + strings.Repeat("0", 64), "00000000-0000-0000-0000-000000000000"} {
		if size := utf8.RuneCountInString(s); (pattern == "" || re.MatchString(s)) && (sh.Bounds&aws.HasMax == 0 || size <= int(sh.Max)) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s: no sample fits the pattern %s", sh.Name, sh.Pattern)
}

// encode writes an input in the service's protocol.
func encode(s *aws.Service, info *aws.OperationInfo, input any) (body, contentType string, err error) {
	switch {
	case slices.Contains(s.Protocols, "json"):
		b, err := json.Marshal(input)
		return string(b), "application/x-amz-json-" + s.JSONVersion, err
	case slices.Contains(s.Protocols, "query"):
		form := url.Values{"Action": {info.Name}, "Version": {s.APIVersion}}
		flatten(form, "", input)
		return form.Encode(), "application/x-www-form-urlencoded", nil
	}
	return "", "", errNoForm
}

func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flatten(form, strings.TrimPrefix(name+"."+k, "."), e)
		}
	case []any:
		for i, e := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", name, i+1), e)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}
